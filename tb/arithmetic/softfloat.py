"""Berkeley SoftFloat on arrays of codes: the golden arithmetic, independent of NumPy's and of the RTL."""

from collections.abc import Callable

import numpy as np
import softfloatpy

CANONICAL_NAN = 0x7FC00000
CANONICAL_NAN_FP16 = 0x7E00


def _read32(codes: np.ndarray) -> list[softfloatpy.Float32]:
    raw = np.ascontiguousarray(codes, dtype=">u4").tobytes()
    return [softfloatpy.Float32.from_bytes(raw[i : i + 4]) for i in range(0, len(raw), 4)]


def _write32(values: list[softfloatpy.Float32]) -> np.ndarray:
    codes = np.frombuffer(b"".join(v.to_bytes() for v in values), dtype=">u4").astype(np.uint32)
    return np.where(codes & 0x7FFFFFFF > 0x7F800000, np.uint32(CANONICAL_NAN), codes).astype(np.uint32)


def f32_mul_add(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """FP32 codes of a * b + c rounded once; NaN is canonical. One-dimensional arrays of one length."""
    operands = zip(_read32(a), _read32(b), _read32(c), strict=True)
    return _write32([softfloatpy.f32_mul_add(x, y, z) for x, y, z in operands])


def f32_add(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """FP32 codes of a + b; NaN is canonical."""
    return _write32([softfloatpy.f32_add(x, y) for x, y in zip(_read32(a), _read32(b), strict=True)])


def _read16(codes: np.ndarray) -> list[softfloatpy.Float16]:
    raw = np.ascontiguousarray(codes, dtype=">u2").tobytes()
    return [softfloatpy.Float16.from_bytes(raw[i : i + 2]) for i in range(0, len(raw), 2)]


def _write16(values: list[softfloatpy.Float16]) -> np.ndarray:
    codes = np.frombuffer(b"".join(v.to_bytes() for v in values), dtype=">u2").astype(np.uint16)
    return np.where(codes & 0x7FFF > 0x7C00, np.uint16(CANONICAL_NAN_FP16), codes).astype(np.uint16)


Half = Callable[[softfloatpy.Float16, softfloatpy.Float16], softfloatpy.Float16]


def _half(operation: Half, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return _write16([operation(x, y) for x, y in zip(_read16(a), _read16(b), strict=True)])


def f16_mul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """FP16 codes of a * b; NaN is canonical."""
    return _half(softfloatpy.f16_mul, a, b)


def f16_add(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """FP16 codes of a + b; NaN is canonical."""
    return _half(softfloatpy.f16_add, a, b)


def f32_to_f16(a: np.ndarray) -> np.ndarray:
    """FP16 codes of FP32 codes; NaN is canonical and positive."""
    return _write16([softfloatpy.f32_to_f16(x) for x in _read32(a)])
