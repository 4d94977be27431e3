"""Performance counters of a crossbar core: one label for every busy cycle, and the events."""

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.crossbar.signature import CrossbarCounterPorts
from hw.spec.crossbar import CrossbarSpec
from hw.spec.crossbar_event import EVENTS, LABELS


def increment_bits(spec: CrossbarSpec) -> dict[str, int]:
    """Widths of the increments that can exceed 1 in a cycle."""
    levels = (1 << spec.plane_bits) - 1
    most = {
        "array.plane": spec.tiles,
        "array.wordline_toggle": spec.tiles * spec.rows * spec.plane_bits,
        "array.wordline_active": spec.tiles * spec.rows * levels,
        "array.conversion": spec.tiles * spec.converters,
        "digital.shift_add": spec.tiles * spec.converters,
        "digital.merge": spec.lanes,
        "digital.tile_add": spec.lanes,
        "output_stage.requantise": spec.lanes,
    }
    return {event: number.bit_length() for event, number in most.items()}


class CrossbarCounters(wiring.Component):
    """Adds its inputs up, each cycle.

    Members
    -------
    i_busy : In(1)
    i_label_<label> : In(1)
        Conditions in the order of `LABELS`: the first that holds labels the cycle; the last needs none.
    i_event_<component>_<event> : In
    counters : Out(CrossbarCounterPorts)
    """

    def __init__(self, spec: CrossbarSpec) -> None:
        bits = increment_bits(spec)
        super().__init__(
            {
                "i_busy": In(1),
                **{f"i_label_{label}": In(1) for label in list(LABELS)[:-1]},
                **{"i_event_" + event.replace(".", "_"): In(bits.get(event, 1)) for event in EVENTS},
                "counters": Out(CrossbarCounterPorts()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()

        def add(counter: Signal, amount: Value) -> None:
            m.d.sync += counter.eq(counter + amount)

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
