"""Our count of some work beside what other simulators count for it, and which term makes the difference."""

from collections.abc import Sequence
from dataclasses import dataclass

from model import other_simulators
from model.cycle.budget import Budget
from model.other_simulators import LABELS, Convolution, Dataflow, Estimate, Label
from model.work.workload import Gemm

Work = Gemm | Convolution


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Another count minus ours, its largest part by label, and the terms behind that part.

    Parameters
    ----------
    cycles : int
        Their cycles minus ours; negative if they count fewer.
    label : Label or None
        The kind of cycles that differs most in the direction of the whole; None if none differs.
    label_cycles : int
        Their cycles of that label minus ours; 0 without a label.
    reason : str
        Their terms of that label by name, or that they count none of it.
    """

    cycles: int
    label: Label | None
    label_cycles: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherCount:
    """What one other simulator says.

    Parameters
    ----------
    name : str
        Name of its module in `model.other_simulators`.
    title : str
        Name and version for people.
    note : str
        What a reader must know before comparing; "" if nothing.
    estimate : Estimate or None
        Its count of all the work; None where it cannot express part of it.
    difference : Difference or None
        Against our count; None if either count is missing.
    """

    name: str
    title: str
    note: str
    estimate: Estimate | None
    difference: Difference | None


def add(estimates: Sequence[Estimate | None]) -> Estimate | None:
    """The sum of several counts, terms of one name joined; None if one of them is missing."""
    terms: dict[tuple[str, Label], int] = {}
    offset = 0
    for estimate in estimates:
        if estimate is None:
            return None
        offset += estimate.report_offset
        for term in estimate.terms:
            terms[term.name, term.label] = terms.get((term.name, term.label), 0) + term.cycles
    joined = tuple(
        other_simulators.Term(name=name, label=label, cycles=cycles) for (name, label), cycles in terms.items()
    )
    return Estimate(terms=joined, report_offset=offset)


def difference(estimate: Estimate, ours: Budget) -> Difference:
    """Compare by label; the label that differs most names the reason."""
    theirs, mine = estimate.by_label(), ours.as_dict()
    gaps: dict[Label, int] = {label: theirs.get(label, 0) - mine[label] for label in LABELS}
    total = estimate.cycles - ours.cycles
    label = max(gaps, key=lambda item: (gaps[item] * (1 if total >= 0 else -1), abs(gaps[item])))
    if gaps[label] == 0:
        return Difference(cycles=total, label=None, label_cycles=0, reason="the same, term by term")
    names = [term.name for term in estimate.terms if term.label == label and term.cycles]
    reason = "; ".join(names) if names else f"counts no {label}"
    return Difference(cycles=total, label=label, label_cycles=gaps[label], reason=reason)


def compare(
    work: Sequence[tuple[Work, int]], rows: int, columns: int, dataflow: Dataflow, ours: Budget | None
) -> list[OtherCount]:
    """Every simulator's count of `work`, a list of (GEMM or convolution, how often), one after the other."""
    result = []
    for name in other_simulators.names():
        simulator = other_simulators.load(name)
        estimates: list[Estimate | None] = []
        for item, times in work:
            if isinstance(item, Gemm):
                one = simulator.count(item, rows, columns, dataflow)
            else:
                one = simulator.count_convolution(item, rows, columns, dataflow)
            estimates.append(other_simulators.repeat(one, times))
        total = add(estimates)
        result.append(
            OtherCount(
                name=name,
                title=simulator.title,
                note=simulator.note,
                estimate=total,
                difference=None if total is None or ours is None else difference(total, ours),
            )
        )
    return result
