"""Compares matrices in order and says where they first differ."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """The first difference of two matrices, in row order.

    Parameters
    ----------
    name : str
        What the matrices are called in the message.
    row, column : int
        Place of the first element that differs, both counted from 0.
    expected, got : int
        The element there in the expected matrix, and in the one that was found.
    wrong : int
        Elements that differ.
    total : int
        Elements of the matrix.
    time_ns : int or None
        When the row was written, in nanoseconds of the waveform; None if the times of the rows are not known.
    """

    name: str
    row: int
    column: int
    expected: int
    got: int
    wrong: int
    total: int
    time_ns: int | None

    def __str__(self) -> str:
        where = "" if self.time_ns is None else f", {self.time_ns} ns in the waveform"
        return (
            f"{self.name}: row {self.row}, column {self.column}: expected {self.expected}, got {self.got}{where} "
            f"({self.wrong} of {self.total} elements differ)"
        )


def first_mismatch(
    name: str, expected: np.ndarray, got: np.ndarray, row_times: Sequence[int] | None = None
) -> Mismatch | None:
    """None if the two matrices are equal; `row_times[i]` is when row i was written, in nanoseconds.

    Raises AssertionError if the shapes differ.
    """
    if expected.shape != got.shape:
        raise AssertionError(f"{name}: expected a result of shape {expected.shape}, got {got.shape}")
    wrong = expected != got
    if not wrong.any():
        return None
    row, column = (int(i) for i in np.argwhere(wrong)[0])
    time = None if row_times is None else int(row_times[row])
    return Mismatch(
        name=name,
        row=row,
        column=column,
        expected=int(expected[row, column]),
        got=int(got[row, column]),
        wrong=int(wrong.sum()),
        total=int(wrong.size),
        time_ns=time,
    )
