"""What every form of the report is made of: headings, tables, sentences; a number in them knows its figure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self


class Shown(str):
    """The text of a number; `figure` is the name under which `explain` opens it."""

    figure: str

    def __new__(cls, text: str, figure: str) -> Self:
        """The text, tied to its figure."""
        self = super().__new__(cls, text)
        self.figure = figure
        return self


Sentence = tuple[str, ...]
"""Pieces that stand one after the other; the numbers among them are `Shown`."""


def say(template: str, *values: str) -> Sentence:
    """`template` with its {} filled in order, each value kept a piece of its own."""
    texts = template.split("{}")
    if len(texts) != len(values) + 1:
        raise ValueError(f"{template!r} has {len(texts) - 1} places, not {len(values)}")
    pieces = [texts[0]]
    for value, text in zip(values, texts[1:], strict=True):
        pieces += [value, text]
    return tuple(piece for piece in pieces if piece)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading, a table and sentences below it.

    Parameters
    ----------
    title : str
        The heading.
    rows : tuple of tuple of str
        Cells of the table, row by row; the first row holds the column heads. Empty without a table.
    notes : tuple of Sentence
        Each in its pieces, so that the numbers in it stay tied to their figures.
    """

    title: str
    rows: tuple[tuple[str, ...], ...] = ()
    notes: tuple[Sentence, ...] = ()

    @property
    def texts(self) -> Iterator[str]:
        """Every cell below the heads and every piece of a sentence."""
        for row in self.rows[1:]:
            yield from row
        for note in self.notes:
            yield from note
