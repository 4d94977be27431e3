"""Reference arithmetic of a crossbar: cell levels, column sums, codes and results, bit for bit, in integers.

Shapes: K terms (at most `rows`), N outputs (at most `columns`), C = S N physical columns, B vectors, P planes.
"""

import threading

import numpy as np

from hw.base.error import InputError
from hw.spec.crossbar import STEP_FRACTION_BITS, SUM_BITS, CrossbarSpec

PACK = 4096
"""Factor between two column sums computed together: |sum| < 2048, so the pair is an integer below 2**24."""
TABLE = 1 << 17
"""Largest sum up to which codes are looked up in a table of all sums."""


def check_weights(spec: CrossbarSpec, weights: np.ndarray) -> np.ndarray:
    """`weights` (N, K) as int64; `InputError` if a weight is out of range or the matrix larger than a tile."""
    weights = np.asarray(weights)
    low, high = spec.weight_limits
    if weights.ndim != 2 or not np.issubdtype(weights.dtype, np.integer):
        raise InputError(
            f"weights must be a matrix of integers (outputs, terms), not {weights.dtype}{weights.shape}; "
            "quantise them first"
        )
    if weights.shape[0] > spec.columns or weights.shape[1] > spec.rows:
        raise InputError(
            f"weights of one tile must be at most {spec.columns} outputs x {spec.rows} terms, not "
            f"{weights.shape[0]} x {weights.shape[1]}; cut them into tiles"
        )
    if weights.size and (weights.min() < low or weights.max() > high):
        raise InputError(
            f"weights of {spec.weight_bits} bits must be from {low} to {high}, not "
            f"{weights.min()} to {weights.max()}; scale them"
        )
    return weights.astype(np.int64)


def check_inputs(spec: CrossbarSpec, inputs: np.ndarray, terms: int) -> np.ndarray:
    """`inputs` (B, K) as int64, offset as `spec` puts them on word lines; `InputError` if one is out of range."""
    inputs = np.asarray(inputs)
    low, high = spec.input_limits
    if inputs.ndim != 2 or inputs.shape[1] != terms or not np.issubdtype(inputs.dtype, np.integer):
        raise InputError(
            f"inputs must be integers (vectors, {terms} terms), not {inputs.dtype}{inputs.shape}; "
            "reshape or quantise them"
        )
    if inputs.size and (inputs.min() < low or inputs.max() > high):
        kind = "signed" if spec.input_limits[0] else "unsigned"
        raise InputError(
            f"{kind} inputs of {spec.input_bits} bits must be from {low} to {high}, not "
            f"{inputs.min()} to {inputs.max()}; shift them or choose input_signed"
        )
    return inputs.astype(np.int64) + (1 << (spec.input_bits - 1) if spec.input_offset else 0)


def slice_levels(spec: CrossbarSpec, weights: np.ndarray) -> np.ndarray:
    """Levels (S, N, K) of the slices of `weights` (N, K), least significant first; signed if differential."""
    return np.stack(_small_levels(spec, check_weights(spec, weights))).astype(np.int64)


def _small_levels(spec: CrossbarSpec, weights: np.ndarray) -> list[np.ndarray]:
    """`slice_levels` of checked weights in 16 bits, which are four times as fast as 64, slice by slice."""
    weights = weights.astype(np.int16)
    shifts, mask = [np.int16(shift) for shift in spec.slice_shifts], np.int16((1 << spec.cell_bits) - 1)
    if spec.scheme in ("offset", "offset_unit"):
        stored = weights + np.int16(1 << (spec.weight_bits - 1))
        return [stored >> shift & mask for shift in shifts]
    if spec.scheme == "differential":
        signs, sizes = np.sign(weights), np.abs(weights)
        return [signs * (sizes >> shift & mask) for shift in shifts]
    below = weights & np.int16((1 << (spec.weight_bits - 1)) - 1)
    slices = [below >> shift & mask for shift in shifts[:-1]]
    return [*slices, (weights < 0).astype(np.int16)]


def unit_level(spec: CrossbarSpec) -> tuple[int, int]:
    """Level of the cells of the unit column and the power of two its codes count: together 2**(weight_bits - 1)."""
    shift = spec.slice_shifts[-1]
    return 1 << (spec.weight_bits - 1 - shift), shift


def cell_levels(spec: CrossbarSpec, weights: np.ndarray) -> np.ndarray:
    """What is written into a tile: levels (rows, C * cells per column) of `weights` (N, K), unused cells at weight 0.

    Physical column of slice s of output n: n S + s; the unit column comes last. Differential: cells 2 p and 2 p + 1.
    """
    weights = check_weights(spec, weights)
    whole = np.zeros((spec.columns, spec.rows), np.int64)
    whole[: weights.shape[0], : weights.shape[1]] = weights
    columns = slice_levels(spec, whole).transpose(1, 0, 2).reshape(-1, spec.rows)
    if spec.scheme == "differential":
        columns = np.stack([np.maximum(columns, 0), np.maximum(-columns, 0)], axis=1).reshape(-1, spec.rows)
    if spec.unit_columns:
        columns = np.vstack([columns, np.full((1, spec.rows), unit_level(spec)[0])])
    return columns.T.copy()


def input_planes(spec: CrossbarSpec, inputs: np.ndarray) -> np.ndarray:
    """Word-line values (P, B, K) of `inputs` (B, K), most significant plane first."""
    mask = (1 << spec.plane_bits) - 1
    shifts = [spec.plane_bits * p for p in reversed(range(spec.planes))]
    return np.stack([inputs >> shift & mask for shift in shifts])


def column_sums(levels: np.ndarray, planes: np.ndarray) -> np.ndarray:
    """Sums (S, N, P, B) of `levels` (S, N, K) under `planes` (P, B, K), in levels.

    Integers in binary32, exact below 2**24, or in int32 where two were computed together; binary64 beyond.
    """
    s, n, k = levels.shape
    p, b, _ = planes.shape
    largest = int(np.abs(levels).max(initial=0) * planes.max(initial=0) * k)
    columns = levels.reshape(-1, k)
    kind = np.float32 if largest < 1 << 24 else np.float64
    driven = planes.reshape(-1, k).astype(kind).T
    half = len(columns) // 2
    if 2 * largest < PACK and len(columns) % 2 == 0:
        # two sums in one binary32 number: half the multiplications, still exact
        values = columns.astype(kind)
        both = ((values[:half] + PACK * values[half:]) @ driven).astype(np.int32)
        upper = (both + PACK // 2) >> PACK.bit_length() - 1
        sums = np.concatenate([both - (upper << PACK.bit_length() - 1), upper])
    else:
        sums = columns.astype(kind) @ driven
    return sums.reshape(s, n, p, b)


def codes(spec: CrossbarSpec, sums: np.ndarray, number: int) -> np.ndarray:
    """Codes of slice `number` for real or integer `sums` in levels: round((sum - zero) / step), limited to the codes.

    Ties by `spec.rounding`. With a step of one level and integer sums this is the sum itself.
    """
    zero, step = spec.converter_ranges[number]
    low, high = spec.code_limits
    if spec.scaled:
        position = np.asarray(sums, np.float64) * (1 << STEP_FRACTION_BITS)
        position -= zero
        position /= step
    else:
        # a power of two: exact in the type of the sums
        kind = sums.dtype.type if np.issubdtype(sums.dtype, np.floating) else np.float64
        position = sums * kind(1 / step)
    if spec.rounding == "half_up":
        position += position.dtype.type(0.5)
        np.floor(position, out=position)
    else:
        np.rint(position, out=position)
    return np.clip(position, low, high, out=position)


def plane_weights(spec: CrossbarSpec) -> np.ndarray:
    """What each plane counts, most significant first; the first is negative if inputs are signed."""
    weights = np.array([1 << (spec.plane_bits * p) for p in reversed(range(spec.planes))], np.float64)
    if spec.input_signed:
        weights[0] = -weights[0]
    return weights


def merge(
    spec: CrossbarSpec, accumulated: np.ndarray, input_sum: np.ndarray, unit: np.ndarray | None = None
) -> np.ndarray:
    """Results (N, B) of codes accumulated over the planes (S, N, B), with sum(x) (B) and the unit column's (B).

    Each slice counts its code times its step plus its zero for every plane; scaled policies round the sum of slices
    from 2**-12 once, half up.
    """
    counts = spec.plane_count_sum
    total = np.zeros(accumulated.shape[1:], np.int64)
    for number, shift in enumerate(spec.slice_shifts):
        zero, step = spec.converter_ranges[number]
        part = accumulated[number].astype(np.int64) * step + counts * zero << shift
        total += -part if spec.scheme == "twos_complement" and number == spec.slices - 1 else part
    if spec.scheme == "offset_unit":
        assert unit is not None
        zero, step = spec.converter_ranges[-1]
        total -= unit.astype(np.int64) * step + counts * zero << unit_level(spec)[1]
    if spec.scheme == "offset":
        surplus = np.int64(input_sum) << (spec.weight_bits - 1)
        total -= surplus << STEP_FRACTION_BITS if spec.scaled else surplus
    return total + (1 << (STEP_FRACTION_BITS - 1)) >> STEP_FRACTION_BITS if spec.scaled else total


def product(spec: CrossbarSpec, weights: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """What one tile of ideal cells makes of `inputs` (B, K) and `weights` (N, K): int64 (B, N).

    With lossless converters that is inputs @ weights.T, and is computed as such (`input_offset`: of x plus offset).
    """
    weights = check_weights(spec, weights)
    inputs = check_inputs(spec, inputs, weights.shape[1])
    if spec.range_policy == "lossless":
        return (inputs.astype(np.float64) @ weights.T.astype(np.float64)).astype(np.int64)
    if spec.largest_sum >= TABLE:
        return convert_and_merge(spec, column_sums(slice_levels(spec, weights), input_planes(spec, inputs)), inputs)
    return merge(spec, _accumulated(spec, weights, inputs), inputs.sum(axis=1), _unit(spec, inputs, None)).T


def _accumulated(spec: CrossbarSpec, weights: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """Accumulated codes (S, N, B), overwritten by the next call.

    In binary32, where everything here is an exact integer; levels of weights and codes of sums are looked up; in
    buffers that are kept: asking the system for megabytes at every product took as long as the product.
    """
    (n, k), vectors, most = weights.shape, len(inputs), spec.largest_sum
    low, high = spec.weight_limits
    levels = [one.astype(np.float32) for one in _small_levels(spec, np.arange(low, high + 1))]
    which, size = weights - low, (n, spec.planes * vectors)
    driven = _kept("driven", (k, spec.planes, vectors), np.float32)
    bits = np.ascontiguousarray(inputs.T & (1 << spec.input_bits) - 1, np.int16)
    for plane in range(spec.planes):
        driven[:, plane] = bits >> spec.plane_bits * (spec.planes - 1 - plane) & (1 << spec.plane_bits) - 1
    driven = driven.reshape(k, -1)
    values = _kept("values", (n, k), np.float32)
    product, upper = _kept("product", size, np.float32), _kept("upper", size, np.float32)
    whole, index = _kept("whole", size, np.int32), _kept("index", size, np.intp)
    found, accumulated = _kept("found", size, np.float32), _kept("accumulated", (spec.slices, n, vectors), np.int64)
    sums, counts = np.arange(-most, most + 1), plane_weights(spec)
    kind = np.float32 if (1 << spec.adc_bits) * np.abs(counts).sum() < 1 << 24 else np.float64

    def add_up(part: np.ndarray, number: int) -> None:
        table = codes(spec, sums, number).astype(np.float32)
        part += np.float32(most)
        np.copyto(whole, part, casting="unsafe")
        np.copyto(index, whole)
        table.take(index, out=found, mode="wrap")  # the fastest of the modes; nothing is out of range
        np.copyto(accumulated[number], np.matmul(counts.astype(kind), found.reshape(n, spec.planes, vectors)),
                  casting="unsafe")  # fmt: skip

    def product_of(levels_of_weights: np.ndarray) -> np.ndarray:
        return np.matmul(levels_of_weights.take(which, out=values, mode="wrap"), driven, out=product)

    held = [number for number in range(spec.slices) if levels[number].any()]
    for number in set(range(spec.slices)) - set(held):  # no weight has a level there: all sums are 0
        accumulated[number] = codes(spec, np.zeros(1), number)[0] * counts.sum()
    while len(held) > 1 and 2 * most < PACK:
        # two sums in one binary32 number: half the multiplications, still exact
        above, below = held.pop(), held.pop()
        product_of(levels[below] + PACK * levels[above])
        np.rint(np.multiply(product, np.float32(1 / PACK), out=upper), out=upper)
        np.subtract(product, np.multiply(upper, np.float32(PACK), out=found), out=product)
        add_up(product, below)
        add_up(upper, above)
    for number in held:
        add_up(product_of(levels[number]), number)
    return accumulated


class _Buffers(threading.local):
    """Arrays by use, kept until another shape is asked for; each thread has its own."""

    def __init__(self) -> None:
        self.held: dict[str, np.ndarray] = {}


_BUFFERS = _Buffers()


def _kept(use: str, shape: tuple[int, ...], kind: type) -> np.ndarray:
    """The buffer for `use`, whatever is in it."""
    held = _BUFFERS.held.get(use)
    if held is None or held.shape != shape:
        held = _BUFFERS.held[use] = np.empty(shape, kind)
    return held


def convert_and_merge(
    spec: CrossbarSpec, sums: np.ndarray, inputs: np.ndarray, unit_sums: np.ndarray | None = None
) -> np.ndarray:
    """Results (B, N) of column sums (S, N, P, B) in levels, as converters and the digital part make them.

    `unit_sums` (P, B) of the unit column; ideal if None.
    """
    counts = plane_weights(spec)
    accumulated = np.stack(
        [np.matmul(counts, codes(spec, sums[number], number).astype(np.float64)) for number in range(spec.slices)]
    )
    return merge(spec, accumulated, inputs.sum(axis=1), _unit(spec, inputs, unit_sums)).T


def _unit(spec: CrossbarSpec, inputs: np.ndarray, sums: np.ndarray | None) -> np.ndarray | None:
    """Accumulated codes (B) of the unit column, of `sums` (P, B) or ideal ones; None without such a column."""
    if not spec.unit_columns:
        return None
    ideal = unit_level(spec)[0] * input_planes(spec, inputs.astype(np.int32)).sum(axis=2).astype(np.float64)
    return plane_weights(spec) @ codes(spec, ideal if sums is None else sums, spec.slices - 1)


def layer(spec: CrossbarSpec, weights: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """Sums (B, N) of a layer of any size cut into tiles: row tiles added up, each converted by itself.

    `InputError` if a sum leaves 32 bits.
    """
    weights, inputs = np.asarray(weights), np.asarray(inputs)
    total = np.zeros((len(inputs), len(weights)), np.int64)
    for n in range(0, len(weights), spec.columns):
        for k in range(0, weights.shape[1], spec.rows):
            part = weights[n : n + spec.columns, k : k + spec.rows]
            total[:, n : n + len(part)] += product(spec, part, inputs[:, k : k + spec.rows])
    if total.size and max(-total.min() - 1, total.max()) >= 1 << (SUM_BITS - 1):
        raise InputError(f"a sum leaves the {SUM_BITS}-bit adder; use fewer terms or bits")
    return total
