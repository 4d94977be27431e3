"""Performance counters: one label for every busy cycle, and the events."""

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.signature import CounterPorts
from hw.spec.event import EVENTS, LABELS


class Counters(wiring.Component):
    """Adds its inputs up, each cycle.

    Parameters
    ----------
    event_bits : dict of str to int
        Width of an event's increment; 1 if not given.

    Members
    -------
    i_clear : In(1)
    i_busy : In(1)
    i_label_<label> : In(1)
        Conditions in the order of `LABELS`: the first that holds labels the cycle; the last needs none.
    i_event_<component>_<event> : In(event_bits)
    counters : Out(CounterPorts)
    """

    def __init__(self, event_bits: dict[str, int]) -> None:
        super().__init__({
            "i_clear": In(1),
            "i_busy": In(1),
            **{f"i_label_{label}": In(1) for label in list(LABELS)[:-1]},
            **{"i_event_" + event.replace(".", "_"): In(event_bits.get(event, 1)) for event in EVENTS},
            "counters": Out(CounterPorts()),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()

        def add(counter: Signal, amount: Value) -> None:
            m.d.sync += counter.eq(Mux(self.i_clear, 0, counter + amount))

        add(self.counters.busy, self.i_busy)
        earlier: Value = ~self.i_busy
        for label in LABELS:
            holds = getattr(self, f"i_label_{label}", Const(1))
            add(getattr(self.counters, f"label_{label}"), holds & ~earlier)
            earlier = earlier | holds
        for event in EVENTS:
            name = "event_" + event.replace(".", "_")
            add(getattr(self.counters, name), getattr(self, f"i_{name}"))
        return m
