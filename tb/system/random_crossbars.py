"""Crossbars filled with drawn weights and exponents, and random products on them, refused ones among them."""

from collections.abc import Iterator

import numpy as np

from hw.spec.crossbar_unit import LANES, CrossbarUnitSpec, Product
from model.lowering.crossbar import cell_words
from model.reference.block_floating import aligned, exact, rounded
from model.reference.crossbar import cell_levels

NOT_A_NUMBER = 0x7FC0


class RandomCrossbars:
    """What arrays and exponents of a unit hold, and what a descriptor makes of it.

    Parameters
    ----------
    spec : CrossbarUnitSpec
    rng : numpy Generator
        Source of weights and exponents, and of every product drawn.
    """

    def __init__(self, spec: CrossbarUnitSpec, rng: np.random.Generator) -> None:
        core = spec.core
        self.spec, self.rng = spec, rng
        low, high = core.weight_limits
        self.weights = rng.integers(low, high + 1, (core.tiles, core.arrays, LANES, core.rows))
        self.powers = rng.integers(-24, 8, (spec.scale_words, LANES))

    def cells(self) -> Iterator[tuple[int, int, list[int]]]:
        """(tile, first word, words) of every array's memory."""
        core = self.spec.core
        for tile in range(core.tiles):
            for array in range(core.arrays):
                levels = cell_levels(core, self.weights[tile, array])
                yield tile, array * core.steps, cell_words(core, levels)

    def scale_words(self) -> list[int]:
        """The memory of exponents."""
        return [int.from_bytes((word & 255).astype(np.uint8).tobytes(), "little") for word in self.powers]

    def draw(self, low: int) -> Product:
        """A product that writes at word `low` or above; one in seven is refused."""
        if self.rng.random() < 0.15:
            return self._wrong()
        core, below = self.spec.core, self.rng.integers
        row_tiles = int(below(1, core.tiles + 1))
        column_tiles = int(below(1, core.tiles // row_tiles + 1))
        groups = int(below(1, core.arrays + 1))
        words = int(below(1, row_tiles * core.load_beats + 1))
        outputs = min(int(below((groups - 1) * column_tiles, groups * column_tiles)) + 1, self.spec.scale_words)
        # results of one group must not lie on the vector that the next one reads
        source = destination = 0
        while source < destination + outputs and destination < source + words:
            source = int(below(low, self.spec.shared_words - words + 1))
            destination = int(below(low, self.spec.shared_words - outputs + 1))
        return Product(
            source=source,
            destination=destination,
            words=words,
            outputs=outputs,
            row_tiles=row_tiles,
            column_tiles=column_tiles,
            groups=groups,
            array=int(below(core.arrays - groups + 1)),
            scales=int(below(self.spec.scale_words - outputs + 1)),
        )

    def _wrong(self) -> Product:
        core, right = self.spec.core, {
            "source": 0, "destination": 0, "words": 1, "outputs": 1, "row_tiles": 1, "column_tiles": 1, "groups": 1,
            "array": 0, "scales": 0,
        }  # fmt: skip
        wrong = (
            {"words": 0},
            {"outputs": 2},
            {"destination": self.spec.shared_words},
            {"source": self.spec.shared_words - 1, "words": 2, "row_tiles": 2},
            {"row_tiles": core.tiles + 1},
            {"words": core.load_beats + 1},
            {"array": core.arrays},
            {"scales": self.spec.scale_words},
        )
        return Product(**right | wrong[int(self.rng.integers(len(wrong)))])

    def accesses(self, product: Product) -> list[tuple[int, int, bool]]:
        """Words of the shared memory a product touches, first and last, and whether it writes them."""
        if self.spec.refusal(product.pack()):
            return []
        return [
            (product.source, product.source + product.words - 1, False),
            (product.destination, product.destination + product.outputs - 1, True),
        ]

    def execute(self, product: Product, shared: np.ndarray) -> None:
        """Carry a descriptor out on `shared`, uint16 (words, 16); a refused one changes nothing."""
        if self.spec.refusal(product.pack()):
            return
        core, f = self.spec.core, product
        vector, power, invalid = aligned(shared[f.source : f.source + f.words].reshape(1, -1))
        whole = np.zeros((1, f.row_tiles * core.rows), np.int64)
        whole[0, : vector.shape[1]] = vector[0]
        for number in range(f.outputs):
            group, column = divmod(number, f.column_tiles)
            columns = min(f.column_tiles, f.outputs - group * f.column_tiles)
            parts = whole.reshape(f.row_tiles, 1, core.rows)
            sums = sum(exact(part, self.weights[k * columns + column, f.array + group]) for k, part in enumerate(parts))
            found = rounded(np.asarray(sums), power[:, None] + self.powers[f.scales + number])
            shared[f.destination + number] = NOT_A_NUMBER if invalid[0] else found[0]
