"""Bit-exact results of PIM kernels, vectorised; padding is with zeros."""

import numpy as np

from hw.base.error import InputError
from hw.spec.pim import Activation, PimSpec
from model.number.aligned import aligned_dot
from model.number.codec import decode, encode
from model.number.half import fp16_add, fp16_multiply, fp16_multiply_add, fp16_relu

NAN_BF16 = 0x7FC0
"""The one NaN that BF16 arithmetic produces."""

_TILE_WORDS = 8  # input words held in the first vector register file


def _padded(codes: np.ndarray, multiple: int) -> np.ndarray:
    """`codes` with zeros appended along the last axis up to a multiple of `multiple`."""
    missing = -codes.shape[-1] % multiple
    return np.pad(codes, [(0, 0)] * (codes.ndim - 1) + [(0, missing)]) if missing else codes


def _check_gemv(weights: np.ndarray, vectors: np.ndarray) -> None:
    if weights.ndim != 2 or 0 in weights.shape:
        raise InputError(f"weights must be a matrix (out, in) of at least 1 x 1, not of shape {weights.shape}")
    if vectors.ndim != 2 or vectors.shape[1] != weights.shape[1] or vectors.shape[0] < 1:
        raise InputError(f"input must be vectors (batch, {weights.shape[1]}), not of shape {vectors.shape}")


def hbm_pim_lane_sums(weights: np.ndarray, vectors: np.ndarray, lanes: int = 16) -> np.ndarray:
    """The lanes of every output before they are summed: FP16 codes (batch, out, lanes).

    Lane l of an output adds, word after word, RN16(RN16(w x) + accumulator), first over the even tiles of 8 words,
    then over the odd ones; the accumulator starts at +0.

    Parameters
    ----------
    weights : uint16 array (out, in), FP16 codes
    vectors : uint16 array (batch, in), FP16 codes
    """
    _check_gemv(weights, vectors)
    tile = _TILE_WORDS * lanes
    w = _padded(weights, tile).reshape(weights.shape[0], -1, _TILE_WORDS, lanes)
    x = _padded(vectors, tile).reshape(vectors.shape[0], -1, _TILE_WORDS, lanes)
    tiles = w.shape[1]
    result = np.zeros((len(vectors), len(weights), lanes), dtype=np.uint16)
    for b in range(len(vectors)):
        accumulator = result[b]
        for t in (*range(0, tiles, 2), *range(1, tiles, 2)):
            for k in range(_TILE_WORDS):
                accumulator = fp16_multiply_add(w[:, t, k, :], x[b, t, k, :][None, :], accumulator)
        result[b] = accumulator
    return result


def sum_lanes(lane_sums: np.ndarray) -> np.ndarray:
    """The host's sum of the last axis, left to right in FP16."""
    total = np.zeros(lane_sums.shape[:-1], dtype=np.uint16)
    for lane in range(lane_sums.shape[-1]):
        total = fp16_add(total, lane_sums[..., lane])
    return total


def hbm_pim_gemv(weights: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """y = W x of HBM-PIM with the host's lane sum: FP16 codes (batch, out). Arguments as for `hbm_pim_lane_sums`."""
    return sum_lanes(hbm_pim_lane_sums(weights, vectors))


def hbm_pim_elementwise(kernel: str, first: np.ndarray, second: np.ndarray | None = None) -> np.ndarray:
    """ADD, MUL of two vectors or ReLU of one, FP16 codes of any one shape."""
    if kernel == "relu":
        if second is not None:
            raise InputError("relu must have one operand, not two")
        return fp16_relu(first)
    if second is None or first.shape != second.shape:
        raise InputError(
            f"{kernel} must have two operands of one shape, not {first.shape} and "
            f"{None if second is None else second.shape}"
        )
    if kernel == "add":
        return fp16_add(first, second)
    if kernel == "mul":
        return fp16_multiply(first, second)
    raise InputError(f"an element-wise kernel must be add, mul or relu, not {kernel!r}")


def aim_gemv(
    spec: PimSpec,
    weights: np.ndarray,
    vectors: np.ndarray,
    bias: np.ndarray | None = None,
) -> np.ndarray:
    """y = W x + bias of GDDR6-AiM: BF16 codes (batch, out).

    Per word of 16 inputs one aligned sum of products and accumulator, rounded once to FP32; per row of the bank
    (1024 inputs) the result is read as BF16, which is the bias of the next row.

    Parameters
    ----------
    weights : uint16 array (out, in), BF16 codes
    vectors : uint16 array (batch, in), BF16 codes
    bias : uint16 array (out,), BF16 codes; zeros if None
    """
    _check_gemv(weights, vectors)
    start = np.zeros(len(weights), np.uint32) if bias is None else bias.astype(np.uint32) << np.uint32(16)
    lanes = spec.lanes
    per_row = spec.dram.organisation.columns
    w = _padded(weights, lanes).reshape(len(weights), -1, lanes)
    x = _padded(vectors, lanes).reshape(len(vectors), -1, lanes)
    result = np.zeros((len(vectors), len(weights)), dtype=np.uint16)
    for b in range(len(vectors)):
        accumulator = start
        for word in range(w.shape[1]):
            if word and word % per_row == 0:
                accumulator = bf16_of(accumulator).astype(np.uint32) << np.uint32(16)
            operand = np.ascontiguousarray(np.broadcast_to(x[b, word], (len(weights), lanes)))
            accumulator = aligned_dot(accumulator, operand, np.ascontiguousarray(w[:, word, :]))
        result[b] = bf16_of(accumulator)
    return result


def aim_product(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Lane by lane product of GDDR6-AiM, BF16 codes of any one shape; one rounding."""
    if first.shape != second.shape:
        raise InputError(f"ewmul must have two operands of one shape, not {first.shape} and {second.shape}")
    with np.errstate(over="ignore", invalid="ignore"):
        exact = decode(first, "bf16") * decode(second, "bf16")
    return np.where(np.isnan(exact), NAN_BF16, encode(exact, "bf16")).astype(np.uint16)


def bf16_of(codes: np.ndarray) -> np.ndarray:
    """BF16 codes of FP32 codes, rounded to nearest even."""
    return encode(np.ascontiguousarray(codes, dtype=np.uint32).view(np.float32), "bf16").astype(np.uint16)


def activation_table(activation: Activation) -> tuple[np.ndarray, np.ndarray]:
    """Slopes and offsets of the linear pieces, BF16 codes (segments,): what the table's row in the DRAM holds."""
    if activation.kind != "table":
        raise InputError(f"{activation.name} must be a table to have pieces, not {activation.kind}")
    edges = np.linspace(-activation.limit, activation.limit, activation.segments + 1)
    y = _FUNCTIONS[activation.name](edges)
    slope = np.diff(y) / np.diff(edges)
    offset = y[:-1] - slope * edges[:-1]
    return tuple(encode(v.astype(np.float32), "bf16").astype(np.uint16) for v in (slope, offset))  # type: ignore


def _gelu(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


_FUNCTIONS = {"gelu": _gelu, "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "tanh": np.tanh}


def aim_activation(activation: Activation, codes: np.ndarray) -> np.ndarray:
    """f(x) of BF16 codes, BF16 codes: a table piece evaluated as RN(slope x + offset) with one rounding to FP32 and one
    to BF16; ReLU and leaky ReLU without a table. NaN stays NaN, values beyond the table are held at its ends."""
    x = decode(np.asarray(codes, dtype=np.uint16), "bf16").astype(np.float64)
    if activation.kind == "relu":
        y = np.where(x < 0, 0.0, x)
    elif activation.kind == "leaky_relu":
        slope = decode(encode(np.array([activation.slope], dtype=np.float32), "bf16"), "bf16").astype(np.float64)[0]
        y = np.where(x < 0, x * slope, x)
    else:
        slopes, offsets = (decode(v, "bf16").astype(np.float64) for v in activation_table(activation))
        held = np.clip(np.where(np.isnan(x), 0.0, x), -activation.limit, activation.limit)
        # not floor((x + limit) scale): a tiny negative x would round up to the piece above zero
        half, scale = activation.segments // 2, activation.segments / (2 * activation.limit)
        piece = np.clip(np.floor(held * scale).astype(np.int64) + half, 0, activation.segments - 1)
        y = np.where(np.isnan(x), np.nan, slopes[piece] * held + offsets[piece])
    return np.where(np.isnan(y), NAN_BF16, encode(y.astype(np.float32), "bf16")).astype(np.uint16)
