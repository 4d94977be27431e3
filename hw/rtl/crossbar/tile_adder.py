"""Adds the results of the tiles of one column of tiles, `lanes` at a time."""

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.spec.crossbar import SUM_BITS, CrossbarSpec


class TileAdder(wiring.Component):
    """sum = results of the first tile + ... + those of the last; one beat per cycle, sum one cycle after the last.

    Members
    -------
    i_valid, i_first, i_last : In(1)
    i_results : In(lanes * 32)
    o_valid : Out(1)
    o_sums : Out(lanes * 32)
    """

    def __init__(self, spec: CrossbarSpec) -> None:
        self.spec = spec
        width = spec.lanes * SUM_BITS
        super().__init__(
            {
                "i_valid": In(1),
                "i_first": In(1),
                "i_last": In(1),
                "i_results": In(width),
                "o_valid": Out(1),
                "o_sums": Out(width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.o_valid.eq(self.i_valid & self.i_last)
        with m.If(self.i_valid):
            for lane in range(self.spec.lanes):
                total = self.o_sums.word_select(lane, SUM_BITS)
                new = self.i_results.word_select(lane, SUM_BITS)
                m.d.sync += total.eq(Mux(self.i_first, new, total + new))
        return m
