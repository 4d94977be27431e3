"""exp2, reciprocal and reciprocal root of FP32 codes as the vector unit defines them, and FP32 sums and products.

`docs/numeric-contract.md` states the rules; these functions follow it on arrays, without tables of RTL.
"""

import numpy as np

from hw.spec.function_table import (
    EXP2_BITS,
    EXP2_REST_BITS,
    INVERSE_BITS,
    INVERSE_REST_BITS,
    exp2_table,
    reciprocal_table,
    root_table,
)
from model.number.codec import CANONICAL_NAN

_EXP2 = np.array(exp2_table(), dtype=np.int64)
_RECIPROCAL = np.array(reciprocal_table(), dtype=np.int64)
_ROOT = np.array(root_table(), dtype=np.int64)
_INFINITY = 0x7F800000
_ONE = 1 << INVERSE_BITS


def multiply(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """FP32 codes of RNE(x * y), canonical NaN."""
    with np.errstate(all="ignore"):
        return canonical(floats(x) * floats(y))


def add(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """FP32 codes of RNE(x + y), canonical NaN."""
    with np.errstate(all="ignore"):
        return canonical(floats(x) + floats(y))


def order_key(code: np.ndarray) -> np.ndarray:
    """Number that orders FP32 codes: -infinity, ..., -0, +0, ..., +infinity, every NaN."""
    c = np.asarray(code, dtype=np.int64)
    key = np.where(c >> 31 & 1, ~c & 0xFFFFFFFF, c | 1 << 31)
    return np.where((c & 0x7FFFFFFF) > _INFINITY, 0xFFFFFFFF, key)


def exp2(code: np.ndarray) -> np.ndarray:
    """FP32 codes of 2**x: x to 16 fraction bits (floor), then a piece of 1/128."""
    c = np.asarray(code, dtype=np.int64)
    sign, exponent, significand = _parts(c)
    places = np.clip(134 - exponent, 0, 31)
    magnitude = significand >> places
    lost = (magnitude << places) != significand
    fixed = np.where(sign, -(magnitude + lost), magnitude)
    whole, part = fixed >> 16, fixed & 0xFFFF
    rest_bits = EXP2_REST_BITS
    piece = _EXP2[part >> rest_bits]
    base, step = piece[..., 0], piece[..., 1]
    value = base + (step * (part & (1 << rest_bits) - 1) >> rest_bits)
    wide = value << (23 - EXP2_BITS)
    normal = (whole + 127 << 23) | (wide & 0x7FFFFF)
    subnormal = wide >> np.clip(-126 - whole, 0, 31)
    result = np.where(whole >= 128, _INFINITY, np.where(whole >= -126, normal, np.where(whole >= -150, subnormal, 0)))
    huge = exponent >= 135
    result = np.where(huge, np.where(sign, 0, _INFINITY), result)
    return np.where(_is_nan(c), CANONICAL_NAN, result).astype(np.uint32)


def reciprocal(code: np.ndarray) -> np.ndarray:
    """FP32 codes of 1 / x."""
    c = np.asarray(code, dtype=np.int64)
    sign, exponent, fraction = _normal_parts(c)
    value = _piece(_RECIPROCAL, fraction >> INVERSE_REST_BITS, fraction)
    one = value == _ONE
    significand = np.where(one, 1 << 23, value << (24 - INVERSE_BITS) & 0xFFFFFF)
    field = 253 + one - exponent
    result = np.where(
        field >= 1, np.clip(field, 0, 255) << 23 | significand & 0x7FFFFF, significand >> np.clip(1 - field, 0, 3)
    )
    result = np.where(field >= 255, _INFINITY, result)
    magnitude = c & 0x7FFFFFFF
    result = np.where(magnitude == 0, _INFINITY, np.where(magnitude == _INFINITY, 0, result)) | sign << 31
    return np.where(_is_nan(c), CANONICAL_NAN, result).astype(np.uint32)


def root(code: np.ndarray) -> np.ndarray:
    """FP32 codes of 1 / sqrt(x)."""
    c = np.asarray(code, dtype=np.int64)
    sign, exponent, fraction = _normal_parts(c)
    unbiased = exponent - 127
    value = _piece(_ROOT, (unbiased & 1) << 7 | fraction >> INVERSE_REST_BITS, fraction)
    one = value == _ONE
    significand = np.where(one, 1 << 23, value << (24 - INVERSE_BITS) & 0xFFFFFF)
    result = (126 + one - (unbiased >> 1) << 23) | significand & 0x7FFFFF
    magnitude = c & 0x7FFFFFFF
    result = np.where(magnitude == _INFINITY, 0, result)
    result = np.where((sign == 1) & (magnitude != 0), CANONICAL_NAN, result)
    result = np.where(magnitude == 0, _INFINITY | sign << 31, result)
    return np.where(_is_nan(c), CANONICAL_NAN, result).astype(np.uint32)


def floats(code: np.ndarray) -> np.ndarray:
    """FP32 codes as float32."""
    return np.ascontiguousarray(code, dtype=np.uint32).view(np.float32)


def canonical(value: np.ndarray) -> np.ndarray:
    """float32 as codes with the one NaN."""
    value = np.asarray(value, dtype=np.float32)
    return np.where(
        np.isnan(value), np.uint32(CANONICAL_NAN), np.ascontiguousarray(value).view(np.uint32).reshape(value.shape)
    )


def _parts(c: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sign, exponent field of at least 1, significand of 24 bits."""
    field = c >> 23 & 0xFF
    return c >> 31 & 1, np.maximum(field, 1), (c & 0x7FFFFF) | np.where(field > 0, 1 << 23, 0)


def _normal_parts(c: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sign, exponent field as if subnormals had more of them, and the 23 bits behind the normalised point."""
    sign, exponent, significand = _parts(c)
    zeros = 24 - np.frexp(np.maximum(significand, 1).astype(np.float64))[1]
    return sign, exponent - zeros, (significand << zeros) & 0x7FFFFF


def _piece(table: np.ndarray, segment: np.ndarray, fraction: np.ndarray) -> np.ndarray:
    piece = table[segment]
    return piece[..., 0] - (piece[..., 1] * (fraction & (1 << INVERSE_REST_BITS) - 1) >> INVERSE_REST_BITS)


def _is_nan(c: np.ndarray) -> np.ndarray:
    return (c & 0x7FFFFFFF) > _INFINITY
