"""What a system of core, vector unit and DRAM-PIM channel counts: labels of its controller, events of all units."""

from hw.spec import crossbar_event, dram_pim_event, npu_event, vector_micro
from hw.spec.crossbar_unit import UNIT_EVENTS
from hw.spec.hbm_pim_controller import HBM_LABELS
from hw.spec.memory_controller import CONTROLLER_LABELS

LABELS: dict[str, str] = {**CONTROLLER_LABELS, **HBM_LABELS}
"""What the memory controller did in a cycle of the run; every cycle has exactly one. "idle": core or vector unit work
alone. The labels of core and vector unit are in `hw.spec.npu_event` and `hw.spec.vector_micro`."""

EVENTS: dict[str, str] = {
    **{event: text for event, text in npu_event.EVENTS.items() if event not in npu_event.VALUE_EVENTS},
    **{event: f"{text[0].upper()}{text[1:]}." for event, text in vector_micro.EVENTS.items()},
    **dram_pim_event.EVENTS,
    **{f"crossbar_{event}": text for event, text in crossbar_event.EVENTS.items()},
    **{f"crossbar_unit.{event}": text for event, text in UNIT_EVENTS.items()},
}
"""Event, "component.event" -> its one-sentence definition: of the core without those that operands decide, of the
vector unit, of the channel, of crossbars and their unit if there are any. The external memory of the core is the memory
all units share."""

VALUE_EVENTS: tuple[str, ...] = tuple(f"crossbar_{event}" for event in crossbar_event.VALUE_EVENTS)
"""Events that operands decide: those of the word lines of crossbars, which only the RTL counts."""

OBSERVATIONS: tuple[str, ...] = (
    *(event for event in npu_event.OBSERVATIONS if event in EVENTS),
    "vector.descriptor",
    "vector.refuse",
    *(f"crossbar_{event}" for event in crossbar_event.OBSERVATIONS),
    "crossbar_unit.descriptor",
    "crossbar_unit.refuse",
)
"""Events that do no work of their own."""
