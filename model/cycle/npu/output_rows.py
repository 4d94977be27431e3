"""Finished rows on their way out, as runs of neighbours that follow one another every cycle."""

from collections import deque
from dataclasses import dataclass


@dataclass(slots=True)
class Run:
    """`count` rows: the first is due in cycle `due` with address `output`, each next one later and further by one.

    The first starts a block if `starts`; the last ends its command if `ends`.

    Parameters
    ----------
    parameter : int
        Word of the parameter memory that all its rows use.
    """

    due: int
    output: int
    parameter: int
    count: int
    starts: bool
    ends: bool


class Rows:
    """A queue of rows."""

    def __init__(self) -> None:
        self.runs: deque[Run] = deque()

    def push(self, due: int, output: int, parameter: int, *, starts: bool, ends: bool) -> None:
        """One more row."""
        last = self.runs[-1] if self.runs else None
        if (
            last is not None
            and not starts
            and not last.ends
            and (due == last.due + last.count and output == last.output + last.count and parameter == last.parameter)
        ):
            last.count += 1
            last.ends = ends
        else:
            self.runs.append(Run(due, output, parameter, 1, starts, ends))

    def pop(self) -> tuple[int, bool, bool]:
        """Take the first row: its output address, whether it starts a block and ends a command."""
        run = self.runs[0]
        row = run.output, run.starts, run.ends and run.count == 1
        run.due += 1
        run.output += 1
        run.starts = False
        run.count -= 1
        if not run.count:
            self.runs.popleft()
        return row

    def flow(self, cycles: int, *, pushed: bool, popped: bool) -> None:
        """`cycles` rows more are pushed onto the last run, popped off the first."""
        if pushed:
            self.runs[-1].count += cycles
        if popped:
            run = self.runs[0]
            run.due += cycles
            run.output += cycles
            run.starts = False
            run.count -= cycles

    def steady(self, *, pushed: bool, popped: bool) -> int:
        """How many more rows may be pushed and popped with neither run ending."""
        if not popped or (pushed and len(self.runs) == 1):
            return 1 << 62
        return self.runs[0].count - 1 if self.runs else 0
