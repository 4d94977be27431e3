"""Numbers in place of long values, so that equal ones are found by a look-up of two integers."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Seen = TypeVar("Seen", bound=Hashable)
"""A state, or a queue, in which rows are counted from some row."""


class Numbers(Generic[Seen]):
    """Values that are seen from some row, numbered in the order they are met. `shifted`: the same value as seen from a
    row that many rows below."""

    def __init__(self, shifted: Callable[[Seen, int], Seen]) -> None:
        self.values: list[Seen] = []
        self._numbers: dict[Seen, int] = {}
        self._shifted = shifted
        self._elsewhere: dict[tuple[int, int], int] = {}

    def of(self, value: Seen) -> int:
        """The number of `value`."""
        number = self._numbers.setdefault(value, len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number

    def elsewhere(self, number: int, rows: int) -> int:
        """The number of the same as seen from `rows` rows below."""
        if not rows:
            return number
        there = self._elsewhere.get((number, rows))
        if there is None:
            there = self._elsewhere[number, rows] = self.of(self._shifted(self.values[number], rows))
        return there
