"""The vector unit cycle by cycle: which micro-operation runs on which words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hw.spec.vector import VectorSpec, refusal, words_of
from hw.spec.vector_micro import LANES, MicroOperation, VectorProgram
from hw.spec.vector_program import PROGRAMS, program_of


@dataclass(frozen=True, slots=True)
class Step:
    """One cycle of a descriptor.

    Parameters
    ----------
    operation : MicroOperation or None
        None while the descriptor is taken and checked.
    inner : int
        Repetition of the section.
    addresses : dict
        Pointer -> word of this cycle.
    lanes : int
        Lanes of this word that belong to the row.
    clears : bool
        The transposer is emptied at the end of the cycle.
    """

    operation: MicroOperation | None
    inner: int
    addresses: dict[str, int]
    lanes: int
    clears: bool


def steps(spec: VectorSpec, fields: Mapping[str, int]) -> Iterator[Step]:
    """The cycles of a descriptor, in order; two of a refused one."""
    yield Step(None, 0, {}, LANES, False)
    yield Step(None, 0, {}, LANES, True)
    program = program_of(fields["opcode"])
    if refusal(spec, fields) or program is None:
        return
    blocks = program.outer == "words"
    outer_count = words_of(fields["length"]) if blocks else fields["rows"]
    base = {name: fields[name] for name in "abd"}
    for outer in range(outer_count):
        length = fields["length"] + (0 if blocks else outer * fields["length_step"])
        words = words_of(length)
        times = {"once": 1, "words": words, "rows": fields["rows"], "lanes": LANES}
        for section in program.sections:
            for inner in range(times[section.repeat]):
                last = not blocks and inner == words - 1 and length % LANES
                for operation in section.operations:
                    ends = operation is section.operations[-1] and inner == times[section.repeat] - 1
                    yield Step(
                        operation,
                        inner,
                        _addresses(program, fields, base, inner),
                        length % LANES if last else LANES,
                        ends and section is program.sections[-1],
                    )
        for name in "abd":
            base[name] = base[name] + (1 if program.across == name else fields[f"{name}_stride"]) & 0xFFFF


def _addresses(program: VectorProgram, fields: Mapping[str, int], base: dict[str, int], inner: int) -> dict[str, int]:
    period = 1 << fields["period_log2"]
    within = inner % period if program is PROGRAMS["ROTARY"] else inner
    found = {
        name: base[name] + inner * (fields[f"{name}_stride"] if program.across == name else 1) & 0xFFFF
        for name in ("a", "d")
    }
    return found | {"b": base["b"] + within & 0xFFFF, "c": base["b"] + within + period & 0xFFFF}
