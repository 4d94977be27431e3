"""Where points are evaluated: in this process, in processes of this machine, or on a Dask cluster.

Scheduling, queues and retries are those of the executor: `concurrent.futures` on one machine, `dask.distributed` on a
cluster, `dask_jobqueue` on Slurm and LSF. Few tasks are in flight at a time, so that results do not pile up.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from hw.base.error import InputError

Task, Result = TypeVar("Task"), TypeVar("Result")
Mapped = Callable[[Callable[..., Any], Sequence[tuple]], Iterator[tuple[int, Any]]]
"""`mapped(work, arguments)` yields (place in `arguments`, result) as results come, in any order."""

IN_FLIGHT = 2
"""Tasks a worker has at once: one that runs and one that waits."""

ANSWER_S = 5
"""Seconds a Dask scheduler may take to answer."""


@contextmanager
def opened(workers: int = 0, dask: str = "", tasks: int = 0) -> Iterator[Mapped]:
    """An executor for as long as the block lasts.

    Parameters
    ----------
    workers : int
        Processes of this machine; 0: one for each processor. 1 stays in this process.
    dask : str
        "local", "slurm", "lsf" or the address of a scheduler (tcp://...); "" for processes of this machine.
    tasks : int
        How many tasks there will be, if it is known: no more processes than these are started.

    Raises
    ------
    InputError
        If the cluster does not answer, or a worker was ended from outside.
    """
    if dask:
        client, close = _client(dask)
        try:
            yield lambda work, arguments: _on_dask(client, work, arguments)
        finally:
            close()
        return
    workers = workers or os.cpu_count() or 1
    if workers == 1 or tasks == 1:
        yield _here
        return
    with ProcessPoolExecutor(max_workers=min(workers, tasks or workers)) as pool:
        try:
            yield lambda work, arguments: _in_processes(pool, workers, work, arguments)
        except BrokenProcessPool:
            raise InputError(
                "a worker must live until its chunk is done, and one was ended from outside; call the same again, it "
                "goes on where it was"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def _here(work: Callable[..., Any], arguments: Sequence[tuple]) -> Iterator[tuple[int, Any]]:
    for place, given in enumerate(arguments):
        yield place, work(*given)


def _in_processes(
    pool: ProcessPoolExecutor, workers: int, work: Callable[..., Any], arguments: Sequence[tuple]
) -> Iterator[tuple[int, Any]]:
    waiting, flying = list(enumerate(arguments))[::-1], dict[Future, int]()
    while waiting or flying:
        while waiting and len(flying) < IN_FLIGHT * workers:
            place, given = waiting.pop()
            flying[pool.submit(work, *given)] = place
        for future in wait(flying, return_when=FIRST_COMPLETED).done:
            yield flying.pop(future), future.result()


def _on_dask(client: Any, work: Callable[..., Any], arguments: Sequence[tuple]) -> Iterator[tuple[int, Any]]:
    from concurrent.futures import CancelledError

    from dask.distributed import as_completed
    from distributed.client import FutureCancelledError
    from distributed.scheduler import KilledWorker

    waiting, flying = list(enumerate(arguments))[::-1], dict[Any, int]()
    running = as_completed()

    def fill() -> None:
        workers = max(1, sum(client.nthreads().values()))
        while waiting and len(flying) < IN_FLIGHT * workers:
            place, given = waiting.pop()
            future = client.submit(work, *given, pure=False)
            flying[future] = place
            running.add(future)

    try:
        fill()
        for future in running:
            place = flying.pop(future)
            yield place, future.result()
            future.release()
            fill()
    except (CancelledError, FutureCancelledError, OSError, TimeoutError):
        raise InputError(
            "the Dask scheduler must live until the last chunk is done, and was ended from outside; start it and call "
            "the same again, it goes on where it was"
        ) from None
    except KilledWorker as error:
        raise InputError(
            f"a chunk must not end its workers, and one ended {error.allowed_failures + 1} of them ({error.task}); "
            "give them more memory, or evaluate it with --workers 1 to see why"
        ) from None


def _client(where: str) -> tuple[Any, Callable[[], object]]:
    """(client, what ends it); `InputError` if nothing answers."""
    from dask import config
    from dask.distributed import Client, LocalCluster

    # Only loopback is used on one machine, and no dashboard is opened.
    config.set({"distributed.comm.timeouts.connect": f"{ANSWER_S}s"})
    if where == "local":
        options: dict[str, Any] = {"dashboard_address": None, "host": "127.0.0.1", "threads_per_worker": 1}
        cluster = LocalCluster(n_workers=os.cpu_count() or 1, **options)
    elif where in ("slurm", "lsf"):
        cluster = job_queue(where)
        cluster.scale(jobs=2)
    else:
        try:
            client = Client(where, timeout=ANSWER_S)
        except (OSError, TimeoutError, ValueError):
            raise InputError(
                f"a Dask scheduler must answer at {where}, and none does within {ANSWER_S} s; start one or use "
                "--dask local"
            ) from None
        return client, client.close
    client = Client(cluster)

    def close() -> None:
        client.close()
        cluster.close()

    return client, close


def job_queue(where: str) -> Any:
    """A cluster whose workers are jobs of Slurm ("slurm") or LSF ("lsf"), as dask's own configuration sets them up."""
    from dask_jobqueue.lsf import LSFCluster
    from dask_jobqueue.slurm import SLURMCluster

    try:
        return (SLURMCluster if where == "slurm" else LSFCluster)()
    except (TypeError, ValueError, OSError) as error:
        said = str(error).strip().splitlines()[0].rstrip(":, ") if str(error).strip() else type(error).__name__
        raise InputError(
            f"{where} must be set up in dask's jobqueue configuration (cores and memory of a job at least), and is not "
            f"({said}); write jobqueue.{where} into ~/.config/dask/jobqueue.yaml"
        ) from None
