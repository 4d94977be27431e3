"""From a store to the designs nobody beats: Pareto front, knee, what binds, and how sure the front is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hw.base.error import InputError
from model.sweep import subjects
from model.sweep.designs import costs_of, designs_in, feasible_of
from model.sweep.space import Space
from model.sweep.store import Store

SAMPLES, SEED = 1_000, 1
"""Draws of the uncertain prices, and their seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """One design of the front.

    Parameters
    ----------
    axes : mapping
        The values of the axes that are not added over.
    results : mapping of str to float
        Sums and properties, as the subject defines them.
    binds : str
        What bounds most of its time.
    stays : float
        Share of the samples of all uncertain prices in which it is on the front.
    knee : bool
        It lies farthest from the line between the ends of the front, objectives scaled to 0 .. 1 in logarithms.
    """

    axes: Mapping[str, object]
    results: Mapping[str, float]
    binds: str
    stays: float
    knee: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """The designs of a space, `designs` in all of which `feasible` run everything and keep the limits.

    Parameters
    ----------
    members : tuple of Design
        Those of the front, in the order of the first objective, best first.
    sensitivity : mapping of str to float
        Uncertain input -> mean share of the samples in which the designs stay on the front if it alone is uncertain.
    """

    designs: int
    feasible: int
    members: tuple[Design, ...]
    sensitivity: Mapping[str, float] = field(default_factory=dict)


def front_of(space: Space, store: Store, *, whole: bool = True) -> Front:
    """The front of `space` from the points in `store`.

    Parameters
    ----------
    whole : bool
        Every point must be there; otherwise the front is of the designs whose points are all there, after a search.

    Raises
    ------
    InputError
        If an objective is no result of the subject, points are missing, or no design is feasible.
    """
    subject = subjects.load(space.subject)
    found = designs_in(space, store, whole=whole)
    axes, results = found.axes, found.results
    feasible = feasible_of(space, found)
    if not feasible.any():
        raise InputError(
            f"at least one of {len(feasible):,} designs must run everything and keep the limits "
            f"({'; '.join(space.limits) or 'none'}), not none; loosen a limit or add values"
        )
    places = np.flatnonzero(feasible)
    costs = costs_of(space, {name: values[places] for name, values in results.items()})
    best = places[efficient(costs)]
    order = best[np.argsort(costs_of(space, {n: v[best] for n, v in results.items()})[:, 0], kind="stable")]
    everything, prices = {**axes, **results}, uncertain_of(space, subject)
    stays = _stays(space, subject, everything, places, order, prices)
    alone = {
        one: float(_stays(space, subject, everything, places, order, (one,), SAMPLES // 5).mean()) for one in prices
    }
    knee = _knee(costs_of(space, {name: values[order] for name, values in results.items()}))
    members = tuple(
        Design(
            axes={name: values[place].item() for name, values in axes.items()},
            results={name: float(values[place]) for name, values in results.items()},
            binds=subject.binds(space, {name: float(values[place]) for name, values in results.items()}),
            stays=float(stays[index]),
            knee=index == knee,
        )
        for index, place in enumerate(order)
    )
    return Front(designs=len(feasible), feasible=int(feasible.sum()), members=members, sensitivity=alone)


def efficient(costs: np.ndarray) -> np.ndarray:
    """Numbers of the rows of `costs` (all to be small) that no other row beats in one column and equals in the rest.

    Of equal rows the first is kept. Rows are taken in the order of their sum of ranks, so that most are beaten early.
    """
    if not len(costs):
        return np.zeros(0, dtype=int)
    _, unique = np.unique(costs, axis=0, return_index=True)
    rows = costs[unique]
    order = np.lexsort(rows.T[::-1])
    rows, unique = rows[order], unique[order]
    if rows.shape[1] == 1:
        return unique[:1]
    if rows.shape[1] == 2:  # sorted by the first: on the front while the second falls
        least = np.minimum.accumulate(rows[:, 1])
        on = np.concatenate(([True], rows[1:, 1] < least[:-1]))
        return np.sort(unique[on])
    kept = np.arange(len(rows))
    index = 0
    while index < len(kept):
        row = rows[kept[index]]
        beaten = np.all(rows[kept] >= row, axis=1)
        beaten[index] = False
        position = int(np.count_nonzero(~beaten[:index]))
        kept = kept[~beaten]
        index = position + 1
    return np.sort(unique[kept])


def _knee(costs: np.ndarray) -> int:
    if len(costs) < 3:
        return 0
    scaled = np.sign(costs) * np.log1p(np.abs(costs) / np.maximum(np.abs(costs).min(axis=0), 1e-300))
    low, high = scaled.min(axis=0), scaled.max(axis=0)
    scaled = (scaled - low) / np.where(high > low, high - low, 1.0)
    return int(np.argmin(np.linalg.norm(scaled, axis=1)))


def uncertain_of(space: Space, subject: object) -> tuple[str, ...]:
    """The uncertain inputs of the space's objectives: prices of parts, and results with a range of their own."""
    parts = [p for n, parts in getattr(subject, "UNCERTAIN", {}).items() if n in space.objectives for p in parts]
    return (*parts, *(n for n in getattr(subject, "INDEPENDENT", {}) if n in space.objectives))


def _stays(
    space: Space,
    subject: object,
    results: Mapping[str, np.ndarray],
    places: np.ndarray,
    order: np.ndarray,
    drawn: Sequence[str],
    samples: int = SAMPLES,
) -> np.ndarray:
    """Share of samples in which each design of the front is on it, against all designs that could be; `drawn` names
    the inputs that are uncertain, the others keep their nominal values."""
    uncertain = {n: parts for n, parts in getattr(subject, "UNCERTAIN", {}).items() if n in space.objectives}
    uncertain = {n: parts for n, parts in uncertain.items() if set(parts) & set(drawn)}
    independent = {n: ends for n, ends in getattr(subject, "INDEPENDENT", {}).items() if n in space.objectives}
    independent = {n: ends for n, ends in independent.items() if n in drawn}
    if not uncertain and not independent:
        return np.ones(len(order))
    rivals = places if independent else _rivals(space, results, places, uncertain)
    draw, counted = np.random.default_rng(SEED), np.zeros(len(order))
    shared = getattr(subject, "GROUP", "")
    groups = np.unique(results[shared][rivals], return_inverse=True)[1] if shared in results else 0 * rivals
    at = {place: index for index, place in enumerate(order.tolist())}
    for _ in range(samples):
        changed = {name: results[name][rivals] for name in space.objectives}
        for name, parts in uncertain.items():
            factors = {
                part: draw.triangular(*subject.spread_of(part)) if part in drawn else 1.0  # type: ignore[attr-defined]
                for part in parts
            }
            if parts == (name,):
                changed[name] = changed[name] * factors[name]
            else:
                changed[name] = np.sum([results[part][rivals] * factors[part] for part in parts], axis=0)
        for name, (low, high) in independent.items():
            # one quantile a group: half of the draws below the nominal, between the 5 % and the 95 % end mostly
            place = draw.standard_normal(int(groups.max()) + 1)[groups] / 1.645
            nominal, down, up = (results[column][rivals] for column in (name, low, high))
            changed[name] = nominal * np.where(place < 0, (down / nominal) ** -place, (up / nominal) ** place)
        for place in rivals[efficient(costs_of(space, changed))].tolist():
            if place in at:
                counted[at[place]] += 1
    return counted / samples


def _rivals(
    space: Space, results: Mapping[str, np.ndarray], places: np.ndarray, uncertain: Mapping[str, Sequence[str]]
) -> np.ndarray:
    """Designs that are on the front for some prices: on that of the parts taken as objectives of their own."""
    columns = [
        results[n][places] * (1 if w == "min" else -1) for n, w in space.objectives.items() if n not in uncertain
    ]
    columns += [results[part][places] for parts in uncertain.values() for part in parts]
    return places[efficient(np.column_stack(columns))]
