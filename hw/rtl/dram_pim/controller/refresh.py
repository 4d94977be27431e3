"""When a refresh is due."""

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

OWED = 3
"""Refreshes that may be outstanding before one is lost; the proof shows that no more than one ever is."""


class RefreshTimer(wiring.Component):
    """A refresh falls due in cycle n x `interval` after reset, n = 1, 2, ..., and stays due until it is issued.

    Members
    -------
    i_issued : In(1)
        A refresh is issued in this cycle.
    o_due : Out(1)
    o_owed : Out
        Refreshes fallen due and not issued.
    """

    def __init__(self, interval: int, *, enabled: bool = True) -> None:
        self.interval, self.enabled = interval, enabled
        self.left = Signal(range(interval), init=interval - 1, name="left")
        super().__init__({"i_issued": In(1), "o_due": Out(1), "o_owed": Out(range(OWED + 1))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if not self.enabled:
            return m
        left = self.left
        falls = Signal()
        m.d.comb += [falls.eq(left == 0), self.o_due.eq(self.o_owed != 0)]
        m.d.sync += [
            left.eq(Mux(falls, self.interval - 1, left - 1)),
            self.o_owed.eq(self.o_owed + falls - self.i_issued),
        ]
        return m
