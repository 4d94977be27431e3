"""Evaluate a space into a store: what is there is not run again; on this machine or on a Dask cluster.

Files are written by the client as chunks come, so that an interrupted run loses no more than the chunks in flight.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hw.base.error import InputError
from model.sweep import subjects
from model.sweep.executor import Mapped, opened
from model.sweep.space import Space
from model.sweep.store import Store

CHUNK = 1 << 15
"""Points of a file: some megabytes, some tenths of a second."""

Progress = Callable[[int, int, float], None]
"""Called with points done, points to do and seconds since the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run did.

    Parameters
    ----------
    points : int
        Points of the space without forbidden ones, or those that a search asked for: `evaluated` and `found` together.
    evaluated : int
        Points that this run computed.
    found : int
        Points that were in the store before.
    seconds : float
        Wall time of the run.
    """

    points: int
    evaluated: int
    found: int
    seconds: float


def explore(
    space: Space,
    store: Store,
    *,
    workers: int = 0,
    dask: str = "",
    chunk: int = 0,
    progress: Progress = lambda done, total, seconds: None,
) -> Outcome:
    """Evaluate every point of `space` that `store` lacks.

    Parameters
    ----------
    workers : int
        Processes on this machine; 0: one for each processor. 1 stays in this process.
    chunk : int
        Points of a file; 0: what suits the subject.
    dask : str
        "local", "slurm", "lsf" or the address of a scheduler (tcp://...); "" for processes of this machine.

    Raises
    ------
    InputError
        If the space is impossible, its constraints leave nothing, or the cluster does not answer.
    """
    start = time.monotonic()
    subjects.load(space.subject).check(space)
    known, todo, total, found = store.points(space)[0], [], 0, 0
    for index, numbers in space.chunks(chunk or chunk_of(space)):
        total += len(numbers)
        missing = numbers[~np.isin(numbers, known, assume_unique=True)]
        found += len(numbers) - len(missing)
        if len(missing):
            todo.append((index, missing))
    if not total:
        raise nothing_left(space)
    done = found
    progress(done, total, time.monotonic() - start)
    if todo:
        with opened(workers, dask, tasks=len(todo)) as mapped:
            for numbers, _ in evaluated(space, store, todo, mapped):
                done += len(numbers)
                progress(done, total, time.monotonic() - start)
    return Outcome(points=total, evaluated=done - found, found=found, seconds=time.monotonic() - start)


def chunk_of(space: Space) -> int:
    """Points of a file of this subject."""
    return getattr(subjects.load(space.subject), "CHUNK", CHUNK)


def nothing_left(space: Space) -> InputError:
    """The sentence for constraints that forbid every point."""
    return InputError(
        f"the constraints ({'; '.join(space.constraints)}) must leave at least one of "
        f"{space.size:,} points, not none; loosen one"
    )


def evaluated(
    space: Space, store: Store, todo: Sequence[tuple[int, np.ndarray]], mapped: Mapped
) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Evaluate chunks (number of the chunk, its points) and write each as it comes; yields (points, results)."""
    for place, (digests, results) in mapped(evaluate, [(space, numbers) for _, numbers in todo]):
        index, numbers = todo[place]
        store.write(store.path_of(index, digests), digests, space.columns(numbers), results, space.identity)
        yield numbers, results


def evaluate(space: Space, numbers: np.ndarray) -> tuple[list[str], dict[str, np.ndarray]]:
    """Digests and results of the points of these numbers: what a worker does."""
    return space.digests(numbers), subjects.load(space.subject).evaluate(space, space.columns(numbers))


def store_at(folder: Path) -> Store:
    """The store in a folder."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"the store {folder} must be a folder, not a file; choose another")
    return Store(folder)
