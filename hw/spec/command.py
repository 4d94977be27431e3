"""The command descriptor, the output stage's parameter word and the memory words: fields, widths, packing.

RTL builds its layouts from these tables, the model packs integers with them. Fields are listed from bit 0 up.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hw.spec.core import CoreSpec
from hw.spec.error import InputError
from hw.spec.number import number_format

OPCODE_GEMM = 1

REFUSALS: dict[int, str] = {
    0: "none",
    1: "unknown opcode",
    2: "a size is zero",
    3: "k_blocks exceeds what a 32-bit accumulator holds",
    4: "activations reach beyond their memory",
    5: "weights reach beyond their memory",
    6: "parameters reach beyond their memory",
    7: "outputs reach beyond their memory",
}
"""Status code of the last refused command -> meaning."""

COMMAND_FIELDS: dict[str, int] = {
    "opcode": 8,
    "m": 24,
    "n_blocks": 16,
    "k_blocks": 16,
    "activation_address": 24,
    "weight_address": 24,
    "parameter_address": 24,
    "output_address": 24,
}
"""Field -> width in bits, all unsigned; the same for every core."""

LANE_FIELDS: dict[str, int] = {"bias": 32, "multiplier": 32, "shift": 5}
"""One lane of a parameter word: bias and multiplier signed, shift unsigned."""

COMMON_FIELDS: dict[str, int] = {"zero_point": 8, "low": 8, "high": 8}
"""After the lanes of a parameter word, shared by all its lanes; signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One GEMM on operands already in the memories: sizes in blocks, addresses in words.

    Activation word kb*m + i holds A[i, kb*R:(kb+1)*R]; weight word (nb*k_blocks + kb)*R + r holds
    W[kb*R + r, nb*C:(nb+1)*C]; parameter word nb serves columns nb*C..; output word nb*m + i receives
    out[i, nb*C:(nb+1)*C]; each relative to its address, zero padded. With INT4 pairs lane r of K block kb
    holds the two terms k = kb*2R + 2r (low half) and the next (high half).
    """

    m: int
    n_blocks: int
    k_blocks: int
    activation_address: int = 0
    weight_address: int = 0
    parameter_address: int = 0
    output_address: int = 0
    opcode: int = OPCODE_GEMM

    def pack(self) -> int:
        """The descriptor as one integer of `command_bits()` bits."""
        return pack(COMMAND_FIELDS, {name: getattr(self, name) for name in COMMAND_FIELDS})


def command_bits() -> int:
    """Width of a packed descriptor."""
    return sum(COMMAND_FIELDS.values())


def activation_word_bits(core: CoreSpec) -> int:
    """Width of a word of the activation memory: `rows` activations, row 0 in the low bits."""
    return core.array.rows * core.array.activation_lane_bits


def weight_word_bits(core: CoreSpec) -> int:
    """Width of a word of the weight memory: `columns` weights, column 0 in the low bits."""
    return core.array.columns * core.array.weight_lane_bits


def parameter_word_bits(core: CoreSpec) -> int:
    """Width of a word of the parameter memory: `columns` lanes, then the common fields."""
    return core.array.columns * sum(LANE_FIELDS.values()) + sum(COMMON_FIELDS.values())


def output_word_bits(core: CoreSpec) -> int:
    """Width of a word of the output memory: `columns` outputs, column 0 in the low bits."""
    return core.array.columns * number_format(core.output_format).bits


def pack(fields: Mapping[str, int], values: Mapping[str, int]) -> int:
    """Join `values` into one integer, first field lowest; negative values in two's complement.

    Raises
    ------
    InputError
        If a value does not fit its field.
    """
    word = position = 0
    for name, width in fields.items():
        value = values[name]
        if not -(1 << (width - 1)) <= value < 1 << width:
            raise InputError(f"{name} must fit {width} bits, {value} does not")
        word |= (value & ((1 << width) - 1)) << position
        position += width
    return word
