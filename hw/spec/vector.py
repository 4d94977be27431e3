"""The vector unit: its descriptor, its micro-operations, and the micro-program of every operation.

One table serves all: RTL makes its control from it, the cycle model walks through it, the closed form counts it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.command import pack
from hw.spec.number import OPERAND_CODES, number_format

LANES = 16
"""Lanes of a word: 16 numbers of 16 bits, one word of the shared memory."""
WORD_BITS = 256
DESCRIPTOR_BITS = 160
PREPARE_CYCLES = 2
"""Cycles of a descriptor before its first micro-operation: taken, checked."""

VECTOR_FIELDS: dict[str, int] = {
    "opcode": 4,
    "input_format": 3,
    "output_format": 3,
    "rows": 7,
    "length": 14,
    "length_step": 1,
    "a": 16,
    "b": 16,
    "d": 16,
    "a_stride": 10,
    "b_stride": 10,
    "d_stride": 10,
    "period_log2": 2,
    "scale": 32,
    "epsilon": 16,
}
"""Field -> width in bits, from bit 0 up; 160 bits in all."""

VECTOR_REFUSALS: dict[int, str] = {
    0: "none",
    1: "unknown operation",
    2: "rows or length is zero, or more rows than a transposition has",
    3: "a format this unit was not built for",
    4: "operands or results reach beyond the shared memory",
}
"""Code of a refused descriptor -> meaning; 1 to 4, the first that applies."""

Unit = Literal[
    "move",
    "multiply",
    "add",
    "maximum",
    "exp2",
    "reciprocal",
    "root",
    "select",
    "store",
    "store_index",
    "turn_in",
    "turn_out",
]
"""What a micro-operation does: `select` keeps the larger value and its index, `turn_in` and `turn_out` write a row and
read a column of the transposer."""

Source = Literal["r0", "r1", "r2", "a", "b", "c", "turn", "one", "minus_infinity", "scale", "epsilon", "zero"]
"""An operand of 16 FP32 lanes: a register, the word at a pointer, a column of the transposer, or a constant."""

Repeat = Literal["once", "words", "rows", "lanes"]

LABELS: tuple[str, ...] = ("idle", "prepare", "multiply", "add", "compare", "function", "move", "store", "transpose")
"""Every cycle has one label."""

LABEL_OF: dict[str, str] = {
    "move": "move",
    "multiply": "multiply",
    "add": "add",
    "maximum": "compare",
    "select": "compare",
    "exp2": "function",
    "reciprocal": "function",
    "root": "function",
    "store": "store",
    "store_index": "store",
    "turn_in": "transpose",
    "turn_out": "transpose",
}
"""Unit of a micro-operation -> label of its cycle."""

EVENTS: dict[str, str] = {
    "vector.descriptor": "a descriptor was carried out",
    "vector.refuse": "a descriptor was refused",
    "vector.multiply": "products of FP32 lanes",
    "vector.add": "sums of FP32 lanes",
    "vector.compare": "comparisons of lanes",
    "vector.function": "lanes of exp2, reciprocal or reciprocal root",
    "vector.move": "lanes moved into a register",
    "vector.convert": "lanes rounded to the storage format",
    "vector.transpose": "words into or out of the transposer",
    "shared_memory.vector_read": "words read by the vector unit",
    "shared_memory.vector_write": "words written by the vector unit",
}
"""Event -> what one count of it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MicroOperation:
    """One cycle: `to` = unit(x, y) in all lanes.

    Parameters
    ----------
    unit : Unit
        What is done.
    x, y : Source
        Both may name memory only if they name the same pointer: there is one read port.
    exchange : int
        Lane l of y is taken from lane l xor `exchange`.
    negate : bool
        The sign of y is changed.
    to : str
        "r0" to "r2", or "" for stores and `turn_in`.
    """

    unit: Unit
    x: Source = "zero"
    y: Source = "zero"
    exchange: int = 0
    negate: bool = False
    to: Literal["r0", "r1", "r2", ""] = ""

    @property
    def reads(self) -> str:
        """The pointer whose word is read: "a", "b", "c" or ""."""
        return next((s for s in (self.x, self.y) if s in ("a", "b", "c")), "")

    @property
    def writes(self) -> bool:
        """Whether a word is written to the shared memory."""
        return self.unit in ("store", "store_index", "turn_out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Micro-operations carried out `repeat` times: once, per word of a row, per row, or 16 times.

    Parameters
    ----------
    repeat : Repeat
        How often: "once", "words", "rows" or "lanes" (16 times).
    operations : tuple of MicroOperation
        Carried out in order, all of them in each repetition.
    """

    repeat: Repeat
    operations: tuple[MicroOperation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorProgram:
    """The micro-program of one operation.

    Parameters
    ----------
    opcode : int
        Code of the operation in the descriptor, 4 bits.
    title : str
        What is computed, as a formula.
    outer : "rows" or "words"
        What the sections are gone through for.
    sections : tuple of Section
        Gone through in order in each round of `outer`.
    fill : "zero" or "minus_infinity"
        What lanes of a read word beyond the row's length count as.
    across : str
        Pointer that steps by its stride inside a section and by 1 outside ("a" or "d"); the others the other way round.
    masks : bool
        Lanes beyond the row's length are stored as +0.
    """

    opcode: int
    title: str
    outer: Literal["rows", "words"]
    sections: tuple[Section, ...]
    fill: Literal["zero", "minus_infinity"] = "zero"
    across: Literal["a", "d", ""] = ""
    masks: bool = True


def _op(
    unit: Unit, to: str, x: Source, y: Source = "zero", *, exchange: int = 0, negate: bool = False
) -> MicroOperation:
    return MicroOperation(unit=unit, to=to, x=x, y=y, exchange=exchange, negate=negate)  # pyright: ignore[reportArgumentType]


def _once(*operations: MicroOperation) -> Section:
    return Section(repeat="once", operations=operations)


def _words(*operations: MicroOperation) -> Section:
    return Section(repeat="words", operations=operations)


def _all_lanes(unit: Unit, register: Source) -> tuple[MicroOperation, ...]:
    """Combine the 16 lanes of a register in four steps; every lane then holds the same result."""
    return tuple(_op(unit, register, register, register, exchange=1 << step) for step in range(4))


_STORE = _op("store", "", "r0")

PROGRAMS: dict[str, VectorProgram] = {
    "ADD": VectorProgram(
        opcode=1,
        title="d = a + b",
        outer="rows",
        sections=(_words(_op("move", "r0", "a"), _op("add", "r0", "r0", "b"), _STORE),),
    ),
    "MUL": VectorProgram(
        opcode=2,
        title="d = a * b",
        outer="rows",
        sections=(_words(_op("move", "r0", "a"), _op("multiply", "r0", "r0", "b"), _STORE),),
    ),
    "SCALE": VectorProgram(
        opcode=3,
        title="d = a * scale, in another format if asked",
        outer="rows",
        sections=(_words(_op("multiply", "r0", "a", "scale"), _STORE),),
    ),
    # scale is -s log2(e): SiLU with s = 1, GELU in its sigmoid form with s = 1.702
    "GATE": VectorProgram(
        opcode=4,
        title="d = a / (1 + 2**(a * scale)) * b",
        outer="rows",
        sections=(
            _words(
                _op("multiply", "r0", "a", "scale"),
                _op("exp2", "r0", "r0"),
                _op("add", "r0", "r0", "one"),
                _op("reciprocal", "r0", "r0"),
                _op("multiply", "r0", "r0", "a"),
                _op("multiply", "r0", "r0", "b"),
                _STORE,
            ),
        ),
    ),
    "ACTIVATE": VectorProgram(
        opcode=5,
        title="d = a / (1 + 2**(a * scale))",
        outer="rows",
        sections=(
            _words(
                _op("multiply", "r0", "a", "scale"),
                _op("exp2", "r0", "r0"),
                _op("add", "r0", "r0", "one"),
                _op("reciprocal", "r0", "r0"),
                _op("multiply", "r0", "r0", "a"),
                _STORE,
            ),
        ),
    ),
    # scale is 1 / length
    "RMS_NORM": VectorProgram(
        opcode=6,
        title="d = a * rsqrt(mean of squares + epsilon) * b",
        outer="rows",
        sections=(
            _once(_op("move", "r1", "zero")),
            _words(_op("multiply", "r0", "a", "a"), _op("add", "r1", "r1", "r0")),
            _once(
                *_all_lanes("add", "r1"),
                _op("multiply", "r1", "r1", "scale"),
                _op("add", "r1", "r1", "epsilon"),
                _op("root", "r1", "r1"),
            ),
            _words(_op("multiply", "r0", "r1", "a"), _op("multiply", "r0", "r0", "b"), _STORE),
        ),
    ),
    # lanes beyond the length hold -mean before they are squared: the length must be whole words
    "LAYER_NORM": VectorProgram(
        opcode=7,
        title="d = (a - mean) * rsqrt(variance + epsilon) * b",
        outer="rows",
        sections=(
            _once(_op("move", "r1", "zero")),
            _words(_op("add", "r1", "r1", "a")),
            _once(*_all_lanes("add", "r1"), _op("multiply", "r1", "r1", "scale"), _op("move", "r2", "zero")),
            _words(
                _op("add", "r0", "a", "r1", negate=True),
                _op("multiply", "r0", "r0", "r0"),
                _op("add", "r2", "r2", "r0"),
            ),
            _once(
                *_all_lanes("add", "r2"),
                _op("multiply", "r2", "r2", "scale"),
                _op("add", "r2", "r2", "epsilon"),
                _op("root", "r2", "r2"),
            ),
            _words(
                _op("add", "r0", "a", "r1", negate=True),
                _op("multiply", "r0", "r0", "r2"),
                _op("multiply", "r0", "r0", "b"),
                _STORE,
            ),
        ),
    ),
    # scale is s log2(e)
    "SOFTMAX": VectorProgram(
        opcode=8,
        title="d = 2**((a - max) * scale) / sum",
        outer="rows",
        fill="minus_infinity",
        sections=(
            _once(_op("move", "r1", "minus_infinity")),
            _words(_op("maximum", "r1", "r1", "a")),
            _once(*_all_lanes("maximum", "r1"), _op("move", "r2", "zero")),
            _words(
                _op("add", "r0", "a", "r1", negate=True),
                _op("multiply", "r0", "r0", "scale"),
                _op("exp2", "r0", "r0"),
                _op("add", "r2", "r2", "r0"),
            ),
            _once(*_all_lanes("add", "r2"), _op("reciprocal", "r2", "r2")),
            _words(
                _op("add", "r0", "a", "r1", negate=True),
                _op("multiply", "r0", "r0", "scale"),
                _op("exp2", "r0", "r0"),
                _op("multiply", "r0", "r0", "r2"),
                _STORE,
            ),
        ),
    ),
    # b: cosines of a row's first `period` words, each angle twice; c: sines behind them, -sin and +sin in turn
    "ROTARY": VectorProgram(
        opcode=9,
        title="d = a * b + (neighbours of a exchanged) * c",
        outer="rows",
        sections=(
            _words(
                _op("move", "r0", "a"),
                _op("multiply", "r1", "r0", "b"),
                _op("move", "r2", "c"),
                _op("multiply", "r0", "r2", "r0", exchange=1),
                _op("add", "r0", "r1", "r0"),
                _STORE,
            ),
        ),
    ),
    "ARG_MAX": VectorProgram(
        opcode=10,
        title="d = place of the largest a, the first of equals, as an integer in lane 0",
        outer="rows",
        fill="minus_infinity",
        masks=False,
        sections=(
            _once(_op("move", "r0", "minus_infinity")),
            _words(_op("select", "r0", "r0", "a")),
            _once(*_all_lanes("select", "r0"), _op("store_index", "", "r0")),
        ),
    ),
    "SPREAD": VectorProgram(
        opcode=11,
        title="rows of features become words of one feature: d[feature] = (a[row 0], a[row 1], ...)",
        outer="words",
        across="a",
        masks=False,
        sections=(
            Section(repeat="rows", operations=(_op("turn_in", "", "a"),)),
            Section(repeat="lanes", operations=(_op("turn_out", "", "turn"),)),
        ),
    ),
    "GATHER": VectorProgram(
        opcode=12,
        title="words of one feature become rows of features: d[row] = lane `row` of (a[0], a[1], ...)",
        outer="words",
        across="d",
        masks=False,
        sections=(
            Section(repeat="lanes", operations=(_op("turn_in", "", "a"),)),
            Section(repeat="rows", operations=(_op("turn_out", "", "turn"),)),
        ),
    ),
    "SUM_LANES": VectorProgram(
        opcode=13,
        title="lane i of d = sum of the 16 lanes of a[i], lanes ascending",
        outer="words",
        masks=False,
        sections=(
            Section(repeat="lanes", operations=(_op("turn_in", "", "a"),)),
            _once(_op("move", "r0", "zero")),
            Section(repeat="lanes", operations=(_op("add", "r0", "r0", "turn"),)),
            _once(_STORE),
        ),
    ),
}
"""Operation -> its micro-program."""

BLOCK_OPERATIONS = tuple(name for name, program in PROGRAMS.items() if program.outer == "words")
"""Operations on blocks of 16 words: they work on whole words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorSpec:
    """A vector unit of 16 FP32 lanes beside a shared memory of 256-bit words.

    Parameters
    ----------
    memory_words : int
        Words of the shared memory; what reaches beyond is refused.
    formats : tuple of str
        Storage formats of the build, of "bf16" and "fp16".
    """

    memory_words: int = 8192
    formats: tuple[str, ...] = ("bf16", "fp16")

    def __post_init__(self) -> None:
        if not isinstance(self.memory_words, int) or not 16 <= self.memory_words <= 1 << 16:
            raise InputError(f"memory_words must be an integer from 16 to 65536, not {self.memory_words!r}")
        if not self.formats or any(name not in ("bf16", "fp16") for name in self.formats):
            raise InputError(
                f"formats of a vector unit must be of bf16 and fp16, not {', '.join(self.formats) or 'none'}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorCommand:
    """One operation on `rows` rows of `length` elements, 16 to a word; addresses in words of the shared memory.

    Parameters
    ----------
    operation : str
        A name of `PROGRAMS`.
    rows, length : int
        1 to 127 (transpositions: 16), 1 to 16383.
    length_step : int
        1: each row is one element longer than the row before, as in causal attention.
    a, b, d : int
        First words of the operands and of the result.
    a_stride, b_stride, d_stride : int
        Words from a row (block) to the next.
    period : int
        ROTARY: words of a head: 1, 2, 4 or 8.
    scale : int
        FP32 code.
    epsilon : int
        Upper half of an FP32 code.
    input_format, output_format : str
        "bf16" or "fp16".
    """

    operation: str
    length: int
    rows: int = 1
    length_step: int = 0
    a: int = 0
    b: int = 0
    d: int = 0
    a_stride: int = 0
    b_stride: int = 0
    d_stride: int = 0
    period: int = 1
    scale: int = 0
    epsilon: int = 0
    input_format: str = "bf16"
    output_format: str = "bf16"

    def fields(self) -> Mapping[str, int]:
        """The values of `VECTOR_FIELDS`."""
        if self.operation not in PROGRAMS:
            raise InputError(
                f"an operation of the vector unit must be one of {', '.join(PROGRAMS)}, not {self.operation!r}"
            )
        if self.period not in (1, 2, 4, 8):
            raise InputError(f"period must be 1, 2, 4 or 8 words, not {self.period!r}")
        values = {
            name: getattr(self, name)
            for name in VECTOR_FIELDS
            if name not in ("opcode", "input_format", "output_format", "period_log2")
        }
        return values | {
            "opcode": PROGRAMS[self.operation].opcode,
            "period_log2": self.period.bit_length() - 1,
            "input_format": OPERAND_CODES[number_format(self.input_format).name],
            "output_format": OPERAND_CODES[number_format(self.output_format).name],
        }

    def pack(self) -> int:
        """The descriptor as one integer of `DESCRIPTOR_BITS` bits."""
        return pack(VECTOR_FIELDS, self.fields())


def unpack(descriptor: int) -> dict[str, int]:
    """The fields of a packed descriptor."""
    values, low = {}, 0
    for name, width in VECTOR_FIELDS.items():
        values[name] = descriptor >> low & (1 << width) - 1
        low += width
    return values


def program_of(opcode: int) -> VectorProgram | None:
    """The program with this code, or None."""
    return next((program for program in PROGRAMS.values() if program.opcode == opcode), None)


def refusal(spec: VectorSpec, fields: Mapping[str, int]) -> int:
    """Code of `VECTOR_REFUSALS` that a descriptor is refused with, 0 if it is carried out."""
    program = program_of(fields["opcode"])
    if program is None:
        return 1
    if not fields["rows"] or not fields["length"] or (program.outer == "words" and fields["rows"] > LANES):
        return 2
    if not {fields["input_format"], fields["output_format"]} <= {OPERAND_CODES[name] for name in spec.formats}:
        return 3
    return 4 if max(reach(program, fields).values()) > spec.memory_words else 0


def reach(program: VectorProgram, fields: Mapping[str, int]) -> dict[str, int]:
    """Pointer -> first word behind what is read or written through it.

    With last = rows - 1 (blocks: words - 1) a pointer reaches base + last * stride + words; where it steps across,
    base + (rows - 1) * stride + words. Inside a block 16 words. ROTARY reads 2 * period words a row through b; others
    a word of b for each word of a, also where they have no b (then b is 0 with stride 0 and reaches no further).
    """
    last_row = fields["rows"] - 1
    words = words_of(fields["length"] + (last_row if fields["length_step"] else 0))
    rows = program.outer == "rows"
    out = {}
    for name in ("a", "b", "d"):
        stride = fields[f"{name}_stride"]
        if rows or program.across == name:
            last, inside = last_row, words
        else:
            last, inside = words - 1, LANES
        if program.opcode == PROGRAMS["ROTARY"].opcode and name == "b":
            inside = 2 << fields["period_log2"]
        if program.opcode == PROGRAMS["ARG_MAX"].opcode and name == "d":
            inside = 1
        if program.opcode == PROGRAMS["SUM_LANES"].opcode and name == "d":
            inside = 1
        if not rows and name == "b":
            inside, last = 0, 0
        out[name] = fields[name] + last * stride + inside
    return out


def words_of(length: int) -> int:
    """Words that hold `length` elements."""
    return ceil_div(length, LANES)
