"""What became of every request: one row each, in columns."""

from array import array

import numpy as np

from model.serving.request import Request


class Log:
    """Rows in the order in which requests ended."""

    COLUMNS = ("number", "arrival", "scheduled", "first", "last", "prompt", "answer", "found", "preempted")
    WHOLE = ("number", "prompt", "answer", "found", "preempted")

    def __init__(self) -> None:
        self._columns = {name: array("q" if name in self.WHOLE else "d") for name in self.COLUMNS}

    def __len__(self) -> int:
        return len(self._columns["number"])

    def __getstate__(self) -> dict[str, array]:
        return self._columns

    def __setstate__(self, state: dict[str, array]) -> None:
        self._columns = state

    def add(self, r: Request) -> None:
        """A request ended."""
        c = self._columns
        c["number"].append(r.number)
        c["arrival"].append(r.arrival)
        c["scheduled"].append(r.scheduled)
        c["first"].append(r.first)
        c["last"].append(r.last)
        c["prompt"].append(r.prompt)
        c["answer"].append(r.answer)
        c["found"].append(r.found)
        c["preempted"].append(r.preempted)

    def table(self) -> dict[str, np.ndarray]:
        """The columns, by request number."""
        order = np.argsort(np.asarray(self._columns["number"]), kind="stable")
        return {name: np.asarray(column)[order] for name, column in self._columns.items()}

    def merge(self, other: "Log") -> None:
        """Add the rows of another."""
        for name, column in self._columns.items():
            column.extend(other._columns[name])
