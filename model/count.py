"""Event counts: how often each thing happened, never what it cost."""

import re
from collections.abc import Iterator, Mapping

from hw.base.error import InputError

_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_seen: set[str] = set()
"""Names found well formed: there are a few dozen, and millions of counts."""


class Counts(Mapping[str, int]):
    """An immutable mapping from "component.event" to a count of at least 0.

    `a + b` adds counts name by name, `a * n` repeats them n times. Two counts are equal if their names and
    numbers are; the order of names is always alphabetical.

    Raises
    ------
    InputError
        If a name is not "component.event" in lower case, or a count not an integer of at least 0.
    """

    __slots__ = ("_counts",)

    def __init__(self, counts: Mapping[str, int] | None = None) -> None:
        checked: dict[str, int] = {}
        for name, count in sorted((counts or {}).items()):
            if name not in _seen:
                if not _NAME.fullmatch(name):
                    raise InputError(f"a counted event must be named component.event in lower case, not {name!r}")
                _seen.add(name)
            if type(count) is not int or count < 0:
                if isinstance(count, bool) or not hasattr(count, "__index__") or int(count) < 0:
                    raise InputError(f"the count of {name} must be an integer of at least 0, not {count!r}")
                count = int(count)
            checked[name] = count
        self._counts = checked

    def __getitem__(self, name: str) -> int:
        return self._counts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)

    def __add__(self, other: Mapping[str, int]) -> "Counts":
        total = dict(self._counts)
        for name, count in other.items():
            total[name] = total.get(name, 0) + count
        return Counts(total)

    def __mul__(self, times: int) -> "Counts":
        return Counts({name: count * times for name, count in self._counts.items()})

    __rmul__ = __mul__

    def __hash__(self) -> int:
        return hash(tuple(self._counts.items()))

    def __repr__(self) -> str:
        return f"Counts({self._counts!r})"

    def by_component(self) -> dict[str, dict[str, int]]:
        """The same as {component: {event: count}}."""
        grouped: dict[str, dict[str, int]] = {}
        for name, count in self._counts.items():
            component, event = name.split(".")
            grouped.setdefault(component, {})[event] = count
        return grouped
