"""From 32-bit sums to INT8 rows: bias, multiply, shift with a named rounding rule, zero point, clamp."""

import itertools

from amaranth.hdl import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.arithmetic.fp_class import count_ones
from hw.rtl.arithmetic.rounding import scale_binary32, to_binary32
from hw.rtl.npu.accumulator import ACCUMULATOR_BITS
from hw.rtl.npu.signature import parameter_layout
from hw.spec.core import CoreSpec, RoundingMode

NARROW_BITS = 10
"""Signed width after rounding: saturating here first changes no clamped result, 2**9 - 128 > 127."""


def scale(m: Module, product: Value, shift: Value, mode: RoundingMode) -> Value:
    """`product` / 2**(31 + shift), rounded by `mode` to an integer.

    exact_rne: ties to even. tflite_single: ties towards plus infinity. gemmlowp: first by 2**31 (ties
    towards plus infinity, saturated to 32 bits), then by 2**shift with ties away from zero.
    """
    if mode == "gemmlowp":
        doubled = (product + (1 << 30)) >> 31
        high = Signal(signed(32))
        m.d.comb += high.eq(Mux(doubled > (1 << 31) - 1, (1 << 31) - 1, doubled))
        kept = Cat(Const(0, 31), high).as_signed() >> shift
        tie_up = ~high[-1]
    else:
        kept = product >> shift
        tie_up = kept[31] if mode == "exact_rne" else Const(1)
    lost = Signal(31)
    m.d.comb += lost.eq(product[:31] & ~(Const(-1, signed(32)) << shift)[:31])
    dropped = Const(0) if mode == "gemmlowp" else lost.any()
    below = kept[:30].any() | dropped
    return kept[31:].as_signed() + (kept[30] & (below | tie_up))


def saturate(value: Value, bits: int) -> Value:
    """`value` limited to what `bits` signed bits hold."""
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    return Mux(value > high, high, Mux(value < low, low, value))


class OutputStage(wiring.Component):
    """`columns` lanes, one row per cycle, `latency` cycles; never stalls.

    out = clamp(round((sum + bias) * multiplier / 2**(31 + shift)) + zero_point, low, high); the sum with
    bias is exact (33 bits), except that gemmlowp saturates it to 32 bits as its operand is an int32.

    Parameters
    ----------
    core : CoreSpec
        `rounding_mode` names the rule; "float32" multiplies in binary32 instead of integers.

    Members
    -------
    i_valid : In(1)
    i_sums : In(columns * 32)
    i_parameters : In(parameter_layout(core))
        Belongs to the row in the same cycle.
    o_valid : Out(1)
    o_data : Out(columns * 8)
    o_saturated : Out(ceil_log2(columns + 1))
        Lanes of the row in `o_data` that left the INT8 range before the clamp; 0 without a row.
    """

    latency = 3

    def __init__(self, core: CoreSpec) -> None:
        self.spec = core
        super().__init__(
            {
                "i_valid": In(1),
                "i_sums": In(core.array.columns * ACCUMULATOR_BITS),
                "i_parameters": In(parameter_layout(core)),
                "o_valid": Out(1),
                "o_data": Out(core.array.columns * 8),
                "o_saturated": Out(range(core.array.columns + 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        mode = self.spec.rounding_mode
        valid = [self.i_valid, *(Signal(name=f"valid_{stage}") for stage in range(self.latency))]
        m.d.sync += [late.eq(early) for early, late in itertools.pairwise(valid)]

        common = data.StructLayout({name: signed(8) for name in ("zero_point", "low", "high")})
        settings = [Signal(common, name=f"settings_{stage}", reset_less=True) for stage in range(self.latency)]
        for name in ("zero_point", "low", "high"):
            early: Value = self.i_parameters[name]
            for stage in range(self.latency):
                with m.If(valid[stage]):
                    m.d.sync += settings[stage][name].eq(early)
                early = settings[stage][name]
        final = settings[-1]
        beyond: list[Value] = []

        for c in range(self.spec.array.columns):
            lane = self.i_parameters.lanes[c]
            total = self.i_sums.word_select(c, ACCUMULATOR_BITS).as_signed() + lane.bias
            if mode == "gemmlowp":
                total = saturate(total, 32)
            biased = Signal(signed(33), name=f"biased_{c}", reset_less=True)
            multiplier = Signal(signed(32), name=f"multiplier_{c}", reset_less=True)
            shift = [Signal(5, name=f"shift_{c}_{stage}", reset_less=True) for stage in range(2)]
            rounded = Signal(signed(NARROW_BITS), name=f"rounded_{c}", reset_less=True)
            with m.If(valid[0]):
                m.d.sync += [biased.eq(total), multiplier.eq(lane.multiplier), shift[0].eq(lane.shift)]
            with m.If(valid[1]):
                m.d.sync += shift[1].eq(shift[0])
            if mode == "float32":
                scaled = self._scale_binary32(m, c, valid[1], biased, multiplier, shift[1])
            else:
                product = Signal(signed(65), name=f"product_{c}", reset_less=True)
                with m.If(valid[1]):
                    m.d.sync += product.eq(biased * multiplier)
                scaled = saturate(scale(m, product, shift[1], mode), NARROW_BITS)
            with m.If(valid[2]):
                m.d.sync += rounded.eq(scaled)
            moved = Signal(signed(NARROW_BITS + 1), name=f"moved_{c}")
            m.d.comb += [
                moved.eq(rounded + final.zero_point),
                self.o_data.word_select(c, 8).eq(
                    Mux(moved > final.high, final.high, Mux(moved < final.low, final.low, moved))
                ),
            ]
            beyond.append((moved > 127) | (moved < -128))
        m.d.comb += [self.o_valid.eq(valid[-1]), self.o_saturated.eq(Mux(valid[-1], count_ones(beyond), 0))]
        return m

    def _scale_binary32(self, m: Module, c: int, valid: Value, biased: Value, multiplier: Value, shift: Value) -> Value:
        """Lane `c` in binary32: both factors converted in the cycle of `valid`, multiplied in the next."""
        factors = to_binary32(m, f"biased_{c}", biased), to_binary32(m, f"multiplier_{c}", multiplier)
        x, y = (Signal(24, name=f"significand_{c}_{i}", reset_less=True) for i in range(2))
        exponent = Signal(signed(8), name=f"exponent_{c}", reset_less=True)
        sign = Signal(name=f"sign_{c}", reset_less=True)
        with m.If(valid):
            m.d.sync += [
                x.eq(factors[0].significand),
                y.eq(factors[1].significand),
                exponent.eq(factors[0].exponent + factors[1].exponent),
                sign.eq(factors[0].sign ^ factors[1].sign),
            ]
        return scale_binary32(m, f"lane_{c}", sign=sign, x=x, y=y, exponent=exponent, shift=shift, bits=NARROW_BITS)
