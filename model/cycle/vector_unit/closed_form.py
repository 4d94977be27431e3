"""Cycles, labels and events of a descriptor of the vector unit, counted without stepping."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from hw.spec.vector import PREPARE_CYCLES, VectorSpec, refusal, words_of
from hw.spec.vector_micro import LABEL_OF, LANES, MicroOperation, VectorProgram
from hw.spec.vector_program import program_of

_EVENT_OF = {
    "multiply": "vector.multiply",
    "add": "vector.add",
    "maximum": "vector.compare",
    "select": "vector.compare",
    "exp2": "vector.function",
    "reciprocal": "vector.function",
    "root": "vector.function",
    "move": "vector.move",
    "store": "vector.convert",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorCount:
    """What one descriptor costs.

    Parameters
    ----------
    cycles : int
        From the cycle in which it is taken to the one of `o_done` or `o_refused`, both included.
    labels, events : Counter
        By the names of `hw.spec.vector_micro.LABELS` and `EVENTS`; labels sum to the cycles.
    refused : int
        Code of `VECTOR_REFUSALS`, 0 if it is carried out.
    """

    cycles: int
    labels: Counter[str]
    events: Counter[str]
    refused: int = 0


def events_of(operation: MicroOperation) -> Counter[str]:
    """Events of one micro-operation; those of lanes count all 16."""
    found: Counter[str] = Counter()
    if operation.unit in _EVENT_OF:
        found[_EVENT_OF[operation.unit]] = LANES
    if operation.unit in ("turn_in", "turn_out"):
        found["vector.transpose"] = 1
    if operation.reads:
        found["shared_memory.vector_read"] = 1
    if operation.writes:
        found["shared_memory.vector_write"] = 1
    return found


def repetitions(program: VectorProgram, fields: Mapping[str, int]) -> Counter[str]:
    """How often the sections of each kind of repetition are gone through, over all rows (blocks)."""
    rows = fields["rows"]
    if program.outer == "words":
        blocks = words_of(fields["length"])
        return Counter(once=blocks, rows=blocks * rows, lanes=blocks * LANES)
    words = sum(words_of(fields["length"] + row * fields["length_step"]) for row in range(rows))
    return Counter(once=rows, words=words)


def count(spec: VectorSpec, fields: Mapping[str, int]) -> VectorCount:
    """Cycles, labels and events of a descriptor with these fields.

    T = 2 + sum over sections of micro-operations x repetitions; refused descriptors take the 2 alone. The cycle in
    which a descriptor is taken is the unit's last idle one and labelled so.
    """
    code = refusal(spec, fields)
    labels, events = Counter({"idle": 1, "prepare": PREPARE_CYCLES - 1}), Counter()
    if code:
        events["vector.refuse"] = 1
        return VectorCount(cycles=PREPARE_CYCLES, labels=labels, events=events, refused=code)
    program = program_of(fields["opcode"])
    assert program is not None
    times = repetitions(program, fields)
    for section in program.sections:
        for operation in section.operations:
            labels[LABEL_OF[operation.unit]] += times[section.repeat]
            for event, number in events_of(operation).items():
                events[event] += number * times[section.repeat]
    events["vector.descriptor"] = 1
    return VectorCount(cycles=sum(labels.values()), labels=labels, events=events)
