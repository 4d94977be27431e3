"""A decoder's matrices in a pseudo-channel of HBM-PIM.

A word address is (row, column 4:3, bank, column 2:0): eight successive words lie in one bank, then the next bank
follows. Weights lie in the even banks, one of each unit, because the register row lies in an odd one. Output o = 64 p +
8 u + c (pass p, unit u) has the words of input tile t in rows first + 2 (p T + t) and the next, T = tiles of 8 words;
word r of a tile in column 8 (r mod 4) + c of row r div 4 of the two.
"""

from collections.abc import Sequence

import numpy as np

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.hbm_pim_controller import HbmGemv
from hw.spec.memory_controller import Transfer
from hw.spec.pim import PimSpec
from model.lowering.decoder.aim import fetch
from model.lowering.decoder.channel import LANES, Channel, Chunk, MatrixPlace, Multiplication

TILE = 8
"""Words of an input tile, and outputs of a unit and pass: the registers of a file."""
TILE_ROWS = 2


class HbmPimChannel(Channel):
    """Outputs over the even banks."""

    def __init__(self, pim: PimSpec, rows: int) -> None:
        super().__init__(pim, rows)
        self.units = pim.units
        self.per_pass = TILE * self.units
        self._used = 0
        # (row, column 4:3, bank, column 2:0, lane) is the order of addresses
        self._by_address = np.zeros((rows * self.columns * self.banks, LANES), np.uint16)
        self._results = self._take("results", 4)
        self._embedding: tuple[int, int] | None = None

    @property
    def used_rows(self) -> int:
        """Rows taken so far."""
        return self._used

    def _take(self, what: str, rows: int) -> int:
        """Rows from an even one on."""
        first = ceil_div(self._used, TILE_ROWS) * TILE_ROWS
        self.check_room(what, first + rows)
        self._used = first + rows
        return first

    def _address(self, row: int, word: int = 0, output: int = 0) -> int:
        """Of a word of a tile, of output 8 u + c of a pass."""
        unit, register = divmod(output, TILE)
        return row * self.columns * self.banks + word * TILE * self.banks + unit * 2 * TILE + register

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
        by_address = self._by_address.reshape(self.rows, self.columns // TILE, self.banks, TILE, LANES)
        self.cells[:] = by_address.transpose(0, 1, 3, 2, 4).reshape(self.cells.shape)

    def put_words(self, what: str, words: np.ndarray) -> int:
        """Rows of their own."""
        per_row = self.columns * self.banks
        first = self._take(what, ceil_div(len(words), per_row)) * per_row
        self._by_address[first : first + len(words)] = words
        self._to_cells()
        return first

    def fetch(self, address: int, shared: int, words: int) -> list[Transfer]:
        """Eight words of a bank, then the next bank."""
        return fetch(address, shared, words, TILE, TILE, wide=False)

    def put_embedding(self, place: MatrixPlace, codes: np.ndarray) -> None:
        """A copy with one row behind the other: outputs of a matrix are not evenly spaced."""
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
        return Transfer(write=False, address=address, shared=shared, run=width, stride=0, pointer=pointer, scale=width)

    def chunks(
        self, place: MatrixPlace, outputs: int, inputs: int, most_words: int, shared: Sequence[int]
    ) -> list[Chunk]:
        """Units of a pass together, as many as fit."""
        words = ceil_div(inputs, LANES)
        units = min(self.units, most_words // (words * TILE))
        if not units:
            raise InputError(
                f"the core's activation memory must hold twice the {words} words of {TILE} outputs, "
                f"{2 * words * TILE} words, not {2 * most_words}"
            )
        found: list[Chunk] = []
        first = 0
        while first < outputs:
            at, within = divmod(first, self.per_pass)
            count = min(units, self.units - within // TILE, ceil_div(outputs - first, TILE))
            at_shared = shared[len(found) % len(shared)]
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
                        shared=at_shared + done * count * TILE,
                        run=TILE,
                        groups=count,
                        stride=2 * TILE,
                        outer=size,
                        outer_stride=TILE * self.banks,
                    )
                )
                done += size
            found.append(Chunk(first=first, outputs=count * TILE, transfers=tuple(transfers)))
            first += count * TILE
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
        read = Transfer(
            write=False,
            address=self._address(self._results),
            shared=destination,
            run=TILE,
            groups=self.units,
            stride=2 * TILE,
            outer=passes,
            outer_stride=TILE * self.banks,
        )
        return Multiplication(commands=[gemv, read], lane_sums=True)

    def append_key(self, place: MatrixPlace, position: int, shared: int) -> Transfer:
        """A word of each row of words."""
        at, within = divmod(position, self.per_pass)
        address = self._address(place.first + at * place.pitch, place.word, within)
        return Transfer(write=True, address=address, shared=shared, run=1, groups=place.words, stride=TILE * self.banks)

    def append_values(self, place: MatrixPlace, position: int, shared: int) -> Transfer:
        """The same word of every output."""
        tile, r = divmod(place.word + position // LANES, TILE)
        passes, rest = divmod(place.outputs, self.per_pass)
        if passes and rest:
            raise InputError(f"head_dim must be at most {self.per_pass} or a multiple of it, not {place.outputs}")
        groups = self.units if passes else ceil_div(rest, TILE)
        return Transfer(
            write=True,
            address=self._address(place.first + tile * TILE_ROWS, r),
            shared=shared,
            run=TILE,
            groups=groups,
            stride=2 * TILE,
            outer=max(1, passes),
            outer_stride=place.pitch * self.columns * self.banks,
        )
