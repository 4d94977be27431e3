"""What HBM-PIM instructions do, as plain arithmetic: registers and banks before and after one trigger.

Written from the instructions' descriptions, not from their micro-operations; knows neither the command sets nor the
devices that are checked against it. FP16: NumPy's half precision. Words are uint16 codes, one per lane.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

NAN_FP16 = 0x7E00
LANES = 16

Words = np.ndarray
"""uint16 codes, (units, lanes)."""


def half_multiply(x: Words, y: Words) -> Words:
    """FP16 codes of x y, rounded to nearest even; NaN is canonical."""
    with np.errstate(all="ignore"):
        return _half_codes(x.view(np.float16) * y.view(np.float16))


def half_add(x: Words, y: Words) -> Words:
    """FP16 codes of x + y, rounded to nearest even; NaN is canonical."""
    with np.errstate(all="ignore"):
        return _half_codes(x.view(np.float16) + y.view(np.float16))


def _half_codes(values: np.ndarray) -> Words:
    return np.where(np.isnan(values), np.uint16(NAN_FP16), values.view(np.uint16))


@dataclass(slots=True)
class HbmPimState:
    """Registers of all units: GRF_A, GRF_B (units, 8, lanes); SRF (units, 16); latches (units, lanes).

    `rows`: (bank, row) -> uint16 (columns, lanes); unit u lies between banks 2 u and 2 u + 1.

    Parameters
    ----------
    a, b : uint16 array (units, 8, lanes)
        Vector registers GRF_A and GRF_B.
    scalars : uint16 array (units, 16)
        SRF: scalars 0 to 7 for multiplying, 8 to 15 for adding.
    added, multiplied : uint16 array (units, lanes)
        The adder's and the multiplier's last result.
    """

    a: np.ndarray
    b: np.ndarray
    scalars: np.ndarray
    added: np.ndarray
    multiplied: np.ndarray
    rows: dict[tuple[int, int], np.ndarray]


def hbm_pim_order(program: list[int]) -> Iterator[int]:
    """The instruction of each trigger, as a place in the program. Loops do not nest; ends at EXIT.

    An aligned instruction and FILL last for 8 triggers, NOP n for n + 1; JUMP goes back n times.
    """
    place, left = 0, {}
    while place < len(program):
        word = program[place]
        opcode = word >> 28
        if opcode == 15:
            return
        if opcode == 14:
            left.setdefault(place, word >> 11 & 0x1FFFF)
            if left[place]:
                left[place] -= 1
                place += 1 - (word & 0x7FF)
            else:
                place += 1
            continue
        aligned = opcode == 9 or (opcode in (1, 2, 3, 4) and word >> 15 & 1)
        for _ in range((word & 0x7FF) + 1 if opcode == 0 else 8 if aligned else 1):
            yield place
        place += 1


def hbm_pim_step(s: HbmPimState, word: int, write: bool, bank: int, row: int, column: int) -> None:
    """One trigger: a read or write at `row`, `column` of the even (`bank` 0) or odd (1) banks executes `word`."""
    units = len(s.a)
    opcode, aligned = word >> 28, bool(word >> 15 & 1) or word >> 28 == 9
    mac = opcode == 3

    def place(kind: int, low: int) -> int:
        """Index of a vector register: the address's column, but row and column for the operand A of a MAC."""
        if aligned and opcode != 8:
            return (row & 1) << 2 | column >> 3 & 3 if kind == 4 and mac else column & 7
        return word >> low & 7

    def operand(kind: int, low: int) -> Words:
        if kind == 0:
            return s.added.copy()
        if kind == 1:
            return s.multiplied.copy()
        if kind in (2, 3):
            return np.stack([s.rows[2 * u + kind - 2, row][column] for u in range(units)])
        if kind in (4, 5):
            return (s.a if kind == 4 else s.b)[:, place(kind, low)].copy()
        index = (word >> low & 7) + (8 if kind == 7 else 0)
        return np.repeat(s.scalars[:, index : index + 1], LANES, axis=1)

    def put(kind: int, low: int, value: Words) -> None:
        if kind in (2, 3):
            for u in range(units):
                s.rows[2 * u + kind - 2, row][column] = value[u]
        elif kind in (4, 5):
            (s.a if kind == 4 else s.b)[:, place(kind, low)] = value
        elif kind in (6, 7):
            s.scalars[:] = value  # a whole word: all 16 scalars
        else:
            raise ValueError(f"no instruction writes operand kind {kind}")

    to, first, second, third = (word >> low & 7 for low in (25, 22, 19, 16))
    if opcode == 0:  # NOP; on a write the bank takes a vector register
        if write:
            put(2 + bank % 2, 0, (s.b if bank % 2 else s.a)[:, column & 7].copy())
    elif opcode == 1:
        s.added = half_add(operand(first, 4), operand(second, 0))
        put(to, 8, s.added)
    elif opcode == 2:
        s.multiplied = half_multiply(operand(first, 4), operand(second, 0))
        put(to, 8, s.multiplied)
    elif opcode in (3, 4):
        addend = operand(to, 8) if mac else operand(third, 0)
        s.multiplied = half_multiply(operand(first, 4), operand(second, 0))
        s.added = half_add(s.multiplied, addend)
        put(to, 8, s.added)
    elif opcode in (8, 9):
        value = operand(first, 4)
        put(to, 8, np.where(value >> 15 == 1, np.uint16(0), value) if word >> 12 & 1 else value)
    else:
        raise ValueError(f"opcode {opcode} is of no instruction that takes a trigger")
