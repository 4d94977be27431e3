"""Dot product of BF16 lanes by a bank-wide mantissa shift: the adder tree of a GDDR6-AiM unit.

Exact products and the FP32 accumulator are aligned to their largest exponent, truncated towards zero to
`FRACTION_BITS` fraction bits, added as integers, and rounded once to FP32.
"""

import numpy as np

from hw.base.error import InputError
from model.number.codec import CANONICAL_NAN, decode

FRACTION_BITS = 27
"""Below the largest exponent. 17 terms, each cut by less than 2**-27, lose less than 2**-22 of the largest."""

_LEAST = -512
"""Exponent given to a zero product, so that it never is the largest."""


def aligned_dot(accumulator: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """FP32 codes of accumulator + sum of a * b over the last axis, aligned, added, rounded once.

    Parameters
    ----------
    accumulator : uint32 array of shape (...), FP32 codes
    a, b : uint16 arrays of shape (..., lanes), BF16 codes; at most 16 lanes
    """
    if a.shape != b.shape or not 1 <= a.shape[-1] <= 16:
        raise InputError(f"a and b must have one shape with 1 to 16 lanes, not {a.shape} and {b.shape}")
    c = np.asarray(accumulator, dtype=np.uint32)
    x, y = decode(a, "bf16").astype(np.float64), decode(b, "bf16").astype(np.float64)
    with np.errstate(invalid="ignore"):
        exact = x * y  # exact in binary64, subnormal operands included
        z = c.view(np.float32).astype(np.float64)
        special = np.where(np.isfinite(exact), 0.0, exact).sum(axis=-1) + np.where(np.isfinite(z), 0.0, z)

    # each product as magnitude < 4 times 2**exponent, the exponent that of its normalised operands
    exponent = _exponent(x) + _exponent(y)
    finite = np.where(np.isfinite(exact), exact, 0.0)
    exponent = np.where(finite == 0, _LEAST, exponent)
    field = np.maximum((c >> 23).astype(np.int64) & 0xFF, 1)
    c_exponent = field - 127
    largest = np.maximum(c_exponent, exponent.max(axis=-1))
    scale = (FRACTION_BITS - largest).astype(np.int32)
    terms = np.trunc(np.ldexp(finite, scale[..., None])).astype(np.int64)
    total = terms.sum(axis=-1) + np.trunc(np.ldexp(np.where(np.isfinite(z), z, 0.0), scale)).astype(np.int64)

    # at most 34 bits: exact in binary64, so the conversion to float32 is the only rounding
    with np.errstate(over="ignore"):
        rounded = np.ldexp(total.astype(np.float64), -scale).astype(np.float32)
    codes = np.where(total == 0, np.uint32(0), rounded.view(np.uint32))
    codes = np.where(np.isinf(special), special.astype(np.float32).view(np.uint32), codes)
    return np.where(np.isnan(special), np.uint32(CANONICAL_NAN), codes).astype(np.uint32)


def _exponent(values: np.ndarray) -> np.ndarray:
    """floor(log2(|value|)); of no meaning for zero, infinity and NaN."""
    return np.frexp(np.where(np.isfinite(values), values, 0.0))[1].astype(np.int64) - 1
