"""Performance counters: one label for every busy cycle, and the events."""

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.npu.signature import CounterPorts
from hw.spec.core import CoreSpec
from hw.spec.npu_event import EVENTS, LABELS


def increment_bits(core: CoreSpec) -> dict[str, int]:
    """Widths of the increments that can exceed 1 in a cycle."""
    array, bytes_per_cycle = core.array, 0 if core.dma is None else core.dma.bytes_per_cycle
    most = {
        "mac_array.mac": array.cells,
        "mac_array.weight_load": array.cells,
        "mac_array.nan_in": array.rows + array.columns,
        "mac_array.infinity_in": array.rows + array.columns,
        "output_stage.requantise": array.columns,
        "output_stage.saturate": array.columns,
        "output_stage.nan_out": array.columns,
        "external_memory.read": 3,
        "external_memory.read_wait": 3,
        "external_memory.read_byte": 3 * bytes_per_cycle,
        "external_memory.write_byte": bytes_per_cycle,
    }
    return {event: max(1, number.bit_length()) for event, number in most.items()}


class Counters(wiring.Component):
    """Adds its inputs up, each cycle.

    Parameters
    ----------
    core : CoreSpec
        Decides the widths of the increments; 1 bit if not in `increment_bits`.

    Members
    -------
    i_clear : In(1)
    i_busy : In(1)
    i_label_<label> : In(1)
        Conditions in the order of `LABELS`: the first that holds labels the cycle; the last needs none.
    i_event_<component>_<event> : In(event_bits)
    counters : Out(CounterPorts)
    """

    def __init__(self, core: CoreSpec) -> None:
        event_bits = increment_bits(core)
        super().__init__(
            {
                "i_clear": In(1),
                "i_busy": In(1),
                **{f"i_label_{label}": In(1) for label in list(LABELS)[:-1]},
                **{"i_event_" + event.replace(".", "_"): In(event_bits.get(event, 1)) for event in EVENTS},
                "counters": Out(CounterPorts()),
            }
        )

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
