"""From points to designs: what a design's points add up to, whether it keeps the limits, what it costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hw.base.error import InputError
from model.sweep import subjects
from model.sweep.expression import holds
from model.sweep.space import Space
from model.sweep.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Designs:
    """Designs in columns.

    Parameters
    ----------
    numbers : array of int
        Of each design, as `Space.design_numbers` counts them, ascending.
    axes : mapping of str to array
        Values of the axes that are not added over.
    results : mapping of str to array
        Sums and properties, as the subject defines them; NaN where a point cannot be.
    """

    numbers: np.ndarray
    axes: Mapping[str, np.ndarray]
    results: Mapping[str, np.ndarray]


def designs_in(space: Space, store: Store, *, whole: bool) -> Designs:
    """The designs of `space` whose points are all in `store`.

    Raises
    ------
    InputError
        If an objective is no result of the subject, a point is missing although `whole`, or no design is complete.
    """
    known = subjects.load(space.subject).RESULTS
    for name in space.objectives:
        if name not in known and not _is_number(space.free.get(name, ())):
            raise InputError(
                f"an objective must be one of {', '.join(known)}, or an axis of numbers, not {name!r}; correct it"
            )
    numbers, columns = store.points(space, list(known))
    if whole:
        missing = sum(len(chunk) for _, chunk in space.chunks(1 << 18)) - len(numbers)
        if missing:
            raise InputError(
                f"the store must hold every point of the space, {missing:,} are missing; run the space first"
            )
    else:
        numbers, columns = _complete(space, numbers, columns)
        if not len(numbers):
            raise InputError(
                f"the store {store.folder} must hold all points of at least one design, and holds none; run the space "
                "first"
            )
    return designs_of(space, numbers, columns)


def designs_of(space: Space, numbers: np.ndarray, columns: Mapping[str, np.ndarray]) -> Designs:
    """The designs of these points, all points of each being there."""
    subject = subjects.load(space.subject)
    designs, which = np.unique(space.design_numbers(numbers), return_inverse=True)
    first = np.full(len(designs), -1)
    first[which[::-1]] = np.arange(len(which))[::-1]
    axes = {name: values for name, values in space.columns(numbers[first]).items() if name in space.free}
    if hasattr(subject, "totals"):
        results = subject.totals(space, {**space.columns(numbers), **columns}, which, len(designs))
    else:
        added = getattr(subject, "ADDED", ())
        results = {
            name: np.bincount(which, weights=values, minlength=len(designs)) if name in added else values[first]
            for name, values in columns.items()
        }
    cost = {name: axes[name].astype(float) for name in space.objectives if name in axes and name not in results}
    return Designs(numbers=designs, axes=axes, results={**results, **cost})


def _is_number(values: Sequence[object]) -> bool:
    return bool(values) and not isinstance(values[0], str)


def feasible_of(space: Space, designs: Designs) -> np.ndarray:
    """Which designs have every objective and keep every limit."""
    found = np.ones(len(designs.numbers), dtype=bool)
    for name in space.objectives:
        found &= np.isfinite(designs.results[name])
    for text in space.limits:
        found &= holds(text, {**designs.axes, **designs.results})
    return found


def costs_of(space: Space, results: Mapping[str, np.ndarray]) -> np.ndarray:
    """Objectives as columns, all to be small."""
    return np.column_stack([results[name] * (1 if way == "min" else -1) for name, way in space.objectives.items()])


def _complete(
    space: Space, numbers: np.ndarray, columns: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Without the points of designs that lack some."""
    of, designs = space.design_numbers(numbers), np.zeros(0, dtype=np.int64)
    if len(numbers):
        designs, counts = np.unique(of, return_counts=True)
        needed = space.design_numbers(space.points_of(designs))
        designs = designs[np.unique(needed, return_counts=True)[1] == counts]
    here = np.isin(of, designs)
    return numbers[here], {name: values[here] for name, values in columns.items()}
