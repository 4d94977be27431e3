"""Running, stopping, draining and resetting the port of a core."""

from amaranth.hdl import *
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out


class PortState(enum.Enum, shape=2):
    """Of the port; in all but RUN nothing new is asked for, and beats that arrive are dropped."""

    RUN = 0
    STOPPED = 1
    """An error response came."""
    DRAIN = 2
    """A soft reset waits for what is in flight."""
    RESET = 3
    """Core and port are reset, for one cycle."""


class PortControl(wiring.Component):
    """RUN until an error response or a soft reset; a soft reset drains, resets and runs again.

    Members
    -------
    i_soft_reset : In(1)
        Asked for by the host.
    i_error : In(1)
        An error response arrives.
    i_idle : In(1)
        Nothing is offered or unanswered.
    o_stop : Out(1)
        Nothing new may be asked for.
    o_restart : Out(1)
        Core and port are reset in this cycle.
    o_state : Out(PortState)
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "i_soft_reset": In(1),
                "i_error": In(1),
                "i_idle": In(1),
                "o_stop": Out(1),
                "o_restart": Out(1),
                "o_state": Out(PortState),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        state = Signal(PortState)
        m.d.comb += [
            self.o_state.eq(state),
            self.o_restart.eq(state == PortState.RESET),
            self.o_stop.eq(state != PortState.RUN),
        ]
        with m.If(self.i_soft_reset & ~self.o_restart):
            m.d.sync += state.eq(PortState.DRAIN)
        with m.Elif(state == PortState.DRAIN), m.If(self.i_idle):
            m.d.sync += state.eq(PortState.RESET)
        with m.Elif(self.o_restart):
            m.d.sync += state.eq(PortState.RUN)
        with m.Elif(self.i_error):
            m.d.sync += state.eq(PortState.STOPPED)
        return m
