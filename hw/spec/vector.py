"""The vector unit: its build, its descriptor and what it refuses."""

from collections.abc import Mapping
from dataclasses import dataclass

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.command import pack
from hw.spec.number import OPERAND_CODES, number_format
from hw.spec.vector_micro import LANES, VectorProgram
from hw.spec.vector_program import PROGRAMS, program_of

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
