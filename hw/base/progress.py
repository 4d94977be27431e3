"""Elapsed and expected time of what takes longer than a moment: every second in a terminal, sparsely in a log.

Standard library alone: the environment is made with it too. Goes to stderr, so that tables and JSON stay what they are.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

FIRST_S = 3.0
"""Nothing is said of what ends sooner."""
SPARSE_S = (10.0, 30.0, 60.0)
"""When a log says it is still going on; after the last of these every two minutes."""
EVERY_S = 120.0


@dataclass
class Progress:
    """What goes on.

    Parameters
    ----------
    what : str
        A few words.
    expected : float or None
        Seconds it took the last time.
    total : int
        Steps there are, 0 if they are not counted.
    done : int
        Steps that have ended.
    """

    what: str
    expected: float | None = None
    total: int = 0
    done: int = 0

    def step(self) -> None:
        """One more step has ended."""
        self.done += 1

    def line(self, elapsed: float) -> str:
        """One line: what, how far, how long, how long it will be."""
        words = [self.what]
        expected = self.expected
        if self.total:
            words.append(f"{self.done} of {self.total}")
            if self.done and expected is None:
                expected = elapsed * self.total / self.done
        words.append(f"{elapsed:.0f} s" + (f" of about {max(expected, elapsed):.0f} s" if expected is not None else ""))
        return ", ".join(words)


@contextmanager
def progress(
    what: str,
    *,
    expected: float | None = None,
    total: int = 0,
    out: TextIO | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Progress]:
    """Says how long `what` has been going on until the block ends; the counter to `step`."""
    stream = sys.stderr if out is None else out
    state, ended, start = Progress(what=what, expected=expected, total=total), threading.Event(), clock()
    shown = False

    def tick() -> None:
        nonlocal shown
        terminal = stream.isatty()
        marks = iter(SPARSE_S)
        due = FIRST_S if terminal else next(marks)
        while not ended.wait(max(0.0, due - (clock() - start))):
            elapsed = clock() - start
            if elapsed < due:
                continue
            try:
                stream.write(f"\r\x1b[K{state.line(elapsed)}" if terminal else f"{state.line(elapsed)}\n")
                stream.flush()
            except (OSError, ValueError):  # whoever read it is gone
                return
            shown = True
            due = elapsed + 1.0 if terminal else next(marks, elapsed + EVERY_S)

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        ended.set()
        thread.join()
        if shown and stream.isatty():
            stream.write("\r\x1b[K")
            stream.flush()
