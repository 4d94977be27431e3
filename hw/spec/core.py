"""One NPU core: a MAC array with its memories, output stage and command queue."""

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from hw.base.error import InputError
from hw.spec.dma import DmaSpec
from hw.spec.mac_array import MacArraySpec
from hw.spec.number import number_format

RoundingMode = Literal["exact_rne", "tflite_single", "gemmlowp", "float32"]

PASS_ENTRIES = 4
"""Passes the sequencer may be ahead of an engine. A tile is loaded while the one before streams and the
sequencer learns of a free place one cycle late: three keep the engines fed."""

OUTPUT_ROWS = 8
"""Rows the output queue holds. A row asked for in cycle d leaves in d + 5 and its place is known to be free
in d + 6: six keep one row per cycle flowing."""


_KINDS = {"ws": "npu_weight_stationary", "os": "npu_output_stationary"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreSpec:
    """A MAC array and what surrounds it. Depths are in words; a word is one row of the array's edge.

    Parameters
    ----------
    array : MacArraySpec
        The multiply-accumulate cells: size, dataflow and operand formats.
    activation_words : int
        Words of `rows` activations in the activation memory.
    weight_words : int
        Words of `columns` weights in the weight memory.
    accumulator_rows : int
        Rows of `columns` 32-bit accumulators, both halves together; a power of two.
    output_words : int
        Words of `columns` outputs in the output memory.
    parameter_words : int
        Words of `columns` (bias, multiplier, shift) in the output stage: one per block of columns of N.
    command_entries : int
        Descriptors the command queue holds; a power of two.
    rounding_mode : RoundingMode
        Rule of the output stage of an integer array.
    output_format : str
        "int8" for an integer array; "fp32" or any 8- or 16-bit format for a floating-point one.
    saturate : bool
        Floating-point outputs beyond the largest value become that value instead of infinity (E4M3: NaN).
    dma : DmaSpec or None
        The copy channels; without them operands reach the memories by host writes only.
    convolution : bool
        The address generator for CONV, and with copy channels max pooling.
    """

    part: ClassVar[str] = "core"

    array: MacArraySpec
    activation_words: int
    weight_words: int
    accumulator_rows: int
    output_words: int
    parameter_words: int = 64
    command_entries: int = 16
    rounding_mode: RoundingMode = "exact_rne"
    output_format: str = "int8"
    saturate: bool = False
    dma: DmaSpec | None = None
    convolution: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.array, MacArraySpec):
            raise InputError(f"array must be a MacArraySpec, not {self.array!r}")
        if self.dma is not None and not isinstance(self.dma, DmaSpec):
            raise InputError(f"dma must be a DmaSpec or None, not {self.dma!r}")
        for field in ("activation_words", "weight_words", "output_words", "parameter_words"):
            value = getattr(self, field)
            most = 1 << (16 if field == "parameter_words" else 24)  # what an address in a descriptor reaches
            if not isinstance(value, int) or not 1 <= value <= most:
                raise InputError(f"{field} must be an integer from 1 to {most}, not {value!r}")
        for field in ("accumulator_rows", "command_entries"):
            value = getattr(self, field)
            if not isinstance(value, int) or value < 2 or value & (value - 1):
                raise InputError(f"{field} must be a power of two of at least 2, not {value!r}")
        if self.accumulator_rows < self.least_accumulator_rows:
            raise InputError(
                f"accumulator_rows must be at least {self.least_accumulator_rows} for this array "
                f"({'rows * mac_latency' if self.array.dataflow == 'ws' else '2 * rows'} + columns + 2, what is in "
                f"flight), not {self.accumulator_rows}"
            )
        if self.convolution and self.array.dataflow != "ws":
            raise InputError(
                f"convolution needs the weight-stationary dataflow, not {self.array.dataflow!r}; lower it to GEMMs"
            )
        if self.rounding_mode not in get_args(RoundingMode):
            known = ", ".join(get_args(RoundingMode))
            raise InputError(f"rounding_mode must be one of {known}, not {self.rounding_mode!r}")
        kind = "a floating-point" if self.array.is_floating_point else "an integer"
        if number_format(self.output_format).is_integer == self.array.is_floating_point or (
            not self.array.is_floating_point and self.output_format != "int8"
        ):
            known = "fp32, fp16, bf16, fp8_e4m3 or fp8_e5m2" if self.array.is_floating_point else "int8"
            raise InputError(f"output_format of {kind} array must be {known}, not {self.output_format!r}")
        if self.dma is not None and self.array.interleaved_folds > 1:
            raise InputError(
                f"copy channels (dma) of an output-stationary core need mac_latency 1, not {self.array.mac_latency}; "
                "leave them out, operands then reach the memories by host writes"
            )
        if not isinstance(self.saturate, bool):
            raise InputError(f"saturate must be true or false, not {self.saturate!r}")

    @property
    def kind(self) -> str:
        """Name of its kind: the dataflow decides."""
        return _KINDS[self.array.dataflow]

    @property
    def number(self) -> str:
        """Format of the activations."""
        return self.array.activation_format

    @property
    def cells(self) -> int:
        """Cells of the array."""
        return self.array.cells

    @property
    def label(self) -> str:
        """Size of the array."""
        return f"{self.array.rows} x {self.array.columns} array"

    @property
    def macs_per_cycle(self) -> int:
        """Products all cells add in a cycle."""
        return self.array.cells * self.array.terms_per_lane

    @property
    def least_accumulator_rows(self) -> int:
        """Rows between issue and drain of one row: with fewer the ring would stall an unstalled core."""
        if self.array.dataflow == "os":
            return 2 * self.array.rows + self.array.columns + self.array.finish_latency + 2
        return self.array.rows * self.array.mac_latency + self.array.columns + 2

    @property
    def block_rows(self) -> int:
        """Most rows of M that are accumulated together: ws half the ring, so that two blocks overlap; os `rows`."""
        if self.array.dataflow == "os":
            return self.array.rows
        return self.accumulator_rows // 2

    @property
    def largest_k(self) -> int:
        """Largest K whose sum cannot leave the 32-bit accumulator.

        Integers of a and w bits: 2**31 / 2**(a + w - 2) - 1, for INT8 with INT8 131,071. Floating-point sums
        have no such limit: what the 16 bits of `k_blocks` count.
        """
        array = self.array
        if array.is_floating_point:
            return ((1 << 16) - 1) * array.k_per_block
        product = number_format(array.activation_format).bits + number_format(array.weight_format).bits - 2
        return (1 << 31) // (1 << product) - 1

    @property
    def largest_k_rule(self) -> str:
        """`largest_k` with its formula, for messages."""
        array = self.array
        if array.is_floating_point:
            return f"{self.largest_k} = (2**16 - 1) * {array.k_per_block} (what a command can count)"
        product = number_format(array.activation_format).bits + number_format(array.weight_format).bits - 2
        return (
            f"{self.largest_k} = 2**31 / 2**{product} - 1 (products of up to 2**{product} summed in a 32-bit "
            "accumulator)"
        )
