"""The MAC array: its shape, dataflow, formats and pipeline depth."""

from dataclasses import dataclass
from typing import Literal

from hw.spec.error import InputError
from hw.spec.number import number_format

Dataflow = Literal["ws", "os"]
Drain = Literal["columns", "link"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MacArraySpec:
    """`rows` x `columns` multiply-accumulate cells.

    Weight-stationary ("ws"): rows hold K, columns hold N, M streams. Output-stationary ("os"): rows hold
    M, columns hold N, K streams.

    Raises
    ------
    InputError
        If a size is out of range or a format unknown.
    """

    rows: int
    columns: int
    dataflow: Dataflow = "ws"
    activation_format: str = "int8"
    weight_format: str = "int8"
    mac_latency: int = 1
    """Cycles from operands to partial sum in one cell: 1 for integers, 3 to 5 for floating point."""
    weight_double_buffer: bool = True
    """ws: two weight registers per cell, so a tile loads behind the one that streams; False: one register."""
    drain: Drain = "columns"
    """os: results shift down the columns from one drain register per cell; "link": each cell has its own link."""
    fold_overlap: bool = True
    """The next fold starts as soon as the cells are free; False: only when the last result has left the array."""

    def __post_init__(self) -> None:
        for field in ("rows", "columns"):
            value = getattr(self, field)
            if not isinstance(value, int) or not 2 <= value <= 256:
                raise InputError(f"{field} must be an integer from 2 to 256, not {value!r}")
        if self.dataflow not in ("ws", "os"):
            raise InputError(f"dataflow must be 'ws' or 'os', not {self.dataflow!r}")
        number_format(self.activation_format)
        number_format(self.weight_format)
        if self.drain not in ("columns", "link"):
            raise InputError(f"drain must be 'columns' or 'link', not {self.drain!r}")
        for field in ("weight_double_buffer", "fold_overlap"):
            if not isinstance(getattr(self, field), bool):
                raise InputError(f"{field} must be true or false, not {getattr(self, field)!r}")
        if not isinstance(self.mac_latency, int) or not 1 <= self.mac_latency <= 8:
            raise InputError(f"mac_latency must be an integer from 1 to 8, not {self.mac_latency!r}")

    @property
    def cells(self) -> int:
        """Number of MAC cells."""
        return self.rows * self.columns

    @property
    def tile_interval(self) -> int:
        """Least cycles between the first rows of two weight tiles, G = R + (R-1)(L-1).

        Two weight registers per cell and a thermometer load: the load of the next tile may start when the
        swap wave of this one has been issued; with L > 1 the swap wave goes down slower than the load wave.
        """
        return self.rows + (self.rows - 1) * (self.mac_latency - 1)

    @property
    def partial_sum_bits(self) -> int:
        """Width of the partial sum inside the array: product bits + ceil(log2(rows)); 32 for floats."""
        a, w = number_format(self.activation_format), number_format(self.weight_format)
        if not (a.is_integer and w.is_integer):
            return 32
        return a.bits + w.bits + (self.rows - 1).bit_length()
