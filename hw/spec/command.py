"""The command descriptor, the output stage's parameter word and the memory words: fields, widths, packing.

RTL builds its layouts from these tables, the model packs integers with them. Fields are listed from bit 0 up.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hw.base.error import InputError
from hw.spec.core import CoreSpec
from hw.spec.number import number_format

OPCODE_GEMM = 1
OPCODE_CONV = 2
OPCODE_COPY = 3
OPCODE_CONFIG = 4
OPCODE_FENCE = 5

COPY_TARGETS: dict[str, int] = {
    "external_to_activation": 0,
    "external_to_weight": 1,
    "external_to_parameter": 2,
    "output_to_external": 3,
    "output_to_activation": 4,
    "output_to_activation_max": 5,
}
"""From where to where a COPY moves words -> its code."""

REFUSALS: dict[int, str] = {
    0: "none",
    1: "unknown opcode",
    2: "a size is zero",
    3: "k_blocks exceeds what a 32-bit accumulator holds",
    4: "activations reach beyond their memory",
    5: "weights reach beyond their memory",
    6: "parameters reach beyond their memory",
    7: "outputs reach beyond their memory",
    8: "this core has no copy channels",
    9: "unknown target of a copy",
    10: "a copy reaches beyond the external memory",
    11: "a geometry is impossible, or does not fit the command that uses it",
    12: "operands of a format this core was not built for",
}
"""Status code of the last refused command -> meaning."""

COMMAND_FIELDS: dict[str, int] = {
    "opcode": 8,
    "m": 24,
    "n_blocks": 16,
    "k_blocks": 16,
    "activation_address": 24,
    "weight_address": 24,
    "parameter_address": 16,
    "activation_format": 4,
    "weight_format": 4,
    "output_address": 24,
}
"""Field -> width in bits, all unsigned; the same for every core."""

CONFIG_FIELDS: dict[str, int] = {
    "opcode": 8,
    "images": 12,
    "height": 12,
    "width": 12,
    "out_height": 12,
    "out_width": 12,
    "kernel_height": 4,
    "kernel_width": 4,
    "stride": 4,
    "dilation": 4,
    "pad_top": 4,
    "pad_left": 4,
    "groups": 16,
    "group_blocks": 16,
}
"""Field -> width of a CONFIG descriptor, as `Geometry`."""

COPY_FIELDS: dict[str, int] = {
    "opcode": 8,
    "target": 8,
    "overlap": 8,
    "words": 24,
    "address": 24,
    "other_address": 32,
}
"""Field -> width of a COPY descriptor, all unsigned; it starts at bit 0 of a command and leaves the rest zero."""

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

    `activation_format` and `weight_format` are codes of `OPERAND_CODES`: a core built for others refuses the command;
    0 is not checked.

    With opcode CONV, m is all output pixels, k_blocks the channel blocks of a group, and the weight word of
    column block nb, channel block cb, kernel position (i, j) and row r is number
    (((nb*k_blocks + cb)*kernel_height + i)*kernel_width + j)*R + r; the rest is in `Geometry`.

    Parameters
    ----------
    m : int
        Rows of A and of the result; with CONV all output pixels. 24 bits, at least 1.
    n_blocks : int
        Blocks of `columns` columns of the result. 16 bits, at least 1.
    k_blocks : int
        Blocks of the array's `k_per_block` terms of K; with CONV of the channels of one group. 16 bits, at least 1.
    activation_address, weight_address, parameter_address : int
        First word read in the activation, the weight and the parameter memory.
    output_address : int
        First word written in the output memory.
    activation_format, weight_format : int
        Code of `OPERAND_CODES`, 0 for whatever the core was built for.
    opcode : int
        `OPCODE_GEMM` or `OPCODE_CONV`.
    """

    m: int
    n_blocks: int
    k_blocks: int
    activation_address: int = 0
    weight_address: int = 0
    parameter_address: int = 0
    output_address: int = 0
    activation_format: int = 0
    weight_format: int = 0
    opcode: int = OPCODE_GEMM

    def pack(self) -> int:
        """The descriptor as one integer of `command_bits()` bits."""
        return pack(COMMAND_FIELDS, {name: getattr(self, name) for name in COMMAND_FIELDS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """A CONFIG: the geometry of the CONV commands and max-pooling copies that follow.

    Activations lie as [channel block][image][row][pixel], one word of `rows` channels each. Output pixel (y, x)
    takes input pixels (y*stride - pad_top + i*dilation, x*stride - pad_left + j*dilation); pixels outside are
    zero and not read (ignored by pooling). Padding below and to the right is what the output size implies.

    Parameters
    ----------
    images : int
        Images of the batch.
    height, width : int
        Size of an input image in pixels, without padding.
    out_height, out_width : int
        Size of an output image in pixels.
    kernel_height, kernel_width : int
        Positions of the kernel (of the window of a max pooling) down and across.
    stride : int
        Input pixels from an output pixel to the next, the same in both directions.
    dilation : int
        Input pixels from a kernel position to the next, the same in both directions; 1 for a dense kernel.
    pad_top, pad_left : int
        Lines above and columns left of the image that count as padding; 0 for none.
    groups, group_blocks : int
        Output column blocks group_blocks*g ... of a CONV take the g-th `k_blocks` channel blocks; groups *
        group_blocks must be its n_blocks. Groups smaller than a block are zeros in the weights.
    """

    images: int
    height: int
    width: int
    out_height: int
    out_width: int
    kernel_height: int = 1
    kernel_width: int = 1
    stride: int = 1
    dilation: int = 1
    pad_top: int = 0
    pad_left: int = 0
    groups: int = 1
    group_blocks: int = 1

    @property
    def taps(self) -> int:
        """Positions of the kernel."""
        return self.kernel_height * self.kernel_width

    @property
    def plane(self) -> int:
        """Input words of one channel block."""
        return self.images * self.height * self.width

    @property
    def pixels(self) -> int:
        """Output words of one column block."""
        return self.images * self.out_height * self.out_width

    def pack(self) -> int:
        """The descriptor as one integer of `command_bits()` bits."""
        fields = [name for name in CONFIG_FIELDS if name != "opcode"]
        return pack(CONFIG_FIELDS, {"opcode": OPCODE_CONFIG} | {name: getattr(self, name) for name in fields})


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """`words` memory words moved by a copy channel, at its own pace beside the computation.

    A GEMM that follows waits word by word: it reads a word as soon as this copy has written it. A copy waits
    only for GEMMs before it, and lets the last `overlap` of these run on: they must not read what it
    overwrites. A copy of outputs with `overlap` 0 follows the last GEMM row by row as long as rows leave at
    ascending addresses (always so if m is at most one block of rows; never where `rows_ascend` of the array is
    false), else it waits for the GEMM's end; a later GEMM's row waits until the word it overwrites has been
    copied. Copies of one channel keep their order; those of different channels do not (use a FENCE between a write
    to the external memory and a read of it).

    Parameters
    ----------
    target : str
        One of `COPY_TARGETS`; output_to_activation only if words of both memories have the same width.
    words : int
    address : int
        First word of the memory beside the array: destination, or source in the output memory.
    other_address : int
        First beat in the external memory, or first word of the activation memory for output_to_activation.
    overlap : int
        0 to 255.
    """

    target: str
    words: int
    address: int = 0
    other_address: int = 0
    overlap: int = 0

    def pack(self) -> int:
        """The descriptor as one integer of `command_bits()` bits."""
        if self.target not in COPY_TARGETS:
            raise InputError(f"target of a copy must be one of {', '.join(COPY_TARGETS)}, not {self.target!r}")
        values = {"opcode": OPCODE_COPY, "target": COPY_TARGETS[self.target]}
        values |= {name: getattr(self, name) for name in ("overlap", "words", "address", "other_address")}
        return pack(COPY_FIELDS, values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """Commands after it are decoded when all before it have ended."""

    def pack(self) -> int:
        """The descriptor as one integer of `command_bits()` bits."""
        return OPCODE_FENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """A descriptor bit by bit, whether the core understands it or not.

    Parameters
    ----------
    word : int
        The whole descriptor of `command_bits()` bits, opcode in the lowest 8.
    """

    word: int

    def pack(self) -> int:
        """The descriptor as one integer of `command_bits()` bits."""
        return self.word


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


def unpack(fields: Mapping[str, int], word: int) -> dict[str, int]:
    """The fields of `word`, all unsigned; the inverse of `pack` for values of at least 0."""
    values = {}
    for name, width in fields.items():
        values[name] = word & ((1 << width) - 1)
        word >>= width
    return values


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
