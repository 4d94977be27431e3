"""A decoder's matrices in a GDDR6-AiM channel.

A word address is (row, column, bank), the bank in the low bits. Output o of a matrix lies in bank o mod banks; the
words of output j * banks + bank begin at linear column `first` + j * pitch of that bank. So one image serves products
in the channel and on the core.
"""

import numpy as np

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.memory_controller import Gemv, Transfer
from hw.spec.pim import PimSpec
from model.lowering.decoder.channel import LANES, Channel, Chunk, MatrixPlace, Multiplication

ACCUMULATORS = 32
"""Outputs of a bank that one product makes."""


class AimChannel(Channel):
    """All outputs over all banks."""

    def __init__(self, pim: PimSpec, rows: int) -> None:
        super().__init__(pim, rows)
        self._used = 0  # linear columns
        self._by_column = self.cells.reshape(-1, self.banks, LANES)
        self._embedding: MatrixPlace | None = None

    @property
    def used_rows(self) -> int:
        """Rows taken so far."""
        return ceil_div(self._used, self.columns)

    @property
    def split_step(self) -> int:
        """One output of every bank."""
        return self.banks

    def _take(self, what: str, columns: int, align: int) -> int:
        first = ceil_div(self._used, align) * align
        self.check_room(what, ceil_div(first + columns, self.columns))
        self._used = first + columns
        return first

    def _address(self, linear: int, bank: int = 0) -> int:
        return linear * self.banks + bank

    def matrix(self, what: str, outputs: int, inputs: int) -> MatrixPlace:
        """Matrices begin with a row; small ones share rows. Outputs lie a power of two or whole rows apart."""
        words = ceil_div(inputs, LANES)
        pitch = 1 << (words - 1).bit_length() if words <= self.columns else ceil_div(words, self.columns) * self.columns
        columns = ceil_div(outputs, self.banks) * pitch
        first = self._take(what, columns, min(self.columns, 1 << (columns - 1).bit_length()))
        return MatrixPlace(first=first, outputs=outputs, inputs=inputs, pitch=pitch)

    def caches(self, what: str, heads: int, outputs: int, inputs: int) -> list[MatrixPlace]:
        """A matrix for each head."""
        return [self.matrix(what, outputs, inputs) for _ in range(heads)]

    def put(self, place: MatrixPlace, codes: np.ndarray) -> None:
        """Store codes (outputs, inputs), zeros behind each output."""
        groups = ceil_div(place.outputs, self.banks)
        padded = np.zeros((groups * self.banks, place.words * LANES), np.uint16)
        padded[: codes.shape[0], : codes.shape[1]] = codes
        words = padded.reshape(groups, self.banks, place.words, LANES).transpose(0, 2, 1, 3)
        for j, group in enumerate(words):
            at = place.first + j * place.pitch
            self._by_column[at : at + place.words] = group

    def put_words(self, what: str, words: np.ndarray) -> int:
        """Successive addresses run over the banks first."""
        padded = np.zeros((ceil_div(len(words), self.banks) * self.banks, LANES), np.uint16)
        padded[: len(words)] = words
        count = len(padded) // self.banks
        first = self._take(what, count, 1)
        self._by_column[first : first + count] = padded.reshape(-1, self.banks, LANES)
        return self._address(first)

    def fetch(self, address: int, shared: int, words: int) -> list[Transfer]:
        """Bank after bank."""
        return fetch(address, shared, words, self.banks, self.banks, wide=True)

    def put_embedding(self, codes: np.ndarray, place: MatrixPlace | None = None) -> None:
        """A row of the embedding is an output of the output matrix."""
        self._embedding = place or self.matrix("embedding", *codes.shape)
        self.put(self._embedding, codes)

    def embed(self, pointer: int, shared: int) -> Transfer:
        """Along the row of one bank."""
        place = self._embedding
        if place is None:
            raise InputError("an embedding must have been stored before its rows are read")
        return Transfer(
            write=False,
            address=self._address(place.first),
            shared=shared,
            run=1,
            groups=place.words,
            stride=self.banks,
            pointer=pointer,
            scale=place.pitch * self.banks,
        )

    def chunks(self, place: MatrixPlace, outputs: int, inputs: int, most_words: int) -> list[Chunk]:
        """Whole groups of one output of every bank."""
        words, groups = ceil_div(inputs, LANES), ceil_div(outputs, self.banks)
        at_once = most_words // (words * self.banks)
        if not at_once:
            raise InputError(
                f"the core's activation memory must hold twice the {words} words of {self.banks} outputs, "
                f"{2 * words * self.banks} words, not {2 * most_words}"
            )
        found = []
        for first in range(0, groups, at_once):
            count = min(at_once, groups - first)
            transfer = Transfer(
                write=False,
                address=self._address(place.first + first * place.pitch),
                shared=0,
                run=self.banks,
                groups=count,
                stride=place.pitch * self.banks,
                outer=words,
                outer_stride=self.banks,
                wide=True,
            )
            found.append(Chunk(first=first * self.banks, outputs=count * self.banks, transfers=(transfer,)))
        return found

    def multiply(self, place: MatrixPlace, source: int, destination: int, outputs: int, inputs: int) -> Multiplication:
        """Up to 32 outputs of a bank at a time, up to a row of inputs at a time."""
        groups, words = ceil_div(outputs, self.banks), ceil_div(inputs, LANES)
        commands = []
        for first in range(0, groups, ACCUMULATORS):
            count = min(ACCUMULATORS, groups - first)
            row, column = divmod(place.first + first * place.pitch, self.columns)
            for part in range(0, words, self.columns):
                size = min(self.columns, words - part)
                copies = min(self.columns // place.pitch, count) if place.pitch < self.columns else 1
                commands.append(
                    Gemv(
                        columns=size,
                        pitch=min(place.pitch, self.columns),
                        copies=copies,
                        column=column,
                        row=row + part // self.columns,
                        row_step=max(1, place.pitch // self.columns),
                        outputs=count,
                        source=source + part,
                        destination=destination + first,
                        load=first == 0 or words > self.columns,
                        clear=part == 0,
                        read=part + size == words,
                    )
                )
        return Multiplication(commands=commands)

    def append_key(self, place: MatrixPlace, position: int, shared: int) -> Transfer:
        """Along the row of one bank."""
        j, bank = divmod(position, self.banks)
        address = self._address(place.first + j * place.pitch, bank)
        return Transfer(write=True, address=address, shared=shared, run=1, groups=place.words, stride=self.banks)

    def append_values(self, place: MatrixPlace, position: int, shared: int) -> Transfer:
        """A column of every bank for each group of outputs."""
        return Transfer(
            write=True,
            address=self._address(place.first + position // LANES),
            shared=shared,
            run=self.banks,
            groups=ceil_div(place.outputs, self.banks),
            stride=place.pitch * self.banks,
            wide=True,
        )


def fetch(address: int, shared: int, words: int, run: int, stride: int, *, wide: bool) -> list[Transfer]:
    """Successive addresses in groups of `run`, `stride` apart: one transfer, and one for the rest."""
    found = []
    groups, rest = divmod(words, run)
    if groups:
        found.append(
            Transfer(write=False, address=address, shared=shared, run=run, groups=groups, stride=stride, wide=wide)
        )
    if rest:
        last = groups * run
        found.append(Transfer(write=False, address=address + last, shared=shared + last, run=rest, wide=wide))
    return found
