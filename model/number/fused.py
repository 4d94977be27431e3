"""The multiply-accumulate of the array: exact product, one rounding to FP32, ascending k."""

import numpy as np

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.number import number_format
from model.number.codec import CANONICAL_NAN, decode


def product_fits_fp32(activation_format: str, weight_format: str) -> bool:
    """True if every finite product is exact in float32, subnormals included: all pairs without BF16."""
    lowest, highest, significand = 0, 0, 0
    for name in (activation_format, weight_format):
        fmt = number_format(name)
        lowest += 1 - fmt.bias - fmt.fraction_bits
        highest += (1 << fmt.exponent_bits) - fmt.bias
        significand += fmt.fraction_bits + 1
    return lowest >= -149 and highest <= 128 and significand <= 24


def _canonical(values: np.ndarray) -> np.ndarray:
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    return np.where(np.isnan(values), np.uint32(CANONICAL_NAN), bits).astype(np.uint32)


def _add_rounded_once(product: np.ndarray, addend: np.ndarray) -> np.ndarray:
    """RNE_fp32(product + addend) for float64 inputs whose exact sum may need more than 53 bits.

    The float64 sum is turned into round-to-odd with its exact error (two-sum), so that the second
    rounding, to float32, cannot see a false tie. 53 >= 24 + 2 bits make that correct, subnormal
    results included (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
    """
    total = product + addend
    part = total - product
    error = (product - (total - part)) + (addend - part)
    bits = total.view(np.int64).copy()
    inexact = np.isfinite(total) & np.isfinite(error) & (error != 0) & (bits & 1 == 0)
    away = (error > 0) == (total > 0)
    bits += np.where(inexact, np.where(away, 1, -1), 0)
    return bits.view(np.float64).astype(np.float32)


def fused_mac(
    accumulator: np.ndarray, a: np.ndarray, b: np.ndarray, activation_format: str, weight_format: str
) -> np.ndarray:
    """FP32 codes of RNE_fp32(accumulator + a * b), one rounding.

    Parameters
    ----------
    accumulator : uint32 array, FP32 codes
    a, b : arrays of codes of `activation_format` and `weight_format`, broadcast against it
    """
    c = np.ascontiguousarray(accumulator, dtype=np.uint32).view(np.float32)
    x, y = decode(a, activation_format), decode(b, weight_format)
    with np.errstate(all="ignore"):
        if product_fits_fp32(activation_format, weight_format):
            return _canonical(np.asarray(x * y + c))
        product, addend = np.broadcast_arrays(x.astype(np.float64) * y, c.astype(np.float64))
        return _canonical(_add_rounded_once(np.ascontiguousarray(product), np.ascontiguousarray(addend)))


def fp32_add(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """FP32 codes of RNE_fp32(x + y) for FP32 codes."""
    with np.errstate(all="ignore"):
        total = np.asarray(x, dtype=np.uint32).view(np.float32) + np.asarray(y, dtype=np.uint32).view(np.float32)
    return _canonical(np.asarray(total))


def matmul(
    activations: np.ndarray, weights: np.ndarray, activation_format: str, weight_format: str, *, rows: int
) -> np.ndarray:
    """FP32 codes of activations (m, k) times weights (k, n), in the order of an array of `rows` rows.

    Each pass covers `rows` values of k: its partial sum starts from +0 and takes k in ascending order,
    one fused multiply-accumulate each; k is padded to a multiple of `rows` with zeros. The first pass
    is stored, each later one is added with one FP32 rounding, passes ascending.
    """
    (m, k), (k_weights, n) = activations.shape, weights.shape
    if k != k_weights or k < 1:
        raise InputError(f"activations (m, k) and weights (k, n) must share k of at least 1, not {k} and {k_weights}")
    passes = ceil_div(k, rows)
    a = np.zeros((m, passes * rows), dtype=activations.dtype)
    b = np.zeros((passes * rows, n), dtype=weights.dtype)
    a[:, :k], b[:k] = activations, weights
    total = np.zeros((m, n), dtype=np.uint32)
    for p in range(passes):
        partial = np.zeros((m, n), dtype=np.uint32)
        for i in range(p * rows, (p + 1) * rows):
            partial = fused_mac(partial, a[:, i, None], b[None, i, :], activation_format, weight_format)
        total = partial if p == 0 else fp32_add(total, partial)
    return total


def unpack_int4(lanes: np.ndarray) -> np.ndarray:
    """Two signed 4-bit values of every 8-bit lane on a new last axis: low half first (the lower k)."""
    lanes = np.asarray(lanes).astype(np.int64)
    low, high = lanes & 15, (lanes >> 4) & 15
    return np.stack([(low ^ 8) - 8, (high ^ 8) - 8], axis=-1)


def pack_int4(values: np.ndarray) -> np.ndarray:
    """uint8 lanes of signed 4-bit `values` whose last axis has length 2: low half first."""
    values = np.asarray(values).astype(np.int64)
    if values.shape[-1] != 2 or values.min(initial=0) < -8 or values.max(initial=0) > 7:
        raise InputError("INT4 values must be pairs on the last axis, each from -8 to 7")
    return ((values[..., 0] & 15) | ((values[..., 1] & 15) << 4)).astype(np.uint8)
