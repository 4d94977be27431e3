"""The adders: every cycle with `i_valid` each lane adds its byte; counters of busy cycles and additions."""

from typing import Any

from amaranth.hdl import Module
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from tests.support.adder_array.spec import AdderSpec

DELIVERED = "core"


class Adders(wiring.Component):
    def __init__(self, spec: AdderSpec) -> None:
        super().__init__(
            {
                "i_data": In(data.ArrayLayout(8, spec.lanes)),
                "i_valid": In(1),
                "o_sums": Out(data.ArrayLayout(16, spec.lanes)),
                "o_busy": Out(32),
                "o_added": Out(32),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        self_: Any = self
        with m.If(self_.i_valid):
            lanes = len(self_.o_sums.as_value()) // 16
            for lane in range(lanes):
                m.d.sync += self_.o_sums[lane].eq(self_.o_sums[lane] + self_.i_data[lane])
            m.d.sync += [self_.o_busy.eq(self_.o_busy + 1), self_.o_added.eq(self_.o_added + lanes)]
        return m


def top(machine: AdderSpec) -> Adders:
    return Adders(machine)
