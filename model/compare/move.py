"""What moved between two states, and why."""

from collections.abc import Mapping
from dataclasses import dataclass

from hw.base.error import InputError
from model.compare.state import Run, State, Value

SAME = 1e-9
"""Relative difference up to which two numbers are one: what writing them in decimal costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A number that is not what it was.

    Parameters
    ----------
    name : str
        Run and number of a record, or the figure.
    unit : str
        Of both; "" in records.
    old, new : float or None
        None where that side has no such number.
    old_range, new_range : tuple of float or None
        5 % and 95 %, of figures that vary.
    causes : tuple of str
        What did it, in words; the largest first.
    """

    name: str
    unit: str = ""
    old: float | None
    new: float | None
    old_range: tuple[float, float] | None = None
    new_range: tuple[float, float] | None = None
    causes: tuple[str, ...] = ()

    @property
    def inside(self) -> bool | None:
        """Whether the new value lies in the old range; None without one."""
        if self.old_range is None or self.new is None:
            return None
        return self.old_range[0] <= self.new <= self.old_range[1]

    @property
    def by(self) -> float:
        """Change over the old value; infinite from nothing or zero, and for what is gone."""
        if self.old is None or self.new is None:
            return float("inf")
        if self.old == self.new:
            return 0.0
        return (self.new - self.old) / abs(self.old) if self.old else float("inf")


def compare(old: State, new: State) -> list[Move]:
    """Every number that differs, the largest relative change first, what came or went at the end.

    Raises
    ------
    InputError
        If one side is a report and the other records.
    """
    if bool(old.runs) != bool(new.runs):
        raise InputError(
            f"two reports or two sets of records must be compared, not {old.title} with {new.title}; "
            "give two of the same kind"
        )
    moves = _records(old.runs, new.runs) if old.runs else _figures(old.values, new.values)
    return sorted(moves, key=lambda move: (move.old is None or move.new is None, -abs(move.by), move.name))


def _records(old: Mapping[str, Run], new: Mapping[str, Run]) -> list[Move]:
    """A move for every number of a run on both sides; one for a run that only one side has."""
    moves = []
    for run in sorted({*old, *new}):
        before, after = old.get(run), new.get(run)
        if before is None or after is None:
            moves.append(
                Move(
                    name=f"{run} cycles",
                    old=None if before is None else before.numbers["cycles"],
                    new=None if after is None else after.numbers["cycles"],
                    causes=("a new run" if before is None else "the run is gone",),
                )
            )
            continue
        causes = _of_record(before, after)
        for number in sorted({*before.numbers, *after.numbers}):
            a, b = before.numbers.get(number), after.numbers.get(number)
            if not _same(a, b):
                moves.append(Move(name=f"{run} {number}", old=a, new=b, causes=causes))
    return moves


def _of_record(old: Run, new: Run) -> tuple[str, ...]:
    """What a record was made of that differs; if nothing does, the model or the bench changed."""
    changed = tuple(
        f"{what} {old.made_of.get(what, 'none')} -> {new.made_of.get(what, 'none')}"
        for what in ("chip", "workload", "Verilog")
        if old.made_of.get(what) != new.made_of.get(what)
    )
    return changed or (f"rules of the model: commit {old.commit[:10]} -> {new.commit[:10]}",)


def _figures(old: Mapping[str, Value], new: Mapping[str, Value]) -> list[Move]:
    """A move for every figure that differs; inputs are causes, not moves of their own."""
    moves = []
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if not any(value is not None and value.inputs for value in (before, after)):
            continue
        if before is not None and after is not None and _equal(before, after):
            continue
        moves.append(
            Move(
                name=name,
                unit=(after or before or Value(unit="", nominal=0, low=0, high=0)).unit,
                old=None if before is None else before.nominal,
                new=None if after is None else after.nominal,
                old_range=_range(before),
                new_range=_range(after),
                causes=_of_figure(name, old, new),
            )
        )
    return moves


def _of_figure(name: str, old: Mapping[str, Value], new: Mapping[str, Value]) -> tuple[str, ...]:
    """Inputs below the figure whose numbers differ and formulas that do, as far up as they stand; largest first."""
    if name not in old or name not in new:
        return ("a new figure" if name not in old else "the figure is gone",)
    found: dict[str, float] = {}
    seen, waiting = {name}, [name]
    while waiting:
        here = waiting.pop()
        before, after = old.get(here), new.get(here)
        if before is None or after is None:
            continue  # its formula's change, seen above, says that it came or went
        if before.inputs or after.inputs:
            if before.formula != after.formula:
                found[f"rule {here}: {before.formula} -> {after.formula}"] = float("inf")
        elif not _equal(before, after):
            found[_input_change(here, before, after)] = abs(_relative(before.nominal, after.nominal))
        for child in (*before.inputs, *after.inputs):
            if child not in seen:
                seen.add(child)
                waiting.append(child)
    return tuple(sorted(found, key=lambda cause: (-found[cause], cause))) or ("drawn samples of its range",)


def _input_change(name: str, old: Value, new: Value) -> str:
    """An input before and after, with its range if that is what changed."""
    if not _same(old.nominal, new.nominal):
        return f"{name}: {old.nominal:.6g} -> {new.nominal:.6g} {new.unit}"
    return f"{name}: range {old.low:.4g} to {old.high:.4g} -> {new.low:.4g} to {new.high:.4g} {new.unit}"


def _range(value: Value | None) -> tuple[float, float] | None:
    return (value.low, value.high) if value is not None and value.low < value.high else None


def _equal(old: Value, new: Value) -> bool:
    return all(_same(getattr(old, part), getattr(new, part)) for part in ("nominal", "low", "high"))


def _same(old: float | None, new: float | None) -> bool:
    if old is None or new is None:
        return old is new
    return old == new or abs(old - new) <= SAME * max(abs(old), abs(new))


def _relative(old: float, new: float) -> float:
    return (new - old) / abs(old) if old else float("inf") if new else 0.0
