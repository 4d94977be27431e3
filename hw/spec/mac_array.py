"""The MAC array: its shape, dataflow, formats and pipeline depth."""

from dataclasses import dataclass
from typing import Literal

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.number import number_format

Dataflow = Literal["ws", "os"]
Drain = Literal["columns", "link"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MacArraySpec:
    """`rows` x `columns` multiply-accumulate cells.

    Weight-stationary ("ws"): rows hold K, columns hold N, M streams. Output-stationary ("os"): rows hold
    M, columns hold N, K streams.

    Parameters
    ----------
    rows, columns : int
        Cells down and across, 2 to 256 each.
    dataflow : Dataflow
        "ws": weights stay in the cells; "os": sums do.
    activation_format, weight_format : str
        Operand formats of the cells: two integer formats of 4 or 8 bits, or two floating-point formats of 8 or 16
        bits.

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
    """Cycles from operands to partial sum in one cell: 1 for integers, 3 to 5 for floating point; an output-stationary
    array interleaves as many folds."""
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
        activation, weight = number_format(self.activation_format), number_format(self.weight_format)
        if activation.is_integer != weight.is_integer or max(activation.bits, weight.bits) > 16:
            raise InputError(
                "activation_format and weight_format must be two integer formats of 4 or 8 bits or two "
                f"floating-point formats of 8 or 16, not {activation.name!r} and {weight.name!r}"
            )
        if self.drain not in ("columns", "link"):
            raise InputError(f"drain must be 'columns' or 'link', not {self.drain!r}")
        for field in ("weight_double_buffer", "fold_overlap"):
            if not isinstance(getattr(self, field), bool):
                raise InputError(f"{field} must be true or false, not {getattr(self, field)!r}")
        if not isinstance(self.mac_latency, int) or not 1 <= self.mac_latency <= 8:
            raise InputError(f"mac_latency must be an integer from 1 to 8, not {self.mac_latency!r}")
        if self.dataflow == "os" and self.mac_latency > 1:
            if activation.is_integer:
                raise InputError(
                    "mac_latency of an output-stationary integer array must be 1 (a cell adds to its own sum every "
                    f"cycle), not {self.mac_latency}"
                )
            if not self.fold_overlap:
                raise InputError(
                    f"fold_overlap must be true where {self.mac_latency} folds are interleaved (dataflow 'os', "
                    "mac_latency above 1), not False; set mac_latency to 1 to run fold after fold"
                )

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
    def swap_releases_weights(self) -> bool:
        """ws: the next tile's registers are free from a swap on, not only from the last row of a pass on."""
        return self.weight_double_buffer and self.fold_overlap

    @property
    def load_delay(self) -> int:
        """ws: cycles from the row that releases the weight registers to the first load step of the next tile.

        (R-1)(L-1) behind the swap, so that the load wave does not overtake the swap wave; one more behind the
        last row of a pass; L*R + C + 1 if the last sum must have left the array before.
        """
        if not self.fold_overlap:
            return self.rows * self.mac_latency + self.columns + 1
        distance = (self.rows - 1) * (self.mac_latency - 1)
        return distance if self.weight_double_buffer else distance + 1

    def pass_gap(self, rows: int) -> int:
        """ws: cycles without a row between a pass of `rows` rows and the next one, both always ready.

        max(0, G - rows) with two weight registers, G with one, R + L*R + C without overlap of folds.
        """
        if self.swap_releases_weights:
            return max(0, self.tile_interval - rows)
        return self.load_delay + self.rows - 1

    @property
    def interleaved_folds(self) -> int:
        """os: folds whose words take turns in a cell, one for each cycle of a floating-point adder's latency."""
        return self.mac_latency if self.dataflow == "os" else 1

    @property
    def finish_latency(self) -> int:
        """os: cycles from a fold's last word entering a cell until the cell's sum holds it."""
        return self.mac_latency if self.is_floating_point else 0

    @property
    def fold_tail(self) -> int:
        """os: cycles from a fold's last word being read to the first row of its results at the edge of the array."""
        return self.finish_latency + self.columns + (self.rows if self.drain == "columns" else 1)

    @property
    def rows_ascend(self) -> bool:
        """Result rows of a pass or fold leave the array in order, top row first."""
        return self.dataflow == "ws" or self.drain == "link"

    @property
    def last_word_distance(self) -> int:
        """os: least cycles between the last words of two folds in neighbouring turns, both always ready.

        R, since results leave one row per cycle; with L folds in turn the next multiple of L, plus 1, from there.
        """
        turns = self.interleaved_folds
        return self.rows + (1 - self.rows) % turns

    @property
    def fold_delay(self) -> int:
        """os: cycles from a fold's last word to the first word of the next, which no overlap asks for."""
        return 1 if self.fold_overlap else self.fold_tail + self.rows

    @property
    def is_floating_point(self) -> bool:
        """True if cells multiply floating-point numbers and sum in FP32."""
        return not number_format(self.activation_format).is_integer

    @property
    def terms_per_lane(self) -> int:
        """Products a cell adds per cycle: 2 if both formats are INT4 (a pair of k per 8-bit lane), else 1."""
        return 2 if self.activation_format == self.weight_format == "int4" else 1

    @property
    def k_per_block(self) -> int:
        """Terms of K one activation word holds: ws `rows` lanes of `terms_per_lane`, os one lane's."""
        return self.terms_per_lane * (self.rows if self.dataflow == "ws" else 1)

    @property
    def tile_words(self) -> int:
        """Weight words of `k_per_block` terms: ws a tile of `rows`, os one."""
        return self.rows if self.dataflow == "ws" else 1

    def chain(self, k: int) -> int:
        """Terms of `k` that are added in one chain before a sum is added to the one before: ws `rows`, os all."""
        return self.rows if self.dataflow == "ws" else k

    @property
    def rows_per_word(self) -> int:
        """Rows of M that one activation word holds: ws one, os `rows`."""
        return 1 if self.dataflow == "ws" else self.rows

    def activation_words(self, m: int) -> int:
        """Activation words of `m` rows and `k_per_block` terms: ws one per row, os one per block of `rows` rows."""
        return m if self.dataflow == "ws" else ceil_div(m, self.rows)

    @property
    def activation_lane_bits(self) -> int:
        """Bits of one row's part of an activation word."""
        return number_format(self.activation_format).bits * self.terms_per_lane

    @property
    def weight_lane_bits(self) -> int:
        """Bits of one column's part of a weight word."""
        return number_format(self.weight_format).bits * self.terms_per_lane

    @property
    def partial_sum_bits(self) -> int:
        """Width of a sum that leaves the array: ws product bits + ceil(log2(terms)); 32 for floats and os."""
        if self.is_floating_point or self.dataflow == "os":
            return 32
        a, w = number_format(self.activation_format), number_format(self.weight_format)
        return a.bits + w.bits + (self.rows * self.terms_per_lane - 1).bit_length()
