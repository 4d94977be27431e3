"""A space: named axes over fields of a design, constraints, objectives; points by number, never all in memory."""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from hw.base.digest import digest
from hw.base.error import InputError
from model.sweep.expression import holds, names_in

Value = int | float | str | bool
Direction = Literal["min", "max"]

LARGEST = 10**9
"""Most points of a space: more are days of evaluation and no answer."""


@dataclass(frozen=True, kw_only=True)
class Space:
    """What is varied, over what, for what.

    Parameters
    ----------
    title : str
        One line for people.
    subject : str
        What a point is: the name of a module in `model.sweep.subjects` ("core", "deployment").
    base : mapping
        Settings of the subject that do not vary: the chip, the workloads, prices.
    axes : mapping of str to sequence
        Name of a field -> the values it takes. The last axis varies fastest.
    constraints : tuple of str
        Comparisons over axes ("rows * columns <= 256"); points that break one are not evaluated.
    limits : tuple of str
        Comparisons over axes and results ("ttft_s <= 1"); designs that break one are not on the front.
    objectives : mapping of str to "min" or "max"
        Results that the front trades; also axes of numbers that cost something nobody has a price for (units).
    total_over : tuple of str
        Axes whose points belong to one design: their results are added up ("layer").

    Raises
    ------
    InputError
        If an axis is empty or mixes text with numbers, or a name is unknown to constraints.
    """

    title: str
    subject: str
    base: Mapping[str, Any] = field(default_factory=dict)
    axes: Mapping[str, Sequence[Value]]
    constraints: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    objectives: Mapping[str, Direction]
    total_over: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.axes:
            raise InputError("a space must have at least one axis, not none; add one under axes")
        for name, values in self.axes.items():
            if isinstance(values, (str, bytes)) or not isinstance(values, Sequence) or not values:
                raise InputError(f"axis {name!r} must be a list of at least one value, not {values!r}")
            kinds = {isinstance(value, str) for value in values}
            if len(kinds) > 1 or not all(isinstance(value, (int, float, str, bool)) for value in values):
                raise InputError(f"axis {name!r} must hold numbers only or texts only, not {list(values)!r}")
            if any(isinstance(value, float) and not math.isfinite(value) for value in values):
                raise InputError(f"axis {name!r} must hold finite numbers, not {list(values)!r}")
        for text in self.constraints:
            for name in sorted(names_in(text) - self.axes.keys()):
                raise InputError(f"constraint {text!r} must name axes only, not {name!r}; put results under limits")
        for name in self.total_over:
            if name not in self.axes:
                raise InputError(f"total_over must name axes, not {name!r}; there are {', '.join(self.axes)}")
        if not self.objectives or set(self.objectives.values()) - {"min", "max"}:
            raise InputError(f"objectives must name results with 'min' or 'max', not {dict(self.objectives)!r}")
        if math.prod(len(values) for values in self.distinct.values()) > LARGEST:
            raise InputError(f"a space must have at most {LARGEST:,} points; leave out values or an axis")

    @cached_property
    def distinct(self) -> dict[str, list[Value]]:
        """Axes without repeated values, in their order."""
        return {name: list(dict.fromkeys(values)) for name, values in self.axes.items()}

    @property
    def repeated(self) -> int:
        """Points that the axes name more than once."""
        return math.prod(len(values) for values in self.axes.values()) - self.size

    @property
    def size(self) -> int:
        """Points before constraints, each once."""
        return math.prod(len(values) for values in self.distinct.values())

    @property
    def shape(self) -> tuple[int, ...]:
        """Values of each axis."""
        return tuple(len(values) for values in self.distinct.values())

    @cached_property
    def identity(self) -> str:
        """Digest of everything but the axes' values: what a point's own values are added to."""
        return digest({"subject": self.subject, "base": dict(self.base)})

    def columns(self, numbers: np.ndarray) -> dict[str, np.ndarray]:
        """Axis -> its values at the points of these numbers (0 to size - 1)."""
        places = np.unravel_index(numbers, self.shape)
        return {
            name: np.asarray(values)[place] for (name, values), place in zip(self.distinct.items(), places, strict=True)
        }

    def numbers_of(self, columns: Mapping[str, tuple[Sequence[Value], np.ndarray]]) -> np.ndarray:
        """Numbers of points given as, for every axis, (distinct values, place of each point's value among them).

        -1 for a point with a value that an axis does not take, or that a constraint forbids.
        """
        total, outside = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=bool)
        for name, values in self.distinct.items():
            place = {_plain(value): index for index, value in enumerate(values)}
            given, codes = columns[name]
            translated = np.array([place.get(_plain(value), -1) for value in given], dtype=np.int64)[codes]
            total, outside = total * len(values) + translated, outside | (translated < 0)
        total[outside] = -1
        allowed = np.isin(total, self.kept(total[~outside])) if self.constraints else ~outside
        return np.where(allowed, total, -1)

    def kept(self, numbers: np.ndarray) -> np.ndarray:
        """Those of the points that no constraint forbids."""
        if not self.constraints or not len(numbers):
            return numbers
        columns, allowed = self.columns(numbers), np.ones(len(numbers), dtype=bool)
        for text in self.constraints:
            allowed &= holds(text, columns)
        return numbers[allowed]

    def design_numbers(self, numbers: np.ndarray) -> np.ndarray:
        """Number of the design each point belongs to: its place without the axes of `total_over`."""
        places = np.unravel_index(numbers, self.shape)
        kept = [
            (p, n) for p, n, name in zip(places, self.shape, self.distinct, strict=True) if name not in self.total_over
        ]
        if not kept:
            return np.zeros(len(numbers), dtype=np.int64)
        return np.ravel_multi_index(tuple(p for p, _ in kept), tuple(n for _, n in kept))

    @cached_property
    def free(self) -> dict[str, list[Value]]:
        """Axes whose values tell designs apart: those that are not of `total_over`."""
        return {name: values for name, values in self.distinct.items() if name not in self.total_over}

    @property
    def designs(self) -> int:
        """Designs before constraints."""
        return math.prod(len(values) for values in self.free.values())

    def points_of(self, designs: np.ndarray) -> np.ndarray:
        """Numbers of the allowed points of the designs of these numbers (`design_numbers`), ascending."""
        added = [len(self.distinct[name]) for name in self.distinct if name in self.total_over]
        each = math.prod(added)
        chosen = iter(np.unravel_index(np.repeat(designs, each), [len(v) for v in self.free.values()] or [1]))
        rest = iter(np.unravel_index(np.tile(np.arange(each), len(designs)), added or [1]))
        places = tuple(next(rest) if name in self.total_over else next(chosen) for name in self.distinct)
        return self.kept(np.sort(np.ravel_multi_index(places, self.shape)))

    def digests(self, numbers: np.ndarray) -> list[str]:
        """A digest a point, of the subject, its settings and the point's values; axes by name, not by order."""
        places = np.unravel_index(numbers, self.shape)
        order = sorted(range(len(self.shape)), key=lambda index: list(self.distinct)[index])
        names = list(self.distinct)
        texts = [[f"{names[i]}={_plain(value)!r}\0" for value in self.distinct[names[i]]] for i in order]
        start = hashlib.blake2b(self.identity.encode(), digest_size=16)
        found = []
        for row in zip(*(places[i].tolist() for i in order), strict=True):
            state = start.copy()
            state.update("".join([texts[j][p] for j, p in enumerate(row)]).encode())
            found.append(state.hexdigest())
        return found

    def chunks(self, size: int) -> Iterator[tuple[int, np.ndarray]]:
        """(number of the chunk, numbers of its points without forbidden ones), in order."""
        for index, first in enumerate(range(0, self.size, size)):
            yield index, self.kept(np.arange(first, min(first + size, self.size)))


def _plain(value: Value) -> Value:
    """64 and 64.0 name one point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
