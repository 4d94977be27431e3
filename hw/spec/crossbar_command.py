"""Descriptors and cell writes of a crossbar core as bit fields."""

from dataclasses import dataclass

from hw.base.error import InputError

LAYER_FIELDS: dict[str, int] = {
    "opcode": 4,
    "vectors": 16,
    "first_tile": 8,
    "row_tiles": 8,
    "column_tiles": 8,
    "input_address": 24,
    "input_stride": 16,
    "output_address": 24,
    "output_stride": 16,
    "parameter_address": 16,
    "from_stream": 1,
    "to_stream": 1,
    "sums": 1,
    "array": 10,
    "reserved": 7,
}
"""Field -> bits, bit 0 first; 160 bits together."""

OPCODE_LAYER = 1

REFUSALS: dict[str, int] = {
    "opcode": 1,  # not LAYER
    "size": 2,  # vectors, row_tiles or column_tiles is 0
    "tiles": 3,  # first_tile + row_tiles * column_tiles exceeds the tiles
    "input": 4,  # the input words end beyond the buffer
    "output": 5,  # the output words end beyond the buffer
    "parameter": 6,  # the parameter words end beyond their memory
    "array": 7,  # the tiles have no such array
}
"""Why a command is refused -> its code in the status register; a refused command does nothing else."""

WRITE_FIELDS: dict[str, int] = {"tile": 8, "row": 12, "column": 16, "level": 8, "array": 10}
"""A cell to program: tile, word line, cell column (of pairs: 2 * column + 1 is the subtracted cell), level, array."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerCommand:
    """One layer on `vectors` input vectors, its weights resident in row_tiles x column_tiles tiles.

    Tile of block (k, n): first_tile + k * column_tiles + n. Vector v is read from word input_address + v *
    input_stride (row_tiles * load_beats words) or from the stream; its results go to output_address + v *
    output_stride (column_tiles * drain_beats words), parameters are read from parameter_address on in the same order.

    Parameters
    ----------
    vectors : int
        Input vectors the layer is computed for; 0 is refused.
    first_tile : int
        Number of the tile with block (0, 0); the other blocks follow it without gaps.
    row_tiles : int
        Tiles the inputs are split over, up to `rows` inputs each; their results are added. 0 is refused.
    column_tiles : int
        Tiles the outputs are split over, up to `columns` outputs each. 0 is refused.
    input_address, input_stride, output_address, output_stride, parameter_address : int
        In words.
    from_stream, to_stream : bool
        Inputs come from, or results go to, the streams at the top instead of the buffer.
    sums : bool
        Results are 32-bit sums instead of INT8 (to the stream only).
    array : int
        Array of each tile that holds the weights.
    opcode : int
        `OPCODE_LAYER`; the core refuses every other.
    """

    vectors: int
    first_tile: int = 0
    row_tiles: int = 1
    column_tiles: int = 1
    input_address: int = 0
    input_stride: int = 0
    output_address: int = 0
    output_stride: int = 0
    parameter_address: int = 0
    from_stream: bool = False
    to_stream: bool = False
    sums: bool = False
    array: int = 0
    opcode: int = OPCODE_LAYER

    def __post_init__(self) -> None:
        for field, bits in LAYER_FIELDS.items():
            if field == "reserved":
                continue
            value = int(getattr(self, field))
            if not 0 <= value < 1 << bits:
                raise InputError(
                    f"{field} of a layer must be from 0 to {(1 << bits) - 1}, not {value}; split the layer"
                )

    @property
    def fields(self) -> dict[str, int]:
        """The values of `LAYER_FIELDS`."""
        return {field: int(getattr(self, field, 0)) for field in LAYER_FIELDS}
