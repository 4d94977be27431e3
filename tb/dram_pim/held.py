"""Rows as the RTL's cells hold them: what nobody has written is whatever power-on or an earlier run left there."""

from typing import Any

import numpy as np
from cocotb.types import LogicArray

from hw.spec.pim import PimSpec
from tb.dram_pim.random import to_integer


class Held(dict[tuple[int, int], np.ndarray]):
    """(bank, row) -> uint16 array (columns, lanes) for a model's `rows`.

    A row is read from the cells when it is first asked for, so the RTL must not have begun what the model is about to
    do. A word of unknown bits, as in a simulator of four values, is drawn and written into the cells: a DRAM holds
    something, and whatever it is must do.

    Parameters
    ----------
    spec : PimSpec
    banks : list of memories
        The cell array of each bank, by row x columns + column.
    rng : numpy Generator
        Draws unknown words.
    """

    def __init__(self, spec: PimSpec, banks: list[Any], rng: np.random.Generator) -> None:
        super().__init__()
        self._spec, self._banks, self._rng = spec, banks, rng

    def __missing__(self, key: tuple[int, int]) -> np.ndarray:
        bank, row = key
        cells, columns, lanes = self._banks[bank], self._spec.dram.organisation.columns, self._spec.lanes
        words = np.empty((columns, lanes), np.uint16)
        for column in range(columns):
            cell = cells[row * columns + column]
            value = cell.value
            if value.is_resolvable:
                words[column] = np.frombuffer(value.to_unsigned().to_bytes(2 * lanes, "little"), "<u2")
            else:
                words[column] = self._rng.integers(0, 1 << 16, lanes)
                cell.value = LogicArray.from_unsigned(to_integer(words[column]), 16 * lanes)
        self[key] = words
        return words
