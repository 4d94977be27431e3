"""Look for the front without evaluating every point: Sobol's sequence, or Optuna's multi-objective search.

What is drawn is a design; all its points (one for each value of `total_over`) are evaluated together. Drawing, crossing
and modelling are those of `scipy.stats.qmc` and Optuna; here are only the step from their numbers to a design, the
store, and the order, which depends on the seed alone: a search that was stopped asks for the same points again, finds
them in the store and goes on.
"""

import math
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from hw.base.error import InputError
from model.sweep import subjects
from model.sweep.designs import costs_of, designs_of, feasible_of
from model.sweep.executor import Mapped, opened
from model.sweep.run import Outcome, Progress, chunk_of, evaluated, nothing_left
from model.sweep.space import Space
from model.sweep.store import Store

METHODS = ("exhaustive", "sobol", "optuna")
"""Ways to choose points: all of them, spread evenly, or where the front is expected."""

POPULATION = 32
"""Designs that Optuna asks for before it is told of them: what a generation holds and workers share."""

IDLE = 40
"""Generations without a new design after which a search has seen what it looks for."""

DRAWS = 1 << 16
"""Draws of the sequence at a time."""


def search(
    space: Space,
    store: Store,
    *,
    method: str,
    points: int,
    seed: int = 1,
    workers: int = 0,
    dask: str = "",
    progress: Progress = lambda done, total, seconds: None,
) -> Outcome:
    """Evaluate at most `points` points of `space`, chosen by `method`, into `store`.

    Parameters
    ----------
    method : str
        "sobol" (`scipy.stats.qmc.Sobol`, scrambled) or "optuna" (NSGA-II with several objectives, TPE with one).
    points : int
        Most points, those found in the store included; whole designs, one at least.
    seed : int
        Of the drawing: equal seeds ask for equal points in equal order.

    Raises
    ------
    InputError
        If the method is unknown, `points` is not positive, or as `explore` does.
    """
    if method not in METHODS[1:]:
        raise InputError(f"search must be one of {', '.join(METHODS)}, not {method!r}; choose another")
    if points < 1:
        raise InputError(f"points of a search must be at least 1, not {points}; give more")
    if seed < 0:
        raise InputError(f"the seed of a search must be at least 0, not {seed}; choose another")
    start = time.monotonic()
    subjects.load(space.subject).check(space)
    asked = _Asked(space, store, points, lambda done: progress(done, points, time.monotonic() - start))
    with opened(workers, dask) as mapped:
        (_sobol if method == "sobol" else _optuna)(space, asked, mapped, seed)
    if not asked.points:
        raise nothing_left(space)
    return Outcome(
        points=asked.points,
        evaluated=asked.evaluated,
        found=asked.points - asked.evaluated,
        seconds=time.monotonic() - start,
    )


class _Asked:
    """What was asked so far: counts points, evaluates what the store lacks, knows when to stop."""

    def __init__(self, space: Space, store: Store, most: int, progress: Callable[[int], None]) -> None:
        self.space, self.store, self.most, self.progress = space, store, most, progress
        self.designs: set[int] = set()
        self.points, self.evaluated, self.chunks, self.full = 0, 0, 0, False
        self.known, self.columns = store.points(space, list(subjects.load(space.subject).RESULTS))

    def take(self, designs: np.ndarray, mapped: Mapped) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Those of the designs that are new, allowed and within the number of points, evaluated.

        Numbers of their points, ascending, and the results of each.
        """
        taken = []
        for design in dict.fromkeys(designs.tolist()):
            if design in self.designs:
                continue
            points = self.space.points_of(np.array([design]))
            if not len(points):
                continue
            if self.points and self.points + len(points) > self.most:
                self.full = True
                break
            self.designs.add(design)
            self.points += len(points)
            taken.append(points)
        if self.points >= self.most:
            self.full = True
        numbers = np.sort(np.concatenate([np.zeros(0, dtype=np.int64), *taken]))
        size, todo = chunk_of(self.space), []
        for first in range(0, len(numbers), size):
            part = numbers[first : first + size]
            missing = part[~np.isin(part, self.known, assume_unique=True)]
            if len(missing):
                todo.append((self.chunks, missing))
            self.chunks += 1
        done = self.points - sum(len(part) for _, part in todo)
        found = {name: np.full(len(numbers), np.nan) for name in self.columns}
        here = np.isin(numbers, self.known, assume_unique=True)
        for name, values in self.columns.items():
            found[name][here] = values[np.searchsorted(self.known, numbers[here])]
        for part, results in evaluated(self.space, self.store, todo, mapped):
            for name, values in results.items():
                found[name][np.searchsorted(numbers, part)] = values
            self.evaluated += len(part)
            done += len(part)
            self.progress(done)
        return numbers, found


def _sobol(space: Space, asked: _Asked, mapped: Mapped, seed: int) -> None:
    """Designs in the order of the sequence, each once, until the points are used up or the space is."""
    asked.take(np.fromiter(_drawn(space, asked.most, seed), dtype=np.int64), mapped)


def _drawn(space: Space, points: int, seed: int) -> Iterator[int]:
    """Numbers of allowed designs by a scrambled sequence over the places of the axes, enough of them for `points`."""
    from scipy.stats import qmc

    sizes = [len(values) for values in space.free.values()]
    if not sizes:
        yield 0
        return
    sequence, seen, left, idle = qmc.Sobol(len(sizes), scramble=True, rng=seed), set[int](), points, 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # balance of powers of two is of integrals, not of searches
        while left > 0 and len(seen) < space.designs and idle < 8:
            places = (sequence.random(min(DRAWS, 4 * points)) * sizes).astype(np.int64)
            new = [
                d
                for d in dict.fromkeys(np.asarray(np.ravel_multi_index(tuple(places.T), sizes)).tolist())
                if d not in seen
            ]
            idle = 0 if new else idle + 1
            for design in new:
                seen.add(design)
                held = len(space.points_of(np.array([design])))
                if held:
                    yield design
                    left -= held
                    if left <= 0:
                        return


def _optuna(space: Space, asked: _Asked, mapped: Mapped, seed: int) -> None:
    """Generations of designs, asked of Optuna and told to it."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = optuna.create_study(
            directions=[optuna.study.StudyDirection.MINIMIZE] * len(space.objectives),
            sampler=_sampler(space, asked.most, seed),
        )
    told: dict[int, tuple[list[float], bool] | None] = {}
    idle = 0
    while not asked.full and idle < IDLE:
        trials = [study.ask() for _ in range(POPULATION)]
        designs = [_design(space, trial) for trial in trials]
        new = np.array([design for design in designs if design not in told], dtype=np.int64)
        numbers, columns = asked.take(new, mapped)
        idle = 0 if len(numbers) else idle + 1
        told.update(_values(space, numbers, columns))
        for trial, design in zip(trials, designs, strict=True):
            values = told.setdefault(design, None)
            if values is None:  # forbidden, impossible, or beyond the points that were asked for
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                if space.limits:
                    trial.set_constraint("limits", 0.0 if values[1] else 1.0)
                study.tell(trial, values[0])


def _sampler(space: Space, points: int, seed: int) -> Any:
    import optuna

    if len(space.objectives) > 1:
        return optuna.samplers.NSGAIISampler(population_size=POPULATION, seed=seed)
    # half of the designs at random first: fewer, and it stays where the first good one was
    drawn = max(10, points * space.designs // space.size // 2)
    return optuna.samplers.TPESampler(seed=seed, constant_liar=True, multivariate=True, n_startup_trials=drawn)


def _design(space: Space, trial: Any) -> int:
    """Number of the design that a trial asks for; numbers as ordered places, texts as categories."""
    places = []
    for name, values in space.free.items():
        if isinstance(values[0], str):
            places.append(values.index(trial.suggest_categorical(name, values)))
        else:
            ordered = sorted(range(len(values)), key=values.__getitem__)
            places.append(ordered[trial.suggest_int(name, 0, len(values) - 1)])
    sizes = [len(values) for values in space.free.values()]
    return int(np.ravel_multi_index(tuple(places), sizes)) if sizes else 0


def _values(
    space: Space, numbers: np.ndarray, columns: Mapping[str, np.ndarray]
) -> Mapping[int, tuple[list[float], bool] | None]:
    """Design -> (its objectives, all to be small; whether it keeps the limits), or None if it cannot be."""
    if not len(numbers):
        return {}
    designs = designs_of(space, numbers, columns)
    costs, kept = costs_of(space, designs.results), feasible_of(space, designs)
    return {
        design: (cost, keeps) if all(map(math.isfinite, cost)) else None
        for design, cost, keeps in zip(designs.numbers.tolist(), costs.tolist(), kept.tolist(), strict=True)
    }
