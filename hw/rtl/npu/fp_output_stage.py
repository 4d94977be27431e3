"""From FP32 sums to rows in the output format: conversion only."""

import itertools

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.arithmetic.fp_class import count_ones, is_beyond
from hw.rtl.arithmetic.fp_convert import FpConvert
from hw.rtl.npu.signature import parameter_layout
from hw.spec.command import output_word_bits
from hw.spec.core import CoreSpec
from hw.spec.number import number_format


class FpOutputStage(wiring.Component):
    """`columns` lanes, one row per cycle, `latency` cycles; never stalls. Same ports as `OutputStage`.

    out = sum for "fp32", else the sum rounded to nearest even to `output_format`, saturating if the core
    says so (`FpConvert`). Parameters are not used. `o_saturated` is that of the row in `i_sums`.

    Parameters
    ----------
    core : CoreSpec
        With a floating-point array.
    """

    latency = 3

    def __init__(self, core: CoreSpec) -> None:
        self.spec = core
        super().__init__(
            {
                "i_valid": In(1),
                "i_sums": In(core.array.columns * 32),
                "i_parameters": In(parameter_layout(core)),
                "o_valid": Out(1),
                "o_data": Out(output_word_bits(core)),
                "o_saturated": Out(range(core.array.columns + 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        valid = [self.i_valid, *(Signal(name=f"valid_{stage}") for stage in range(self.latency))]
        m.d.sync += [late.eq(early) for early, late in itertools.pairwise(valid)]
        m.d.comb += self.o_valid.eq(valid[-1])
        bits = output_word_bits(self.spec) // self.spec.array.columns
        beyond: list[Value] = []
        for c in range(self.spec.array.columns):
            lane = self.i_sums.word_select(c, 32)
            if self.spec.output_format == "fp32":
                for stage in range(self.latency):
                    late = Signal(32, name=f"sum_{c}_{stage}", reset_less=True)
                    m.d.sync += late.eq(lane)
                    lane = late
            else:
                convert = FpConvert([self.spec.output_format], latency=self.latency)
                m.submodules[f"convert_{c}"] = convert
                m.d.comb += [convert.x.eq(lane), convert.saturate.eq(self.spec.saturate)]
                beyond.append(is_beyond(lane, number_format(self.spec.output_format), self.spec.saturate))
                lane = convert.o
            m.d.comb += self.o_data.word_select(c, bits).eq(lane)
        m.d.comb += self.o_saturated.eq(Mux(self.i_valid, count_ones(beyond), 0))
        return m
