"""A command stream as segments: short patterns of column requests that repeat at other rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from hw.base.error import InputError


class Request(NamedTuple):
    """One column access the memory controller has to bring about.

    `fence`: nothing after it may be done before it is. `kind` says what it is for ("mac", "register_load", ...).
    `data`: bit 0 of the word written, where a mode change depends on it.
    """

    bank: int
    row: int
    column: int
    write: bool
    fence: bool
    kind: str
    data: int = 0


def moved(request: Request, rows: int, columns: int = 0) -> Request:
    """`request` that many rows and columns further."""
    bank, row, column, write, fence, kind, data = request
    return Request(bank, row + rows, column + columns, write, fence, kind, data)


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """Requests that segments share. The same only if it is one object: so it is found in a table without a look at
    its requests, and the table that holds it keeps it.

    Parameters
    ----------
    requests : tuple of Request
        In order; rows as they are seen from a segment's base.
    """

    requests: tuple[Request, ...]

    def __len__(self) -> int:
        return len(self.requests)


class Segment(NamedTuple):
    """`pattern` with `base` added to every row that is not reserved (rows of `reserved_bit` keep their number)."""

    pattern: Pattern
    base: int


RESERVED_BIT = 12
"""Rows with this bit set are absolute: mode, register and parking rows."""


def is_reserved(row: int) -> bool:
    """True for rows that have a fixed meaning."""
    return bool(row >> RESERVED_BIT & 1)


def fenced(requests: list[Request]) -> Pattern:
    """`requests` with a fence on the last."""
    return Pattern((*requests[:-1], requests[-1]._replace(fence=True)))


def flatten(segments: list[Segment]) -> Iterator[Request]:
    """Every request of the stream, rows resolved."""
    for segment in segments:
        base = segment.base
        for request in segment.pattern.requests:
            yield request if is_reserved(request.row) or not base else moved(request, base)


def need_positive(**sizes: int) -> None:
    """Raise `InputError` naming the first size that is not an integer of at least 1."""
    for name, value in sizes.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"{name} must be an integer of at least 1, not {value!r}")
