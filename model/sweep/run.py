"""Evaluate a space into a store: what is there is not run again; on this machine or on a Dask cluster.

Scheduling, queues and retries are those of the executor: `concurrent.futures` on one machine, `dask.distributed` on a
cluster, `dask_jobqueue` on Slurm and LSF. Files are written by the client as chunks come, so that an interrupted run
loses no more than the chunks in flight.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hw.base.error import InputError
from model.sweep import subjects
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
        Points of the space without forbidden ones: `evaluated` and `found` together.
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
    subject, start = subjects.load(space.subject), time.monotonic()
    chunk = chunk or getattr(subject, "CHUNK", CHUNK)
    subject.check(space)
    known, todo, total, found = store.known(), [], 0, 0
    for index, numbers in space.chunks(chunk):
        digests = space.digests(numbers)
        total += len(numbers)
        missing = (
            np.array([digest not in known for digest in digests], dtype=bool) if known else np.ones(len(numbers), bool)
        )
        found += int(len(numbers) - missing.sum())
        if missing.any():
            todo.append((index, numbers[missing]))
    if not total:
        raise InputError(
            f"the constraints ({'; '.join(space.constraints)}) must leave at least one of "
            f"{space.size:,} points, not none; loosen one"
        )
    done = 0
    progress(found, total, time.monotonic() - start)
    for index, numbers, results in _evaluated(space, todo, workers, dask):
        digests = space.digests(numbers)
        store.write(store.path_of(index, digests), digests, space.columns(numbers), results)
        done += len(numbers)
        progress(found + done, total, time.monotonic() - start)
    return Outcome(points=total, evaluated=done, found=found, seconds=time.monotonic() - start)


def evaluate(space: Space, numbers: np.ndarray) -> dict[str, np.ndarray]:
    """Results of the points of these numbers: what a worker does."""
    return subjects.load(space.subject).evaluate(space, space.columns(numbers))


_Chunk = tuple[int, np.ndarray]
_Result = tuple[int, np.ndarray, dict[str, np.ndarray]]


def _evaluated(space: Space, todo: Sequence[_Chunk], workers: int, dask: str) -> Iterator[_Result]:
    if dask:
        yield from _on_dask(space, todo, dask)
        return
    workers = workers or os.cpu_count() or 1
    if workers == 1 or len(todo) < 2:
        for index, numbers in todo:
            yield index, numbers, evaluate(space, numbers)
        return
    with ProcessPoolExecutor(max_workers=min(workers, len(todo))) as pool:
        waiting, open_chunks = list(reversed(todo)), {}
        try:
            while waiting or open_chunks:
                # few in flight: results are written as they come and do not pile up
                while waiting and len(open_chunks) < 2 * workers:
                    chunk = waiting.pop()
                    open_chunks[pool.submit(evaluate, space, chunk[1])] = chunk
                for future in wait(open_chunks, return_when=FIRST_COMPLETED).done:
                    index, numbers = open_chunks.pop(future)
                    yield index, numbers, future.result()
        except BrokenProcessPool:
            raise InputError(
                "a worker must live until its chunk is done, and one was ended from outside; call the same again, it "
                "goes on where it was"
            ) from None
        finally:
            for future in open_chunks:
                future.cancel()


def _on_dask(space: Space, todo: Sequence[_Chunk], where: str) -> Iterator[_Result]:
    from dask.distributed import as_completed

    client, close = _client(where)
    try:
        futures = {client.submit(evaluate, space, numbers, pure=False): (index, numbers) for index, numbers in todo}
        for future in as_completed(list(futures)):
            index, numbers = futures.pop(future)
            yield index, numbers, future.result()
            future.release()
    finally:
        close()


def _client(where: str):
    """(client, what ends it); `InputError` if nothing answers."""
    from dask import config
    from dask.distributed import Client, LocalCluster

    # Only loopback is used on one machine, and no dashboard is opened.
    config.set({"distributed.comm.timeouts.connect": "5s"})
    if where == "local":
        options: dict[str, Any] = {"dashboard_address": None, "host": "127.0.0.1", "threads_per_worker": 1}
        cluster = LocalCluster(n_workers=os.cpu_count() or 1, **options)
    elif where in ("slurm", "lsf"):
        from dask_jobqueue.lsf import LSFCluster
        from dask_jobqueue.slurm import SLURMCluster

        try:
            cluster = (SLURMCluster if where == "slurm" else LSFCluster)()
            cluster.scale(jobs=2)
        except (TypeError, ValueError, OSError) as error:
            raise InputError(
                f"{where} must be set up in dask's jobqueue configuration, and is not ({error}); see dask-jobqueue"
            ) from None
    else:
        try:
            client = Client(where, timeout=5)
        except (OSError, TimeoutError, ValueError):
            raise InputError(
                f"a Dask scheduler must answer at {where}, and none does within 5 s; start one or use --dask local"
            ) from None
        return client, client.close
    client = Client(cluster)

    def close() -> None:
        client.close()
        cluster.close()

    return client, close


def store_at(folder: Path) -> Store:
    """The store in a folder."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"the store {folder} must be a folder, not a file; choose another")
    return Store(folder)
