"""A crossbar core among the units of a system: BF16 vectors in, BF16 vectors out, one descriptor a matrix.

Arithmetic (block floating point). Of a vector x of BF16 numbers the largest exponent E is found; each number becomes
the integer nearest to x 2**(133 - E), half to even, at most 127 in size; numbers below the normal range count as zero.
A weight is an integer of 8 bits times a power of two 2**w of its output. A sum s of integer products stands for
s 2**(E - 133 + w), rounded to BF16 once, half to even: below the normal range it becomes +0, above it infinity. A
vector with an infinity or a NaN gives NaN everywhere.
"""

from dataclasses import dataclass

from hw.base.error import InputError
from hw.spec.command import pack, unpack
from hw.spec.crossbar import CrossbarSpec
from hw.spec.crossbar_command import LayerCommand

LANES = 16
"""Numbers of a word of the shared memory, outputs of a tile, lanes of the core's bus."""

OPCODE_PRODUCT = 1

PRODUCT_FIELDS: dict[str, int] = {
    "opcode": 8,
    "source": 16,
    "destination": 16,
    "words": 12,
    "outputs": 12,
    "row_tiles": 8,
    "column_tiles": 8,
    "groups": 8,
    "array": 10,
    "scales": 16,
}
"""Field -> width of a descriptor from bit 0 up, all unsigned; 114 bits together."""

UNIT_REFUSALS: dict[int, str] = {
    0: "none",
    1: "unknown opcode",
    2: "a size is zero, or the groups do not hold the outputs",
    3: "it reaches beyond the shared memory",
    4: "it needs more tiles, word lines or arrays than there are",
    5: "its scales reach beyond their memory",
}
"""Status code of a refused descriptor -> meaning; the first that applies."""

UNIT_LABELS: dict[str, str] = {
    "idle": "No descriptor is open.",
    "prepare": "A descriptor is checked, or a command for the tiles is sent.",
    "scan": "A word is read for the largest exponent.",
    "run": "The tiles have a command; their own labels say what they do.",
    "store": "The last word of a command is rounded and written.",
}
"""Label of a cycle of the unit -> definition. Every cycle since reset has exactly one."""

UNIT_EVENTS: dict[str, str] = {
    "scan": "A word of 16 numbers was read for the largest exponent.",
    "align": "A word of 16 numbers was made integers for the tiles.",
    "store": "A word of 16 sums was rounded to BF16 and written.",
    "command": "A command was sent to the tiles.",
    "descriptor": "A descriptor ended.",
    "refuse": "A descriptor was refused.",
}
"""Event -> definition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One vector of `words` words times a matrix that lies in successive arrays, a group of column tiles in each.

    Parameters
    ----------
    source, destination : int
        First word of the vector and of the results in the shared memory. The results must not lie on the vector if
        there are several groups: each reads it again.
    words, outputs : int
        Words of the vector, 16 numbers each, and of the results.
    row_tiles, column_tiles : int
        Tiles of every array that hold the matrix, from tile 0 on; the last array may need fewer columns of tiles.
    groups : int
        Arrays it lies in.
    array : int
        First of them.
    scales : int
        First word of the outputs' exponents in their memory.
    """

    source: int
    destination: int
    words: int
    outputs: int
    row_tiles: int
    column_tiles: int
    groups: int
    array: int
    scales: int

    def pack(self) -> int:
        """The descriptor as one integer."""
        values = {name: int(getattr(self, name)) for name in PRODUCT_FIELDS if name != "opcode"}
        return pack(PRODUCT_FIELDS, values | {"opcode": OPCODE_PRODUCT})


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossbarUnitSpec:
    """A crossbar core with its way into a shared memory.

    Parameters
    ----------
    core : CrossbarSpec
        Tiles of 16 outputs on a bus of 16 lanes, 8 signed bits of weights and inputs.
    shared_words : int
        Words of the shared memory.
    scale_words : int
        Words of 16 exponents of outputs, 8 bits each, two's complement.
    """

    core: CrossbarSpec
    shared_words: int
    scale_words: int = 512

    def __post_init__(self) -> None:
        core = self.core
        if (core.columns, core.lanes, core.weight_bits, core.input_bits) != (LANES, LANES, 8, 8):
            raise InputError(
                f"crossbars of a system must have tiles of {LANES} outputs on {LANES} lanes and 8 bits of weights and "
                f"inputs, not {core.columns} on {core.lanes}, {core.weight_bits} and {core.input_bits}; change them"
            )
        if not core.input_signed:
            raise InputError("crossbars of a system must take signed inputs, not unsigned ones; set input_signed")
        for name, most in (("shared_words", 1 << 16), ("scale_words", 1 << 16)):
            if not 1 <= getattr(self, name) <= most:
                raise InputError(f"{name} must be from 1 to {most}, not {getattr(self, name)}; choose another")

    def refusal(self, word: int) -> int:
        """Code a descriptor is refused with, or 0."""
        f, core = unpack(PRODUCT_FIELDS, word), self.core
        sizes = ("words", "outputs", "row_tiles", "column_tiles", "groups")
        checks = (
            f["opcode"] != OPCODE_PRODUCT,
            not all(f[name] for name in sizes) or f["groups"] * f["column_tiles"] < f["outputs"],
            max(f["source"] + f["words"], f["destination"] + f["outputs"]) > self.shared_words,
            f["row_tiles"] * f["column_tiles"] > core.tiles
            or f["words"] > f["row_tiles"] * core.load_beats
            or f["array"] + f["groups"] > core.arrays,
            f["scales"] + f["outputs"] > self.scale_words,
        )
        return next((code for code, broken in enumerate(checks, start=1) if broken), 0)

    def commands(self, word: int) -> list[LayerCommand]:
        """What an accepted descriptor sends to the tiles, one after the other: a group of outputs each."""
        f = unpack(PRODUCT_FIELDS, word)
        return [
            LayerCommand(
                vectors=1,
                row_tiles=f["row_tiles"],
                column_tiles=min(f["column_tiles"], f["outputs"] - first),
                array=f["array"] + group,
                from_stream=True,
                to_stream=True,
                sums=True,
            )
            for group, first in enumerate(range(0, f["outputs"], f["column_tiles"]))
        ]
