"""The open rows of a channel as its controller knows them."""

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.spec.dram import Organisation


class OpenRows(wiring.Component):
    """Which rows are open, followed from the commands issued.

    Members
    -------
    i_open, i_close : In(banks), banks whose row `i_row` is opened, or that are closed, in this cycle
    i_row : In, the row asked about and opened
    i_bank : In, the bank asked about
    o_open, o_matches : Out(banks), which banks are open; and which have the row open
    o_any : Out(1), some bank is open
    o_all_match : Out(1), every bank has the row open
    o_lowest : Out, the lowest open bank
    o_is_open, o_match : Out(1), bank `i_bank` is open; and has the row open
    """

    def __init__(self, organisation: Organisation) -> None:
        self.banks = organisation.banks
        super().__init__(
            {
                "i_open": In(self.banks),
                "i_close": In(self.banks),
                "i_row": In(ceil_log2(organisation.rows)),
                "i_bank": In(ceil_log2(self.banks)),
                "o_any": Out(1),
                "o_all_match": Out(1),
                "o_is_open": Out(1),
                "o_match": Out(1),
                "o_open": Out(self.banks),
                "o_matches": Out(self.banks),
                "o_lowest": Out(ceil_log2(self.banks)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        is_open, match = Signal(self.banks), Signal(self.banks)
        for b in range(self.banks):
            row = Signal.like(self.i_row, name=f"row_{b}")
            with m.If(self.i_open[b]):
                m.d.sync += [is_open[b].eq(1), row.eq(self.i_row)]
            with m.Elif(self.i_close[b]):
                m.d.sync += is_open[b].eq(0)
            m.d.comb += match[b].eq(is_open[b] & (row == self.i_row))
        for b in reversed(range(self.banks)):
            with m.If(is_open[b]):
                m.d.comb += self.o_lowest.eq(b)
        m.d.comb += [
            self.o_open.eq(is_open),
            self.o_matches.eq(match),
            self.o_any.eq(is_open.any()),
            self.o_all_match.eq(match.all()),
            self.o_is_open.eq(is_open.bit_select(self.i_bank, 1)),
            self.o_match.eq(match.bit_select(self.i_bank, 1)),
        ]
        return m
