"""A decoder's matrices in a pseudo-channel of HBM-PIM.

A word address is (parity, row, column, place of the bank): successive words lie in the even banks in turn, each of
another bank group than the one before; those of the odd banks come last. Matrices lie in the even banks, one of each
unit, because the register row lies in an odd one; what no unit multiplies lies in the odd banks. Output o = 64 p + 8 c
+ v (pass p, register c, bank v in the order of addresses) has the words of input tile t in rows first + 2 (p T + t) and
the next, T = tiles of 8 words; word r of a tile in column 8 (r mod 4) + c of row r div 4 of the two. So the outputs of
a pass, and the words of its tile, are 512 words in a row.
"""

import numpy as np

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.hbm_pim_controller import HbmGemv, banks_in_order
from hw.spec.memory_controller import Transfer
from hw.spec.pim import PimSpec
from model.lowering.decoder.aim import fetch
from model.lowering.decoder.channel import LANES, Channel, Chunk, MatrixPlace, Multiplication

TILE = 8
"""Words of an input tile, and outputs of a unit and pass: the registers of a file."""
TILE_ROWS = 2
SUMMED = 64
"""Outputs whose lane sums are read at once."""


class HbmPimChannel(Channel):
    """Outputs over the even banks."""

    def __init__(self, pim: PimSpec, rows: int) -> None:
        super().__init__(pim, rows)
        self.units = pim.units
        self.per_pass = TILE * self.units
        self._used = 0
        self._order = list(banks_in_order(pim))
        self._row_words = self.columns * len(self._order)
        # (row, column, bank, lane), first of the even banks, then of the odd ones, is the order of addresses
        self._by_address = np.zeros((2 * rows * self._row_words, LANES), np.uint16)
        self._used_odd = 0  # words
        self._results = self._take("results", 4)
        self._embedding: tuple[int, int] | None = None

    @property
    def used_rows(self) -> int:
        """Rows taken so far."""
        return max(self._used, ceil_div(self._used_odd, self._row_words))

    @property
    def split_step(self) -> int:
        """The outputs of a pass."""
        return self.per_pass

    def _take(self, what: str, rows: int) -> int:
        """Rows from an even one on."""
        first = ceil_div(self._used, TILE_ROWS) * TILE_ROWS
        self.check_room(what, first + rows)
        self._used = first + rows
        return first

    def _address(self, row: int, word: int = 0, output: int = 0) -> int:
        """Of a word of a tile, of an output of its pass."""
        return row * self._row_words + word * self.per_pass + output

    def matrix(self, what: str, outputs: int, inputs: int) -> MatrixPlace:
        """Rows of its own."""
        pitch = TILE_ROWS * ceil_div(ceil_div(inputs, LANES), TILE)
        first = self._take(what, pitch * ceil_div(outputs, self.per_pass))
        return MatrixPlace(first=first, outputs=outputs, inputs=inputs, pitch=pitch)

    def caches(self, what: str, heads: int, outputs: int, inputs: int) -> list[MatrixPlace]:
        """Heads of few inputs share tiles."""
        words = ceil_div(inputs, LANES)
        together = max(1, TILE // words)
        found: list[MatrixPlace] = []
        for head in range(heads):
            if head % together == 0:
                found.append(self.matrix(what, outputs, inputs))
            else:
                shared = found[-1]
                found.append(
                    MatrixPlace(
                        first=shared.first,
                        outputs=outputs,
                        inputs=inputs,
                        pitch=shared.pitch,
                        word=head % together * words,
                    )
                )
        return found

    def put(self, place: MatrixPlace, codes: np.ndarray) -> None:
        """Store codes (outputs, inputs), zeros behind each output."""
        padded = np.zeros((codes.shape[0], place.words * LANES), np.uint16)
        padded[:, : codes.shape[1]] = codes
        words = padded.reshape(codes.shape[0], place.words, LANES)
        for output, row in enumerate(words):
            at, within = divmod(output, self.per_pass)
            for word, numbers in enumerate(row):
                tile, r = divmod(place.word + word, TILE)
                self._by_address[self._address(place.first + at * place.pitch + tile * TILE_ROWS, r, within)] = numbers
        self._to_cells()

    def _to_cells(self) -> None:
        """Addresses to rows, columns, banks."""
        halves = self._by_address.reshape(2, self.rows, self.columns, len(self._order), LANES)
        for odd, half in enumerate(halves):
            self.cells[:, :, [bank + odd for bank in self._order]] = half

    def put_words(self, what: str, words: np.ndarray) -> int:
        """In the odd banks."""
        self.check_room(what, ceil_div(self._used_odd + len(words), self._row_words))
        first = self.rows * self._row_words + self._used_odd
        self._used_odd += ceil_div(len(words), self.units) * self.units
        self._by_address[first : first + len(words)] = words
        self._to_cells()
        return first

    def fetch(self, address: int, shared: int, words: int) -> list[Transfer]:
        """Word after word."""
        return fetch(address, shared, words, TILE, TILE, wide=True)

    def put_embedding(self, codes: np.ndarray, place: MatrixPlace | None = None) -> None:
        """A copy with one row behind the other: outputs of a matrix are not evenly spaced."""
        if place is not None:
            self.put(place, codes)
        width = ceil_div(codes.shape[1], LANES)
        padded = np.zeros((len(codes), width * LANES), np.uint16)
        padded[:, : codes.shape[1]] = codes
        self._embedding = self.put_words("embedding by token", padded.reshape(-1, LANES)), width

    def embed(self, pointer: int, shared: int) -> Transfer:
        """Successive words."""
        if self._embedding is None:
            raise InputError("an embedding must have been stored before its rows are read")
        address, width = self._embedding
        return Transfer(write=False, address=address, shared=shared, run=width, wide=True, pointer=pointer, scale=width)

    def chunks(self, place: MatrixPlace, outputs: int, inputs: int, most_words: int) -> list[Chunk]:
        """Outputs of a pass together, in groups of one of every bank, as many as fit."""
        words, step = ceil_div(inputs, LANES), self.units
        at_once = most_words // (words * step) * step
        if not at_once:
            raise InputError(
                f"the core's activation memory must hold twice the {words} words of {step} outputs, "
                f"{2 * words * step} words, not {2 * most_words}"
            )
        found: list[Chunk] = []
        first = 0
        while first < outputs:
            at, within = divmod(first, self.per_pass)
            count = min(at_once, self.per_pass - within, ceil_div(outputs - first, step) * step)
            transfers = []
            done = 0
            while done < words:
                tile, r = divmod(place.word + done, TILE)
                size = min(TILE - r, words - done)
                row = place.first + at * place.pitch + tile * TILE_ROWS
                transfers.append(
                    Transfer(
                        write=False,
                        address=self._address(row, r, within),
                        shared=done * count,
                        run=count,
                        outer=size,
                        outer_stride=self.per_pass,
                        wide=True,
                    )
                )
                done += size
            found.append(Chunk(first=first, outputs=count, transfers=tuple(transfers)))
            first += count
        return found

    def multiply(self, place: MatrixPlace, source: int, destination: int, outputs: int, inputs: int) -> Multiplication:
        """Lane sums into rows of their own, and from there, output after output."""
        passes = ceil_div(outputs, self.per_pass)
        if passes > 4 * 4:
            raise InputError(f"a product in the channel must have at most {16 * self.per_pass} outputs, not {outputs}")
        gemv = HbmGemv(
            words=ceil_div(inputs, LANES),
            first=place.word,
            passes=passes,
            row=place.first,
            source=source,
            results=self._results,
        )
        # in parts: the vector unit adds the lanes of one while the next is read
        reads = []
        for first in range(0, outputs, SUMMED):
            count = min(SUMMED, outputs - first)
            transfer = Transfer(
                write=False,
                address=self._address(self._results) + first,
                shared=destination + first,
                run=self.units,
                groups=ceil_div(count, self.units),
                stride=self.units,
                wide=True,
            )
            reads.append((transfer, count))
        return Multiplication(commands=[gemv], lane_sums=reads)

    def append_key(self, place: MatrixPlace, position: int, shared: int) -> Transfer:
        """A word of each row of words."""
        at, within = divmod(position, self.per_pass)
        address = self._address(place.first + at * place.pitch, place.word, within)
        return Transfer(write=True, address=address, shared=shared, run=1, groups=place.words, stride=self.per_pass)

    def append_values(self, place: MatrixPlace, position: int, shared: int) -> Transfer:
        """The same word of every output."""
        tile, r = divmod(place.word + position // LANES, TILE)
        passes, rest = divmod(place.outputs, self.per_pass)
        if passes and rest:
            raise InputError(f"head_dim must be at most {self.per_pass} or a multiple of it, not {place.outputs}")
        return Transfer(
            write=True,
            address=self._address(place.first + tile * TILE_ROWS, r),
            shared=shared,
            run=self.per_pass if passes else ceil_div(rest, self.units) * self.units,
            outer=max(1, passes),
            outer_stride=place.pitch * self._row_words,
            wide=True,
        )
