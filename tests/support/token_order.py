"""Which descriptors of a program may meet in the shared memory in either order: tokens must forbid it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hw.spec.command import Copy
from hw.spec.hbm_pim_controller import HbmGemv
from hw.spec.memory_controller import Gemv, Transfer
from hw.spec.system import Program, SystemCommand
from hw.spec.vector import VectorCommand, VectorSpec, unpack
from model.cycle.vector_unit.stepper import steps


@dataclass(slots=True)
class _Word:
    """Last write of a word of the shared memory, if any, and unit -> last read since: places in the program."""

    written: list[int] = field(default_factory=list)
    read: dict[str, int] = field(default_factory=dict)


def unordered(program: Program, vector: VectorSpec) -> Iterator[tuple[int, int, int]]:
    """(earlier descriptor, later one, word) of different units, one of which writes the word, where the later one may
    start before the earlier one has ended.

    What has ended when a descriptor starts follows from tokens alone: what it waits for, what these had waited for, and
    what the descriptors of its own unit before it had waited for. The core keeps its own descriptors in order.
    """
    number = dict.fromkeys(program.units, 0)  # descriptors so far
    places: list[int] = []  # of each descriptor, its number among those of its unit
    known: dict[str, list[dict[str, int]]] = {unit: [] for unit in program.units}  # unit -> count that has ended
    words: dict[int, _Word] = {}
    for at, item in enumerate(program.commands):
        unit = item.unit
        ended = dict(known[unit][-1]) if known[unit] else dict.fromkeys(program.units, 0)
        for other, count in item.waits.items():
            _learn(ended, {other: count})
            if count:
                _learn(ended, known[other][count - 1])
        if unit != "core":
            ended[unit] = number[unit]
        known[unit].append(ended)
        places.append(number[unit])
        number[unit] += 1

        reads, writes = touched(item, vector)
        before: dict[int, list[int]] = {}  # word -> descriptors that must have ended
        for word in reads:
            held = words.setdefault(word, _Word())
            before[word] = held.written
            held.read[unit] = at
        for word in writes:
            held = words.get(word, _Word())
            before[word] = [*held.written, *(earlier for earlier in held.read.values() if earlier != at)]
            words[word] = _Word(written=[at])
        for word, earlier in ((word, earlier) for word, all_ in before.items() for earlier in all_):
            by = program.commands[earlier].unit
            if by != unit and ended[by] <= places[earlier]:
                yield earlier, at, word


def _learn(ended: dict[str, int], more: dict[str, int]) -> None:
    for unit, count in more.items():
        ended[unit] = max(ended.get(unit, 0), count)


def touched(item: SystemCommand, vector: VectorSpec) -> tuple[Sequence[int], Sequence[int]]:
    """Words of the shared memory that a descriptor reads and writes."""
    command, none = item.command, range(0)
    match command:
        case Transfer():
            moved = range(command.shared, command.shared + command.words)
            pointer = none if command.pointer is None else range(command.pointer, command.pointer + 1)
            return (moved, none) if command.write else (pointer, moved)
        case Gemv():
            loaded = range(command.source, command.source + command.columns) if command.load else none
            made = range(command.destination, command.destination + command.outputs) if command.read else none
            return loaded, made
        case HbmGemv():
            return range(command.source, command.source + command.words), none
        case Copy():
            moved = range(command.other_address, command.other_address + command.words)
            return (none, moved) if command.target == "output_to_external" else (moved, none)
        case VectorCommand():
            done = [step for step in steps(vector, unpack(command.pack())) if step.operation is not None]
            reads = {step.addresses[step.operation.reads] for step in done if step.operation and step.operation.reads}
            writes = {step.addresses["d"] for step in done if step.operation and step.operation.writes}
            return sorted(reads), sorted(writes)
    return none, none
