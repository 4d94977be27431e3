"""Two-entry skid buffer: cuts the ready path of a stream without losing throughput."""

from amaranth.hdl import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class SkidBuffer(wiring.Component):
    """Registers a stream in both directions: `o` one cycle after `i`, one item per cycle, order kept.

    `i.ready` comes from a register, so that back-pressure does not ripple through a chain: an item accepted in the
    cycle in which `o` was refused waits in the second entry. `o.payload` comes from a register too.

    Parameters
    ----------
    shape : shape of the payload

    Members
    -------
    i : In(stream)
    o : Out(stream)
    """

    def __init__(self, shape: ShapeLike) -> None:
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})
        self.held = Signal()
        self.waiting = Signal()
        self.first = Signal(shape, reset_less=True)
        self.second = Signal(shape, reset_less=True)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += [
            self.o.valid.eq(self.held),
            self.o.payload.eq(self.first),
            self.i.ready.eq(~self.waiting),
        ]
        accept, leave = self.i.valid & self.i.ready, self.o.valid & self.o.ready

        # First entry: refilled when it is free or leaves, from the second one before the input
        with m.If(~self.held | leave):
            m.d.sync += [
                self.held.eq(self.waiting | accept),
                self.first.eq(Mux(self.waiting, self.second, self.i.payload)),
                self.waiting.eq(0),
            ]
        # Second entry: takes what comes while the first one is stuck
        with m.Elif(accept):
            m.d.sync += [self.waiting.eq(1), self.second.eq(self.i.payload)]
        return m
