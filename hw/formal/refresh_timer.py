"""No refresh is missed or issued twice, if each is issued by the cycle in which the next falls due."""

from amaranth.hdl import *

from hw.formal import Bug, Proof
from hw.formal._queue import no_reset

INTERVAL = 5


class Harness(Elaboratable):
    """The timer beside plain counts; a due refresh is issued at any time until the next falls due."""

    def elaborate(self, platform: object) -> Module:
        from hw.rtl.dram_pim.controller.refresh import RefreshTimer

        m = Module()
        m.submodules.timer = timer = RefreshTimer(INTERVAL)
        issue = Signal()
        self.inputs = [issue]
        no_reset(m)
        phase, fallen, issued, waited = Signal(range(INTERVAL)), Signal(4), Signal(4), Signal(3)
        m.d.comb += [
            timer.i_issued.eq(issue),
            Assume(~issue | timer.o_due),
            Assume(waited < INTERVAL),  # what the controller is tested for
            Assert(timer.o_owed == (fallen - issued)[:4]),
            Assert(timer.o_due == (fallen != issued)),
            Assert(timer.o_owed <= 1),
        ]
        m.d.sync += [
            phase.eq(Mux(phase == INTERVAL - 1, 0, phase + 1)),
            fallen.eq(fallen + (phase == INTERVAL - 1)),
            issued.eq(issued + issue),
            waited.eq(Mux(timer.o_due & ~issue, waited + 1, 0)),
        ]
        m.d.comb += [
            Assert(timer.left == INTERVAL - 1 - phase),
            Assert(~timer.o_due | (waited <= phase)),
            Assert(timer.o_due | (waited == 0)),
            Cover((issued == 3) & (waited == INTERVAL - 1)),
        ]
        return m


PROOF = Proof(
    title="no refresh is missed or issued twice, if each is issued by the cycle in which the next falls due",
    build=Harness,
    bounded=25,
    cover=30,
    bugs=(
        Bug(
            name="the interval starts anew when a refresh is issued",
            module="hw.rtl.dram_pim.controller.refresh",
            before="left.eq(Mux(falls, self.interval - 1, left - 1))",
            after="left.eq(Mux(falls | self.i_issued, self.interval - 1, left - 1))",
        ),
        Bug(
            name="a refresh that falls due while one is issued is lost",
            module="hw.rtl.dram_pim.controller.refresh",
            before="self.o_owed.eq(self.o_owed + falls - self.i_issued)",
            after="self.o_owed.eq(Mux(self.i_issued, self.o_owed - 1, self.o_owed + falls))",
        ),
    ),
)
