"""A core of non-volatile crossbar tiles: geometry, weight scheme, converters, timing, bus."""

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.core import RoundingMode

Scheme = Literal["offset", "offset_unit", "differential", "twos_complement"]
"""How a signed weight becomes cell levels.

offset: level of w + 2**(weight_bits - 1); the surplus 2**(weight_bits - 1) * sum(x) is subtracted digitally.
offset_unit: the same; one more column per tile holds the surplus and is subtracted after conversion.
differential: |w| in one of two cells of a pair, their currents are subtracted before the converter.
twos_complement: all bits but the sign bit in slices, the sign bit in a column of its own that counts negatively.
"""

RangePolicy = Literal["lossless", "full", "calibrated", "power_of_two"]
"""What the codes of a converter stand for, in cell levels.

lossless: one level a code, enough codes for every sum. power_of_two: 2**(lossless bits - adc_bits) levels a code.
full: the range of all possible sums over all codes. calibrated: the range `ranges` gives for each slice.
"""

Rounding = Literal["half_up", "half_even"]
ArrayKind = Literal["analogue", "digital"]

OUTPUT_WORDS = 8
"""Words the output queue holds. A word asked for in cycle d leaves in d + 6: seven keep one word a cycle flowing."""

STEP_FRACTION_BITS = 12
"""Steps and zeros of converters that are no whole levels are multiples of 2**-12 level."""

SUM_BITS = 32
"""Width of the sums the tile adder keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossbarSpec:
    """`tiles` equal tiles of `rows` word lines and `columns` outputs on one bus.

    Symbols of the formulas: R rows, N columns, c cell_bits, d plane_bits, S slices, C physical columns, M
    columns_per_adc, A converters, b adc_bits, P planes.

    Parameters
    ----------
    rows : int
        Word lines of a tile: terms of one analogue sum.
    columns : int
        Outputs of a tile. Each takes `slices` physical columns (of cell pairs in the differential scheme).
    cell_bits : int
        Bits a cell holds: levels 0 to 2**cell_bits - 1.
    weight_bits : int
        Bits of a weight, two's complement; 2 to 8.
    input_bits : int
        Bits of an input, a multiple of plane_bits; 1 to 8.
    input_signed : bool
        Inputs are two's complement: their top bit is a plane of its own that counts negatively (needs plane_bits 1).
    input_offset : bool
        Inputs are signed and put on the word lines as x + 2**(input_bits - 1), which flips their top bit; results hold
        2**(input_bits - 1) sum(w) more than the product, for the bias to take back.
    plane_bits : int
        Input bits put on the word lines at a time.
    scheme : Scheme
        How a signed weight becomes cell levels.
    array : ArrayKind
        "digital": columns are adder trees beside the cells, lossless by construction and part of the RTL; "analogue":
        currents and converters, answered by the testbench.
    columns_per_adc : int
        Physical columns that share one converter, one after the other.
    adc_bits : int
        Bits of a converter's code, 1 to 20; with policy lossless at least `lossless_bits`.
    range_policy : RangePolicy
        What the codes of a converter stand for.
    ranges : tuple of (zero, step), one per slice, of the calibrated policy
        Level of code 0 and levels per code, both in 2**-12 level.
    rounding : Rounding
        What the converter does with a sum half-way between two codes.
    wordline_cycles, settle_cycles, adc_cycles : int
        Cycles until word lines stand, until a selected column has settled, and of one conversion.
    sample_and_hold : bool
        All columns are held at once, and the next plane settles while they are converted.
    double_buffer : bool
        The next vector is loaded into a second register while the present one is computed.
    tiles : int
        Tiles on the bus, 1 to 256.
    arrays : int
        Cell arrays that share one tile's drivers, converters and adders, 1 to 1024; a command selects one of them.
    lanes : int
        Bytes of the bus and of a word of the buffer: inputs loaded and outputs taken per cycle.
    buffer_words, parameter_words, command_entries : int
        Depth of the activation buffer, of the output stage's parameters (words of `lanes`), of the command queue.
    rounding_mode : RoundingMode
        Rule of the output stage, which is the NPU core's.
    write_cycles, verify_cycles : int
        Cycles of one programming pulse and of reading the cell back.
    write_limit : int
        Pulses after which a cell that still reads wrong is given up.

    Raises
    ------
    InputError
        If a size is out of range or the choices contradict each other.
    """

    part: ClassVar[str] = "crossbar"

    rows: int
    columns: int
    cell_bits: int = 1
    weight_bits: int = 8
    input_bits: int = 8
    input_signed: bool = False
    input_offset: bool = False
    plane_bits: int = 1
    scheme: Scheme = "differential"
    array: ArrayKind = "analogue"
    columns_per_adc: int = 8
    adc_bits: int = 8
    range_policy: RangePolicy = "lossless"
    ranges: tuple[tuple[int, int], ...] = ()
    rounding: Rounding = "half_up"
    wordline_cycles: int = 1
    settle_cycles: int = 0
    adc_cycles: int = 1
    sample_and_hold: bool = False
    double_buffer: bool = True
    tiles: int = 1
    arrays: int = 1
    lanes: int = 16
    buffer_words: int = 4096
    parameter_words: int = 64
    command_entries: int = 8
    rounding_mode: RoundingMode = "exact_rne"
    write_cycles: int = 10
    verify_cycles: int = 2
    write_limit: int = 8

    def __post_init__(self) -> None:
        self._check_sizes()
        self._check_choices()
        self._check_converter()

    def _check_sizes(self) -> None:
        limits = {
            "rows": (2, 2048),
            "columns": (1, 2048),
            "cell_bits": (1, 8),
            "weight_bits": (2, 8),
            "input_bits": (1, 8),
            "plane_bits": (1, 8),
            "columns_per_adc": (1, 4096),
            "adc_bits": (1, 20),
            "wordline_cycles": (0, 1023),
            "settle_cycles": (0, 1023),
            "adc_cycles": (1, 1023),
            "tiles": (1, 256),
            "arrays": (1, 1024),
            "lanes": (1, 64),
            "buffer_words": (2, 1 << 20),
            "parameter_words": (1, 1 << 16),
            "command_entries": (2, 256),
            "write_cycles": (1, 4095),
            "verify_cycles": (1, 4095),
            "write_limit": (1, 255),
        }
        for field, (least, most) in limits.items():
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise InputError(f"{field} must be an integer from {least} to {most}, not {value!r}; choose another")
        for field in ("input_signed", "input_offset", "sample_and_hold", "double_buffer"):
            if not isinstance(getattr(self, field), bool):
                raise InputError(f"{field} must be true or false, not {getattr(self, field)!r}; write one of them")

    def _check_choices(self) -> None:
        for field, kind in (
            ("scheme", Scheme),
            ("range_policy", RangePolicy),
            ("rounding", Rounding),
            ("array", ArrayKind),
            ("rounding_mode", RoundingMode),
        ):
            value = getattr(self, field)
            if value not in get_args(kind):
                raise InputError(f"{field} must be one of {', '.join(get_args(kind))}, not {value!r}; choose one")
        if self.cell_bits > self.weight_bits:
            raise InputError(
                f"cell_bits must be at most weight_bits ({self.weight_bits}), not {self.cell_bits}; use fewer"
            )
        if self.input_bits % self.plane_bits:
            raise InputError(
                f"input_bits must be a multiple of plane_bits, not {self.input_bits} and {self.plane_bits}; "
                "change one of them"
            )
        if self.input_signed and self.plane_bits != 1:
            raise InputError(
                f"signed inputs need plane_bits 1 (their top bit counts negatively), not {self.plane_bits}; "
                "use unsigned inputs or one bit a plane"
            )
        if self.input_signed and self.input_offset:
            raise InputError("inputs must be signed by a negative plane or by an offset, not both; choose one")
        if self.sample_and_hold and self.wordline_cycles + self.settle_cycles < 1:
            raise InputError(
                "sample and hold needs at least one cycle of word lines or settling, not 0; give wordline_cycles"
            )
        if self.command_entries & (self.command_entries - 1):
            raise InputError(f"command_entries must be a power of two, not {self.command_entries}; round it up")
        if self.result_bits > SUM_BITS - 1:
            raise InputError(
                f"a tile's result must fit {SUM_BITS - 1} bits, {self.rows} rows of {self.input_bits} x "
                f"{self.weight_bits} bits need {self.result_bits}; use fewer rows or bits"
            )

    def _check_converter(self) -> None:
        lossless = self.lossless_bits
        if self.range_policy == "lossless" and self.adc_bits < lossless:
            raise InputError(
                f"a lossless converter of {self.rows} rows needs {lossless} bits, not {self.adc_bits}; use them or "
                "name a range policy (full, calibrated, power_of_two)"
            )
        if self.array == "digital" and (self.range_policy != "lossless" or self.plane_bits != 1):
            raise InputError(
                f"a digital array is lossless and takes one bit a plane, not policy {self.range_policy!r} and "
                f"{self.plane_bits} bits; leave both out"
            )
        if self.range_policy == "power_of_two" and self.adc_bits > lossless:
            raise InputError(
                f"power_of_two needs at most the {lossless} lossless bits, not {self.adc_bits}; use policy lossless"
            )
        if (self.range_policy == "calibrated") != bool(self.ranges):
            raise InputError(
                "ranges must be given with policy calibrated and only with it, not "
                f"{len(self.ranges)} ranges with {self.range_policy!r}; calibrate or change the policy"
            )
        if self.ranges and len(self.ranges) != self.slices:
            raise InputError(
                f"ranges must have one entry for each of the {self.slices} slices, not {len(self.ranges)}; add the rest"
            )
        for zero, step in self.ranges:
            if not isinstance(zero, int) or not isinstance(step, int) or step < 1 or abs(zero) >= 1 << 30:
                raise InputError(
                    f"a range must be two integers in 2**-{STEP_FRACTION_BITS} level with a step of at least 1, not "
                    f"{(zero, step)!r}; round them"
                )

    @property
    def signed_codes(self) -> bool:
        """Codes of a converter are signed: the differential scheme."""
        return self.scheme == "differential"

    @property
    def slices(self) -> int:
        """S: physical columns of an output: ceil(weight_bits / c); two's complement ceil((weight_bits - 1) / c) + 1."""
        if self.scheme == "twos_complement":
            return ceil_div(self.weight_bits - 1, self.cell_bits) + 1
        return ceil_div(self.weight_bits, self.cell_bits)

    @property
    def slice_shifts(self) -> tuple[int, ...]:
        """Power of two each slice counts, least significant first."""
        shifts = [self.cell_bits * i for i in range(self.slices)]
        if self.scheme == "twos_complement":
            shifts[-1] = self.weight_bits - 1
        return tuple(shifts)

    @property
    def unit_columns(self) -> int:
        """Columns of a tile that hold the surplus of the offset: 1 for offset_unit."""
        return 1 if self.scheme == "offset_unit" else 0

    @property
    def physical_columns(self) -> int:
        """C: columns (or column pairs) of a tile."""
        return self.columns * self.slices + self.unit_columns

    @property
    def cells_per_column(self) -> int:
        """Cells of one row of a physical column: 2 for the differential scheme."""
        return 2 if self.scheme == "differential" else 1

    @property
    def tile_cells(self) -> int:
        """Cells of a tile, those of all its arrays."""
        return self.rows * self.physical_columns * self.cells_per_column * self.arrays

    @property
    def converters(self) -> int:
        """A: converters of a tile, ceil(C / M); with fewer columns than M, each converter has that many."""
        return ceil_div(self.physical_columns, self.columns_per_adc)

    @property
    def steps(self) -> int:
        """Conversions of one converter in a plane: M, or fewer if the tile has fewer columns."""
        return min(self.columns_per_adc, self.physical_columns)

    @property
    def planes(self) -> int:
        """P: input planes of a vector."""
        return self.input_bits // self.plane_bits

    @property
    def kind(self) -> str:
        """Its kind in the table."""
        return "crossbar"

    @property
    def number(self) -> str:
        """Format of its operands."""
        return "int8"

    @property
    def cells(self) -> None:
        """Converters set the pace, not multipliers."""
        return None

    @property
    def label(self) -> str:
        """Its size in a few words."""
        shared = f", {self.arrays} arrays a tile" if self.arrays > 1 else ""
        return f"{self.tiles} tiles of {self.rows} x {self.columns}{shared}"

    @property
    def macs_per_cycle(self) -> float:
        """Multiply-accumulates of all tiles over the cycles of computing one vector."""
        return self.tiles * self.rows * self.columns / self.compute_cycles

    @property
    def plane_count_sum(self) -> int:
        """Sum of what the planes count: (2**input_bits - 1) / (2**d - 1), or -1 if the first one is negative."""
        return -1 if self.input_signed else ((1 << self.input_bits) - 1) // ((1 << self.plane_bits) - 1)

    @property
    def largest_sum(self) -> int:
        """Largest sum of one column in levels: R (2**c - 1) (2**d - 1)."""
        return self.rows * ((1 << self.cell_bits) - 1) * ((1 << self.plane_bits) - 1)

    @property
    def lossless_bits(self) -> int:
        """Bits of a code for every sum: ceil(log2(largest_sum + 1)), one more if sums are signed."""
        return self.largest_sum.bit_length() + self.signed_codes

    @property
    def code_limits(self) -> tuple[int, int]:
        """Least and largest code."""
        if self.signed_codes:
            return -(1 << (self.adc_bits - 1)), (1 << (self.adc_bits - 1)) - 1
        return 0, (1 << self.adc_bits) - 1

    @property
    def scaled(self) -> bool:
        """Codes stand for levels that are no power of two: the merge multiplies by a step and adds a zero."""
        return self.range_policy in ("full", "calibrated")

    @property
    def converter_ranges(self) -> tuple[tuple[int, int], ...]:
        """(level of code 0, levels per code) of every slice, in 2**-12 level when `scaled`, else in levels.

        full: unsigned codes from 0, signed codes from 0 as well (mid-tread, so that a zero sum reads as zero).
        """
        if self.range_policy == "calibrated":
            return self.ranges
        if self.range_policy == "full":
            step = ceil_div(self.largest_sum << STEP_FRACTION_BITS, self.code_limits[1]) if self.code_limits[1] else 1
            return ((0, step),) * self.slices
        shift = self.lossless_bits - self.adc_bits if self.range_policy == "power_of_two" else 0
        return ((0, 1 << shift),) * self.slices

    @property
    def code_levels_bits(self) -> int:
        """Signed width of the accumulated codes of one column: b + input_bits + 1."""
        return self.adc_bits + self.input_bits + 1

    @property
    def result_bits(self) -> int:
        """Signed width of one tile's result: input_bits + weight_bits + ceil(log2 R) + 1."""
        return self.input_bits + self.weight_bits + (self.rows - 1).bit_length() + 1

    @property
    def load_beats(self) -> int:
        """Words of the bus for the inputs of one tile row: ceil(R / lanes)."""
        return ceil_div(self.rows, self.lanes)

    @property
    def drain_beats(self) -> int:
        """Words of the bus for the outputs of one tile: ceil(N / lanes)."""
        return ceil_div(self.columns, self.lanes)

    @property
    def sensing_cycles(self) -> int:
        """Cycles in which converters convert, per vector: P M adc_cycles."""
        return self.planes * self.steps * self.adc_cycles

    @property
    def compute_cycles(self) -> int:
        """Cycles from the first word line to the last code of one vector.

        One after the other: P (t_wl + M (t_settle + t_adc)). Sample and hold: the planes overlap,
        t_wl + t_settle + (P - 1) max(t_wl + t_settle, M t_adc) + M t_adc.
        """
        if self.sample_and_hold:
            front, back = self.wordline_cycles + self.settle_cycles, self.steps * self.adc_cycles
            return front + (self.planes - 1) * max(front, back) + back
        return self.planes * (self.wordline_cycles + self.steps * (self.settle_cycles + self.adc_cycles))

    @property
    def conversions(self) -> int:
        """Conversions of one tile for one vector: P C."""
        return self.planes * self.physical_columns

    @property
    def conversions_per_mac(self) -> float:
        """P C / (R N)."""
        return self.conversions / (self.rows * self.columns)

    @property
    def input_limits(self) -> tuple[int, int]:
        """Least and largest input."""
        if self.input_signed or self.input_offset:
            return -(1 << (self.input_bits - 1)), (1 << (self.input_bits - 1)) - 1
        return 0, (1 << self.input_bits) - 1

    @property
    def weight_limits(self) -> tuple[int, int]:
        """Least and largest weight: two's complement of weight_bits."""
        return -(1 << (self.weight_bits - 1)), (1 << (self.weight_bits - 1)) - 1
