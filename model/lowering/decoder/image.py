"""Where matrices lie in a DRAM channel, and the channel's contents.

A DRAM word is 16 codes; its address is (row, column, bank) with the bank in the low bits. Output o of a matrix lies in
bank o mod banks; the words of output j * banks + bank begin at linear column `first` + j * pitch of that bank.
"""

from dataclasses import dataclass

import numpy as np

from hw.base.error import InputError
from hw.spec.dram import Organisation

LANES = 16


def blocks(size: int, of: int) -> int:
    """Blocks of `of` that hold `size`."""
    return -(-size // of)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixPlace:
    """A matrix (outputs, inputs) in a channel.

    Parameters
    ----------
    first : int
        Linear column (row * columns of a row + column) of its first word in every bank.
    outputs, inputs : int
    pitch : int
        Columns from one output of a bank to its next.
    """

    first: int
    outputs: int
    inputs: int
    pitch: int

    @property
    def columns(self) -> int:
        """Words of one output."""
        return blocks(self.inputs, LANES)

    def groups(self, banks: int) -> int:
        """Outputs of one bank."""
        return blocks(self.outputs, banks)


class Image:
    """A channel that is filled from row 0 on.

    Attributes
    ----------
    cells : uint16 array (rows * columns, banks, 16)
        By linear column.
    """

    def __init__(self, organisation: Organisation, rows: int) -> None:
        self.organisation, self.rows = organisation, rows
        self.columns, self.banks = organisation.columns, organisation.banks
        if organisation.column_bits != 16 * LANES:
            raise InputError(f"a DRAM word must hold {LANES} numbers of 16 bits, not {organisation.column_bits} bits")
        self.cells = np.zeros((rows * self.columns, self.banks, LANES), np.uint16)
        self._used = 0
        self._what: list[str] = []

    @property
    def used_rows(self) -> int:
        """Rows taken so far."""
        return blocks(self._used, self.columns)

    def address(self, linear: int, bank: int = 0) -> int:
        """Word address of a linear column and a bank."""
        return linear * self.banks + bank

    def take(self, what: str, columns: int, align: int) -> int:
        """The first of `columns` linear columns at a multiple of `align`."""
        first = blocks(self._used, align) * align
        self._what.append(f"{what} {blocks(columns, self.columns)}")
        if first + columns > self.rows * self.columns:
            raise InputError(
                f"the model must fit the {self.rows} rows of each bank ({self.rows} x {self.columns} columns x "
                f"{self.banks} banks x {2 * LANES} bytes = {self.cells.nbytes} bytes): {what} needs "
                f"{blocks(columns, self.columns)} rows behind the {blocks(self._used, self.columns)} in use; take a "
                "smaller model, fewer positions or more rows"
            )
        self._used = first + columns
        return first

    def pitch_of(self, inputs: int) -> int:
        """Columns between outputs: a power of two within a row, whole rows beyond."""
        k = blocks(inputs, LANES)
        return 1 << (k - 1).bit_length() if k <= self.columns else blocks(k, self.columns) * self.columns

    def place(self, what: str, outputs: int, inputs: int) -> MatrixPlace:
        """Room for a matrix; matrices begin with a row, small ones share rows."""
        pitch = self.pitch_of(inputs)
        columns = blocks(outputs, self.banks) * pitch
        align = min(self.columns, 1 << (columns - 1).bit_length())
        first = self.take(what, columns, align)
        return MatrixPlace(first=first, outputs=outputs, inputs=inputs, pitch=pitch)

    def put_matrix(self, place: MatrixPlace, codes: np.ndarray) -> None:
        """Store codes (outputs, inputs), zeros behind each output."""
        padded = np.zeros((place.groups(self.banks) * self.banks, place.columns * LANES), np.uint16)
        padded[: codes.shape[0], : codes.shape[1]] = codes
        words = padded.reshape(-1, self.banks, place.columns, LANES).transpose(0, 2, 1, 3)
        for j, group in enumerate(words):
            at = place.first + j * place.pitch
            self.cells[at : at + place.columns] = group

    def put_words(self, what: str, words: np.ndarray) -> int:
        """Store words (n, 16) at successive addresses; the first address."""
        padded = np.zeros((blocks(len(words), self.banks) * self.banks, LANES), np.uint16)
        padded[: len(words)] = words
        first = self.take(what, len(padded) // self.banks, 1)
        self.cells[first : first + len(padded) // self.banks] = padded.reshape(-1, self.banks, LANES)
        return self.address(first)

    def bank_rows(self) -> dict[tuple[int, int], np.ndarray]:
        """(bank, row) -> uint16 codes (columns, 16) of every row that was taken."""
        by_row = self.cells.reshape(self.rows, self.columns, self.banks, LANES)
        return {(bank, row): by_row[row, :, bank] for row in range(self.used_rows) for bank in range(self.banks)}
