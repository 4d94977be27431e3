"""What the lowering of a decoder asks of a DRAM-PIM channel: room, contents, ways to move and to multiply."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.hbm_pim_controller import HbmGemv
from hw.spec.memory_controller import MemoryCommand, Transfer
from hw.spec.pim import PimSpec

LANES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixPlace:
    """A matrix (outputs, inputs) in a channel.

    Parameters
    ----------
    first : int
        AiM: linear column (row * columns of a row + column) of its first word in every bank. HBM-PIM: first row.
    outputs, inputs : int
        Size in numbers of 16 bits, `inputs` of them to an output; of a cache, what it has room for.
    pitch : int
        AiM: columns from one output of a bank to its next. HBM-PIM: rows of a pass of outputs.
    word : int
        HBM-PIM: word of an input tile at which it begins; matrices of few inputs share tiles.
    """

    first: int
    outputs: int
    inputs: int
    pitch: int
    word: int = 0

    @property
    def words(self) -> int:
        """Words of one output."""
        return ceil_div(self.inputs, LANES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Outputs first, first + 1, ... of a matrix, and what brings their words in the core's order: word i of output o is
    number i * outputs + (o - first).

    Parameters
    ----------
    first : int
        Number of its first output in the matrix.
    outputs : int
        How many; whole groups of one output of every bank (AiM) or of 8 (HBM-PIM), so that the last chunk may go
        beyond the outputs asked for.
    transfers : tuple of Transfer
        Reads from DRAM into one buffer of the shared memory, in order.
    """

    first: int
    outputs: int
    transfers: tuple[Transfer, ...]

    def moved(self, words: int) -> "Chunk":
        """The same, so many words further in the shared memory."""
        transfers = tuple(replace(transfer, shared=transfer.shared + words) for transfer in self.transfers)
        return replace(self, transfers=transfers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiplication:
    """What multiplies in the channel.

    Parameters
    ----------
    commands : sequence of descriptors
        In order; without lane sums they leave the results packed, 16 to a word.
    lane_sums : sequence of (Transfer, int)
        Each brings the 16 lane sums of so many of the outputs, in order, a word for each; none: results are packed.
    """

    commands: Sequence[MemoryCommand | HbmGemv]
    lane_sums: Sequence[tuple[Transfer, int]] = ()


class Channel(ABC):
    """One channel of a device whose rows are filled from 0 on.

    Attributes
    ----------
    cells : uint16 array (rows, columns, banks, 16)
    """

    def __init__(self, pim: PimSpec, rows: int) -> None:
        organisation = pim.dram.organisation
        self.pim, self.rows = pim, rows
        self.columns, self.banks = organisation.columns, organisation.banks
        if organisation.column_bits != 16 * LANES:
            raise InputError(f"a DRAM word must hold {LANES} numbers of 16 bits, not {organisation.column_bits} bits")
        self.cells = np.zeros((rows, self.columns, self.banks, LANES), np.uint16)

    @property
    @abstractmethod
    def used_rows(self) -> int:
        """Rows taken so far."""

    @property
    @abstractmethod
    def split_step(self) -> int:
        """A matrix may be parted behind every so many outputs; a product of fewer takes as long as one of so many."""

    @abstractmethod
    def matrix(self, what: str, outputs: int, inputs: int) -> MatrixPlace:
        """Room for a matrix."""

    @abstractmethod
    def caches(self, what: str, heads: int, outputs: int, inputs: int) -> list[MatrixPlace]:
        """Room for matrices that grow, one a head: keys (positions, head_dim) or values (head_dim, positions)."""

    @abstractmethod
    def put(self, place: MatrixPlace, codes: np.ndarray) -> None:
        """Store codes (outputs, inputs)."""

    @abstractmethod
    def put_words(self, what: str, words: np.ndarray) -> int:
        """Store words (n, 16) at successive addresses; the first address."""

    @abstractmethod
    def fetch(self, address: int, shared: int, words: int) -> list[Transfer]:
        """Words at successive addresses to the shared memory."""

    @abstractmethod
    def put_embedding(self, codes: np.ndarray, place: MatrixPlace | None = None) -> None:
        """Store the embedding (tokens, hidden) for `embed`; `place` is that of the output matrix, if tied and here."""

    @abstractmethod
    def embed(self, pointer: int, shared: int) -> Transfer:
        """The row of the token at word `pointer` of the shared memory."""

    @abstractmethod
    def chunks(self, place: MatrixPlace, outputs: int, inputs: int, most_words: int) -> list[Chunk]:
        """The first `outputs` outputs and `inputs` inputs (whole words) in parts of at most `most_words` words, all to
        word 0 and behind it in the shared memory."""

    @abstractmethod
    def multiply(self, place: MatrixPlace, source: int, destination: int, outputs: int, inputs: int) -> Multiplication:
        """Products of the first `outputs` outputs and `inputs` inputs with the words at `source`."""

    @abstractmethod
    def append_key(self, place: MatrixPlace, position: int, shared: int) -> Transfer:
        """Write the key of a position."""

    @abstractmethod
    def append_values(self, place: MatrixPlace, position: int, shared: int) -> Transfer:
        """Write one word of every output of a head's values: those of the 16 positions around `position`."""

    def bank_rows(self) -> dict[tuple[int, int], np.ndarray]:
        """(bank, row) -> uint16 codes (columns, 16) of every row that was taken."""
        return {(bank, row): self.cells[row, :, bank] for row in range(self.used_rows) for bank in range(self.banks)}

    def check_room(self, what: str, needs: int) -> None:
        """Refuse what ends behind the last row: `needs` rows in all."""
        if needs > self.rows:
            raise InputError(
                f"the model must fit the {self.rows} rows of each bank ({self.rows} x {self.columns} columns x "
                f"{self.banks} banks x {2 * LANES} bytes = {self.cells.nbytes} bytes): with {what} it needs {needs} "
                "rows; take a smaller model, fewer positions or more rows"
            )
