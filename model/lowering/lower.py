"""From GEMMs to commands and memory words: packing, splitting what does not fit, unpacking results."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.command import COMMON_FIELDS, LANE_FIELDS, Command
from hw.spec.core import CoreSpec
from hw.spec.number import OPERAND_CODES, number_format
from model.number.codec import code_type
from model.work.workload import Gemm, GemmJob, OutputStage


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """Rows `m0` to `m1` and columns `n0` to `n1` of a GEMM (ends excluded), run by one command with the whole of K.

    Parameters
    ----------
    command : Command
        Its sizes in rows and blocks; addresses are 0 until `place` assigns them.
    """

    m0: int
    m1: int
    n0: int
    n1: int
    command: Command

    @property
    def m(self) -> int:
        """Rows."""
        return self.m1 - self.m0

    @property
    def n(self) -> int:
        """Columns."""
        return self.n1 - self.n0


MOST_COMMANDS = 1_000_000
"""A product of more commands than this is not cut into them."""


def commands_of(core: CoreSpec, gemm: Gemm) -> int:
    """How many tiles `split` would make; `InputError` as it."""
    _, _, n_blocks, group, height = _cut(core, gemm)
    return ceil_div(n_blocks, group) * ceil_div(gemm.m, height)


def _cut(core: CoreSpec, gemm: Gemm) -> tuple[int, int, int, int, int]:
    """Columns of the array, K blocks, column blocks, and column blocks and rows of one command."""
    tile, columns, block = core.array.tile_words, core.array.columns, core.array.k_per_block
    k_blocks, n_blocks = ceil_div(gemm.k, block), ceil_div(gemm.n, columns)
    if gemm.k > core.largest_k:
        raise InputError(
            f"k of GEMM {gemm.name!r} must be at most {core.largest_k_rule}, not {gemm.k}; split it over k"
        )
    weights, activations = core.weight_words // tile * block, core.activation_words * block
    if gemm.k > min(weights, activations):
        raise InputError(
            f"k of GEMM {gemm.name!r} must be at most {weights} = weight_words / {tile} * {block} (one column block of "
            f"weights) and {activations} = activation_words * {block} (one row of activations) on this core, not "
            f"{gemm.k}; split it over k"
        )
    if k_blocks >= 1 << 16:
        raise InputError(
            f"k of GEMM {gemm.name!r} must be at most {((1 << 16) - 1) * block} (65535 blocks of {block} in a command) "
            f"on this core, not {gemm.k}; split it over k"
        )
    group = min(n_blocks, core.weight_words // (k_blocks * tile), core.parameter_words, core.output_words)
    held = core.activation_words // k_blocks * (core.array.rows // core.array.activation_words(core.array.rows))
    height = min(gemm.m, held, core.output_words // group)
    return columns, k_blocks, n_blocks, group, height


def split(core: CoreSpec, gemm: Gemm) -> list[Tile]:
    """The tiles of one `gemm`, each with all its operands in the memories at address 0.

    Columns are split first by what the weight, parameter and output memories hold, then rows; the tiles of
    one column group follow one another so that its weights may stay.

    Raises
    ------
    InputError
        If K does not fit: one column block of weights or one row of activations exceeds its memory, or a
        sum could leave the accumulator.
    """
    columns, k_blocks, n_blocks, group, height = _cut(core, gemm)
    if ceil_div(n_blocks, group) * ceil_div(gemm.m, height) > MOST_COMMANDS:
        raise InputError(
            f"GEMM {gemm.name!r} must be at most {MOST_COMMANDS:,} commands on this core, not "
            f"{ceil_div(n_blocks, group) * ceil_div(gemm.m, height):,}; cut it or give the core larger memories"
        )
    formats = {
        "activation_format": OPERAND_CODES[core.array.activation_format],
        "weight_format": OPERAND_CODES[core.array.weight_format],
    }
    return [
        Tile(
            m0=m0,
            m1=min(m0 + height, gemm.m),
            n0=n0 * columns,
            n1=min((n0 + group) * columns, gemm.n),
            command=Command(
                m=min(height, gemm.m - m0), n_blocks=min(group, n_blocks - n0), k_blocks=k_blocks, **formats
            ),
        )
        for n0 in range(0, n_blocks, group)
        for m0 in range(0, gemm.m, height)
    ]


def place(core: CoreSpec, commands: list[Command]) -> list[list[Command]]:
    """Group `commands`, in order, into batches that fit the memories together; addresses assigned.

    All commands of a batch can be queued at once: no two share a word.
    """
    batches: list[list[Command]] = []
    free = [0, 0, 0, 0]
    limits = (core.activation_words, core.weight_words, core.parameter_words, core.output_words)
    for command in commands:
        need = words_of(core, command)
        if not batches or any(f + n > limit for f, n, limit in zip(free, need, limits, strict=True)):
            batches.append([])
            free = [0, 0, 0, 0]
        batches[-1].append(
            replace(
                command,
                activation_address=free[0],
                weight_address=free[1],
                parameter_address=free[2],
                output_address=free[3],
            )
        )
        free = [f + n for f, n in zip(free, need, strict=True)]
    return batches


def words_of(core: CoreSpec, command: Command) -> tuple[int, int, int, int]:
    """Words of the activation, weight, parameter and output memory that `command` uses."""
    return (
        core.array.activation_words(command.m) * command.k_blocks,
        command.n_blocks * command.k_blocks * core.array.tile_words,
        command.n_blocks,
        command.m * command.n_blocks,
    )


def _padded(matrix: np.ndarray, height: int, width: int) -> np.ndarray:
    """`matrix` with zeros below and to the right."""
    padded = np.zeros((height, width), dtype=matrix.dtype)
    padded[: matrix.shape[0], : matrix.shape[1]] = matrix
    return padded


def _lanes(core: CoreSpec, operand: np.ndarray, format_name: str) -> np.ndarray:
    """Neighbours along the first axis joined into one lane where a lane holds two INT4; else as given.

    Floating-point operands are codes, unsigned and as wide as `format_name`.

    Raises
    ------
    InputError
        If the operand is not INT8, an INT4 value is out of range, or codes are not as wide as their format.
    """
    array, bits = core.array, number_format(format_name).bits
    if array.is_floating_point:
        if operand.dtype.kind != "u" or operand.dtype.itemsize * 8 != bits:
            raise InputError(
                f"floating-point operands must be codes, given as uint{bits} arrays on this core, not "
                f"{operand.dtype}; encode them first"
            )
        return operand
    if operand.dtype != np.int8:
        raise InputError(
            f"integer operands must be given as int8 arrays for {array.activation_format} with "
            f"{array.weight_format}, not as {operand.dtype}; convert them first"
        )
    if bits == 4 and operand.size and (operand.min() < -8 or operand.max() > 7):
        raise InputError(f"INT4 operands must be -8 to 7, not {operand.min()} to {operand.max()}")
    if array.terms_per_lane == 1:
        return operand
    low, high = operand[0::2].view(np.uint8) & 15, operand[1::2].view(np.uint8) & 15
    return (low | high << 4).view(np.int8)


def activation_words(core: CoreSpec, activations: np.ndarray) -> np.ndarray:
    """Words (words, rows) of lanes from activations (m, k), zero padded.

    Weight-stationary: word kb*m + i is A[i, kb*R:(kb+1)*R]. Output-stationary: word mb*K + j is A[mb*R:(mb+1)*R, j].
    """
    array = core.array
    m, k = activations.shape
    k_blocks, rows = ceil_div(k, array.k_per_block), array.rows
    height = array.activation_words(m) * array.rows_per_word
    padded = _padded(activations, height, k_blocks * array.k_per_block)
    lanes = _lanes(core, np.ascontiguousarray(padded.T), array.activation_format).T
    if array.rows_per_word > 1:
        return lanes.reshape(-1, rows, k_blocks).transpose(0, 2, 1).reshape(-1, rows)
    return lanes.reshape(m, k_blocks, rows).transpose(1, 0, 2).reshape(-1, rows)


def weight_words(core: CoreSpec, weights: np.ndarray) -> np.ndarray:
    """Words (words, columns) of lanes from weights (k, n), column block outermost, then k; zero padded."""
    k, n = weights.shape
    columns = core.array.columns
    k_blocks, n_blocks = ceil_div(k, core.array.k_per_block), ceil_div(n, columns)
    padded = _padded(weights, k_blocks * core.array.k_per_block, n_blocks * columns)
    lanes = _lanes(core, padded, core.array.weight_format)
    return lanes.reshape(-1, n_blocks, columns).transpose(1, 0, 2).reshape(-1, columns)


def check_formats(core: CoreSpec, jobs: Sequence[GemmJob]) -> None:
    """Raise `InputError` unless every job has its operands in the formats of `core`."""
    array = core.array
    for job in jobs:
        if (job.activation_format, job.weight_format) != (array.activation_format, array.weight_format):
            raise InputError(
                f"operands of GEMM {job.gemm.name!r} must be {array.activation_format} x {array.weight_format} on this "
                f"core, they are {job.activation_format} x {job.weight_format}; choose a workload in its formats"
            )


def parameter_words(core: CoreSpec, output: OutputStage) -> list[int]:
    """One integer per block of columns: lanes of (bias, multiplier, shift), then zero point, low, high.

    Raises
    ------
    InputError
        If a shift is not 0 to 31 or a common field not INT8.
    """
    columns = core.array.columns
    shift = output.shift
    if shift.size and not (shift.min() >= 0 and shift.max() <= 31):
        raise InputError(f"shift must be 0 to 31, not {shift.min()} to {shift.max()}")
    common = 0
    position = 0
    for name, width in COMMON_FIELDS.items():
        value = int(getattr(output, name))
        if not -128 <= value <= 127:
            raise InputError(f"{name} of the output stage must be -128 to 127, not {value}")
        common |= (value & 0xFF) << position
        position += width
    lane_bits = sum(LANE_FIELDS.values())
    words = []
    for start in range(0, output.bias.size, columns):
        word = common << (columns * lane_bits)
        for lane in range(min(columns, output.bias.size - start)):
            position = lane * lane_bits
            for name, width in LANE_FIELDS.items():
                word |= (int(getattr(output, name)[start + lane]) & ((1 << width) - 1)) << position
                position += width
        words.append(word)
    return words


def integers(words: np.ndarray, lane_bits: int | None = None) -> list[int]:
    """Each row of an array (words, lanes) as one integer, lane 0 in the low bits; INT4 lanes with `lane_bits` = 4."""
    if lane_bits == 4:
        even = words.shape[1] % 2
        halves = np.pad(words.view(np.uint8) & 15, ((0, 0), (0, even)))
        words = halves[:, 0::2] | halves[:, 1::2] << 4
    return [int.from_bytes(word.tobytes(), "little") for word in np.ascontiguousarray(words)]


def operands(core: CoreSpec, operand: str, words: np.ndarray) -> np.ndarray:
    """What memory words hold, given as bytes: uint8 (words, bytes per word).

    `operand` "activation": (words, rows * terms per lane), the terms of a lane side by side; "weight": (words * terms
    per lane, columns), k ascending. int8, or codes of a floating-point format.
    """
    array = core.array
    lanes, bits, name = (
        (array.rows, array.activation_lane_bits, array.activation_format)
        if operand == "activation"
        else (array.columns, array.weight_lane_bits, array.weight_format)
    )
    fmt = number_format(name)
    words = np.ascontiguousarray(words)
    if not fmt.is_integer:
        return words.view(code_type(name))
    if bits == 8 and array.terms_per_lane == 1:
        return words.view(np.int8)
    nibbles = np.stack([words & 15, words >> 4], axis=-1)
    values = ((nibbles ^ 8).astype(np.int8) - 8).reshape(len(words), -1)
    if array.terms_per_lane == 1:
        return values[:, :lanes]
    if operand == "activation":
        return values
    return values.reshape(len(words), lanes, 2).transpose(0, 2, 1).reshape(-1, lanes)


def part(output: OutputStage, n0: int, n1: int) -> OutputStage:
    """The parameters of columns `n0` to `n1`."""
    return replace(output, bias=output.bias[n0:n1], multiplier=output.multiplier[n0:n1], shift=output.shift[n0:n1])


def output_matrix(core: CoreSpec, words: np.ndarray, m: int, n: int) -> np.ndarray:
    """Outputs (m, n) from output words (n_blocks * m, columns); word nb*m + i is out[i, nb*C:(nb+1)*C]."""
    columns = core.array.columns
    n_blocks = ceil_div(n, columns)
    return words.reshape(n_blocks, m, columns).transpose(1, 0, 2).reshape(m, n_blocks * columns)[:, :n]


def output_type(core: CoreSpec) -> np.dtype:
    """Type of an output matrix: int8, or unsigned codes of the output format."""
    name = core.output_format
    return np.dtype(np.int8 if number_format(name).is_integer else code_type(name))


def lanes_of(words: Sequence[int], columns: int, dtype: np.dtype) -> np.ndarray:
    """Memory words as an array (words, columns) of `dtype`, lane 0 from the low bits."""
    width = columns * dtype.itemsize
    data = b"".join(word.to_bytes(width, "little") for word in words)
    return np.frombuffer(data, dtype.newbyteorder("<")).reshape(-1, columns)
