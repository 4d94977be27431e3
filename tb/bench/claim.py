"""Folders that belong to a running process, and what runs one at a time.

A folder that is being filled is claimed by a lock on a file inside. The lock goes with its process, however it ends, so
a folder without one was left behind and is removed.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

CLAIM = ".claim"
_YOUNG_S = 60.0
"""A folder without any claim may be one that is just being made, for so long."""


def claim(folder: Path) -> TextIO:
    """Claim a new `folder` until the file that is returned is closed or the process ends."""
    made = folder / f"{CLAIM}.{os.getpid()}"
    file = open(made, "w")  # noqa: SIM115 (closed by the caller)
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    made.rename(folder / CLAIM)  # with its lock: no moment in which `clean` finds a claim that nobody holds
    return file


def clean(parent: Path, prefix: str) -> list[Path]:
    """Remove the folders below `parent` whose names begin with `prefix` and that no process claims; which they were."""
    removed = []
    for folder in parent.glob(f"{prefix}*"):
        try:
            with open(folder / CLAIM) as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except FileNotFoundError:
            if not folder.exists() or time.time() - folder.stat().st_mtime < _YOUNG_S:
                continue
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # claimed, or not ours to touch
            continue
        removed.append(folder)
    return removed


@contextmanager
def alone(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """One process at a time with the lock file `path`; `waiting` is called once if another has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        file.write(f"{os.getpid()}\n")
        yield
