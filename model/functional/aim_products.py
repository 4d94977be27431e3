"""Matrix-vector products as a GDDR6-AiM channel computes them, many outputs at once.

The same bits as one MAC16 after another (`model.number.aligned.aligned_dot`), 20 times as fast: outputs do not meet, so
all take the same column of inputs together.
"""

import numpy as np

from model.functional.dram_pim_numerics import bf16_of
from model.number.aligned import FRACTION_BITS, aligned_dot
from model.number.codec import decode

LANES = 16

_LEAST_NORMAL = 1 << 7
"""Smallest magnitude of a BF16 code that is normal."""

_LARGEST_FINITE = 0x7F80
"""Magnitudes of BF16 codes below this are finite."""


def products(weights: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """FP32 codes (outputs,) of the accumulators after all columns of 16 inputs in order, from +0.

    Parameters
    ----------
    weights : uint16 array (outputs, inputs), BF16 codes; inputs a multiple of 16
    vector : uint16 array (inputs,), BF16 codes
    """
    outputs, inputs = weights.shape
    columns = inputs // LANES
    by_column = np.ascontiguousarray(weights.reshape(outputs, columns, LANES).transpose(1, 0, 2))
    total = np.zeros(outputs, np.uint32)
    x = vector.reshape(columns, LANES)
    for c in range(columns):
        total = _column(total, by_column[c], x[c])
    return total


def gemv(weights: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """BF16 codes (outputs,) that are read: `products`, rounded once more."""
    return bf16_of(products(weights, vector))


def _column(total: np.ndarray, weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    """One MAC16 for all outputs."""
    magnitude, x_magnitude = weights & np.uint16(0x7FFF), x & np.uint16(0x7FFF)
    usual = (magnitude >= _LEAST_NORMAL) & (magnitude < _LARGEST_FINITE)
    x_usual = (x_magnitude >= _LEAST_NORMAL) & (x_magnitude < _LARGEST_FINITE)
    plain = (total & np.uint32(0x7F800000)) != np.uint32(0x7F800000)
    if not (usual.all() and x_usual.all() and plain.all()):  # zeros, subnormals, infinities, NaN: the long way
        return aligned_dot(total, np.broadcast_to(x, weights.shape).copy(), weights)
    # exact: 16 significant bits; in binary64 no exponent is too large or too small
    w = (weights.astype(np.uint32) << np.uint32(16)).view(np.float32)
    exact = w * decode(x, "bf16").astype(np.float64)
    largest = (magnitude >> np.uint16(7)).astype(np.int32) + ((x_magnitude >> np.uint16(7)).astype(np.int32) - 254)
    largest = largest.max(axis=1)
    own = np.maximum((total >> np.uint32(23)).astype(np.int32) & 0xFF, 1) - 127
    largest = np.maximum(largest, own)
    scale = np.ldexp(1.0, FRACTION_BITS - largest)
    exact *= scale[:, None]
    np.trunc(exact, out=exact)
    summed = exact.sum(axis=1) + np.trunc(total.view(np.float32).astype(np.float64) * scale)
    with np.errstate(over="ignore"):
        rounded = (summed / scale).astype(np.float32)
    return np.where(summed == 0, np.float32(0), rounded).view(np.uint32)
