"""From GEMMs to commands and memory words: packing, splitting what does not fit, unpacking results."""

from dataclasses import dataclass, replace

import numpy as np

from hw.spec.command import COMMON_FIELDS, LANE_FIELDS, Command
from hw.spec.core import CoreSpec
from hw.spec.error import InputError
from model.workload import Gemm, OutputStage


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """Rows `m0` to `m1` and columns `n0` to `n1` of a GEMM, run by one command with the whole of K."""

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


def blocks(size: int, width: int) -> int:
    """How many blocks of `width` hold `size`."""
    return -(-size // width)


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
    rows, columns, block = core.array.rows, core.array.columns, core.array.k_per_block
    k_blocks, n_blocks = blocks(gemm.k, block), blocks(gemm.n, columns)
    largest_k = min(core.largest_k, core.weight_words // rows * block, core.activation_words * block)
    if gemm.k > largest_k:
        raise InputError(
            f"k of GEMM {gemm.name!r} must be at most {largest_k} on this core (32-bit sums, one column block of "
            f"weights and one activation row in their memories), not {gemm.k}; split it over k")
    group = min(n_blocks, core.weight_words // (k_blocks * rows), core.parameter_words, core.output_words)
    height = min(gemm.m, core.activation_words // k_blocks, core.output_words // group)
    return [
        Tile(
            m0=m0, m1=min(m0 + height, gemm.m), n0=n0 * columns, n1=min((n0 + group) * columns, gemm.n),
            command=Command(
                m=min(height, gemm.m - m0), n_blocks=min(group, n_blocks - n0), k_blocks=k_blocks))
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
        batches[-1].append(replace(
            command, activation_address=free[0], weight_address=free[1],
            parameter_address=free[2], output_address=free[3]))
        free = [f + n for f, n in zip(free, need, strict=True)]
    return batches


def words_of(core: CoreSpec, command: Command) -> tuple[int, int, int, int]:
    """Words of the activation, weight, parameter and output memory that `command` uses."""
    return (
        command.m * command.k_blocks,
        command.n_blocks * command.k_blocks * core.array.rows,
        command.n_blocks,
        command.m * command.n_blocks,
    )


def _padded(matrix: np.ndarray, height: int, width: int) -> np.ndarray:
    """`matrix` with zeros below and to the right."""
    padded = np.zeros((height, width), dtype=matrix.dtype)
    padded[: matrix.shape[0], : matrix.shape[1]] = matrix
    return padded


def _lanes(core: CoreSpec, operand: np.ndarray, bits: int) -> np.ndarray:
    """Neighbours along the first axis joined into one lane where a lane holds two INT4; else as given.

    Floating-point operands are codes, unsigned of `bits` bits.

    Raises
    ------
    InputError
        If the operand is not INT8, the core's lanes are not 8 bits, an INT4 value is out of range, or codes
        are not as wide as their format.
    """
    array = core.array
    if array.is_floating_point:
        if operand.dtype.kind != "u" or operand.dtype.itemsize * 8 != bits:
            raise InputError(
                f"floating-point operands must be codes, given as uint{bits} arrays on this core, not "
                f"{operand.dtype}; encode them first")
        return operand
    if operand.dtype != np.int8 or array.activation_lane_bits != 8 or array.weight_lane_bits != 8:
        raise InputError(
            "operands are packed for int8 with int8 or int4 with int4, given as int8 arrays, not for "
            f"{array.activation_format} with {array.weight_format}, given as {operand.dtype}")
    if array.terms_per_lane == 1:
        return operand
    if operand.size and (operand.min() < -8 or operand.max() > 7):
        raise InputError(f"INT4 operands must be -8 to 7, not {operand.min()} to {operand.max()}")
    low, high = operand[0::2].view(np.uint8) & 15, operand[1::2].view(np.uint8) & 15
    return (low | high << 4).view(np.int8)


def activation_words(core: CoreSpec, activations: np.ndarray) -> np.ndarray:
    """Words (k_blocks * m, rows) of int8 lanes from activations (m, k); word kb*m + i is A[i, kb*R:(kb+1)*R]."""
    m, k = activations.shape
    k_blocks = blocks(k, core.array.k_per_block)
    padded = _padded(activations, m, k_blocks * core.array.k_per_block)
    lanes = _lanes(core, np.ascontiguousarray(padded.T), core.array.activation_lane_bits).T
    return lanes.reshape(m, k_blocks, core.array.rows).transpose(1, 0, 2).reshape(-1, core.array.rows)


def weight_words(core: CoreSpec, weights: np.ndarray) -> np.ndarray:
    """Words (n_blocks * k_blocks * rows, columns) of int8 lanes from weights (k, n), column block outermost."""
    k, n = weights.shape
    columns = core.array.columns
    k_blocks, n_blocks = blocks(k, core.array.k_per_block), blocks(n, columns)
    padded = _padded(weights, k_blocks * core.array.k_per_block, n_blocks * columns)
    lanes = _lanes(core, padded, core.array.weight_lane_bits)
    return lanes.reshape(-1, n_blocks, columns).transpose(1, 0, 2).reshape(-1, columns)


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


def integers(words: np.ndarray) -> list[int]:
    """Each row of an int8 array (words, elements) as one integer, element 0 in the low byte."""
    return [int.from_bytes(word.tobytes(), "little") for word in np.ascontiguousarray(words)]


def part(output: OutputStage, n0: int, n1: int) -> OutputStage:
    """The parameters of columns `n0` to `n1`."""
    return replace(
        output, bias=output.bias[n0:n1], multiplier=output.multiplier[n0:n1], shift=output.shift[n0:n1])


def output_matrix(core: CoreSpec, words: np.ndarray, m: int, n: int) -> np.ndarray:
    """INT8 (m, n) from output words (n_blocks * m, columns); word nb*m + i is out[i, nb*C:(nb+1)*C]."""
    columns = core.array.columns
    n_blocks = blocks(n, columns)
    return words.reshape(n_blocks, m, columns).transpose(1, 0, 2).reshape(m, n_blocks * columns)[:, :n]
