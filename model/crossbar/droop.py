"""What the resistance of word and bit lines takes from a column's current, from a table that a circuit solve made.

The table holds, for n rows and a wire piece of r times a cell's resistance at the highest level, the loss of a column
whose cells all conduct. `solve` makes it: nodes of both wires of every cell, Kirchhoff's law, sparse solution. A
column's loss grows with its current, so the model is I = I0 (1 - k I0), k = loss / n: exact for the full column, and
within the table's range the loss is proportional to r n^2.
"""

from functools import lru_cache

import numpy as np

from hw.base.error import InputError

LARGEST_ROWS = 512
"""Rows up to which the network has been solved."""

LARGEST_LOSS = 0.5
"""Beyond that the loss is no longer a correction and the linear model does not hold."""


def solve(rows: int, ratio: float) -> float:
    """Loss of a bit line of `rows` cells at the highest level, pieces of wire of `ratio` cells each: 1 - I / rows.

    Word lines are taken as driven from their near end to this one column; the bit line is read at its foot. A ladder:
    node i lies at the cell of row i, with V_i the wire's voltage: sum of currents zero at each.
    """
    if ratio == 0:
        return 0.0
    wire = 1.0 / ratio
    diagonal = np.full(rows, 2 * wire + 1.0)
    diagonal[0] = wire + 1.0
    # Thomas's algorithm from the far end; the foot (row `rows`) is at 0 V
    right = np.ones(rows)
    for i in range(1, rows):
        factor = wire / diagonal[i - 1]
        diagonal[i] -= factor * wire
        right[i] += factor * right[i - 1]
    voltage = np.zeros(rows)
    voltage[-1] = right[-1] / diagonal[-1]
    for i in range(rows - 2, -1, -1):
        voltage[i] = (right[i] + wire * voltage[i + 1]) / diagonal[i]
    return float(1 - (1 - voltage).sum() / rows)


@lru_cache(maxsize=64)
def droop_of(rows: int, ratio: float) -> float:
    """Share of G_max a column's current falls by per unit of its own current; 0 without resistance.

    Raises
    ------
    InputError
        If `ratio` is no share, `rows` lies beyond the solved table, or the loss is no longer small.
    """
    if not 0 <= ratio < 1:
        raise InputError(f"wire resistance must be from 0 to 1 cell resistances, not {ratio!r}; give it as a share")
    if ratio == 0:
        return 0.0
    if rows > LARGEST_ROWS:
        raise InputError(f"wire droop is solved up to {LARGEST_ROWS} rows, not {rows}; use fewer rows or no resistance")
    loss = solve(rows, ratio)
    if loss > LARGEST_LOSS:
        raise InputError(
            f"wires of {ratio:g} cell resistances take {loss:.0%} of the current of {rows} rows, more than "
            f"{LARGEST_LOSS:.0%}; use fewer rows"
        )
    return loss / rows
