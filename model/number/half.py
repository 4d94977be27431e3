"""FP16 with a rounding after the multiply and another after the add: the lane of an HBM-PIM unit.

All arrays are uint16 codes. NaN results are the canonical 0x7e00.
"""

import numpy as np

CANONICAL_NAN_FP16 = 0x7E00


def _canonical(values: np.ndarray) -> np.ndarray:
    bits = np.ascontiguousarray(values, dtype=np.float16).view(np.uint16)
    return np.where(np.isnan(values), np.uint16(CANONICAL_NAN_FP16), bits).astype(np.uint16)


def _value(codes: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(codes, dtype=np.uint16).view(np.float16).astype(np.float32)


def fp16_multiply(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """RNE_fp16(x * y): the product of two 11-bit significands is exact in float32."""
    with np.errstate(all="ignore"):
        return _canonical((_value(x) * _value(y)).astype(np.float16))


def fp16_add(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """RNE_fp16(x + y): float32 has 24 = 2 * 11 + 2 bits, so rounding twice equals rounding once."""
    with np.errstate(all="ignore"):
        return _canonical((_value(x) + _value(y)).astype(np.float16))


def fp16_multiply_add(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """RNE_fp16(RNE_fp16(x * y) + z): two roundings, not fused."""
    return fp16_add(fp16_multiply(x, y), z)


def fp16_relu(x: np.ndarray) -> np.ndarray:
    """+0 where the sign bit is set, -0 and negative NaN included; otherwise x."""
    codes = np.asarray(x, dtype=np.uint16)
    return np.where(codes >> 15 == 1, np.uint16(0), codes).astype(np.uint16)
