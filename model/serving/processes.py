"""Long pieces of work beside each other, each in a process of its own that goes on from the state of this one."""

import multiprocessing
import os
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

_Found = TypeVar("_Found")


def each(work: Mapping[str, Callable[[], _Found]], *, processes: int) -> dict[str, _Found]:
    """What every piece gives, by name; at most `processes` at a time, in this process if that is 1.

    What a piece raises is raised here. Where processes cannot be forked they run one after the other.
    """
    if processes == 1 or "fork" not in multiprocessing.get_all_start_methods():
        return {name: do() for name, do in work.items()}
    context = multiprocessing.get_context("fork")
    left = list(work.items())
    under_way: dict[Connection, tuple[str, BaseProcess]] = {}
    found: dict[str, _Found] = {}
    try:
        while left or under_way:
            while left and len(under_way) < processes:
                name, do = left.pop(0)
                ours, theirs = context.Pipe(duplex=False)
                process = context.Process(target=_send, args=(do, theirs), daemon=True)
                process.start()
                theirs.close()
                under_way[ours] = name, process
            waited = wait(list(under_way))
            for ready in [pipe for pipe in under_way if pipe in waited]:
                name, process = under_way.pop(ready)
                try:
                    good, value = ready.recv()
                except EOFError:
                    process.join()
                    raise ChildProcessError(f"a part of the run ended early, with code {process.exitcode}") from None
                process.join()
                if not good:
                    raise value
                found[name] = value
    finally:
        for _, process in under_way.values():
            process.terminate()
    return {name: found[name] for name in work}


def _send(do: Callable[[], Any], pipe: Connection) -> None:
    try:
        pipe.send((True, do()))
    except Exception as error:
        pipe.send((False, error))


def orphaned(parent: int) -> bool:
    """Whether this process was left by the one that made it, `parent`."""
    return os.getppid() != parent and os.getpid() != parent
