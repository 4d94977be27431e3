"""Codes of a storage format to values and back: round to nearest even, subnormals kept.

A code is the unsigned integer that the hardware stores. Values are float32, in which every 8- and
16-bit format of `hw.spec.number` is exact.
"""

from functools import cache

import numpy as np

from hw.base.error import InputError
from hw.spec.number import NumberFormat, number_format

CANONICAL_NAN = 0x7FC00000
"""The one NaN that FP32 arithmetic produces."""


def _small_float(name: str) -> NumberFormat:
    fmt = number_format(name)
    if fmt.is_integer or fmt.bits > 16:
        raise InputError(f"a storage format must be an 8- or 16-bit floating-point format, not {name!r}")
    return fmt


def code_type(name: str) -> type[np.unsignedinteger]:
    """NumPy type that holds a code of format `name`."""
    bits = number_format(name).bits
    return np.uint8 if bits <= 8 else np.uint16 if bits <= 16 else np.uint32


def largest_code(name: str) -> int:
    """Code of the largest finite value: all ones below infinity, or below the NaN of E4M3."""
    fmt = _small_float(name)
    if fmt.has_infinity:
        return (((1 << fmt.exponent_bits) - 1) << fmt.fraction_bits) - 1
    return (1 << (fmt.bits - 1)) - 2


def infinity_code(name: str) -> int | None:
    """Code of +infinity, None for a format without one."""
    fmt = _small_float(name)
    return largest_code(name) + 1 if fmt.has_infinity else None


def nan_code(name: str) -> int:
    """Code of the positive NaN that conversions produce: top fraction bit set, E4M3 its only pattern."""
    fmt = _small_float(name)
    if fmt.has_infinity:
        return largest_code(name) + 1 + (1 << (fmt.fraction_bits - 1))
    return largest_code(name) + 1


@cache
def _values(name: str) -> np.ndarray:
    """float32 value of every code of format `name`, indexed by code."""
    fmt = _small_float(name)
    codes = np.arange(1 << fmt.bits, dtype=np.int64)
    exponent = (codes >> fmt.fraction_bits) & ((1 << fmt.exponent_bits) - 1)
    fraction = codes & ((1 << fmt.fraction_bits) - 1)
    significand = np.where(exponent == 0, fraction, fraction + (1 << fmt.fraction_bits))
    power = np.maximum(exponent, 1) - fmt.bias - fmt.fraction_bits
    magnitude = np.ldexp(significand.astype(np.float64), power.astype(np.int32))
    positive = codes & ((1 << (fmt.bits - 1)) - 1)
    if fmt.has_infinity:
        magnitude[positive == infinity_code(name)] = np.inf
    magnitude[positive > (infinity_code(name) or largest_code(name))] = np.nan
    values = np.where(codes >> (fmt.bits - 1) == 1, -magnitude, magnitude).astype(np.float32)
    values.setflags(write=False)
    return values


def decode(codes: np.ndarray, name: str) -> np.ndarray:
    """float32 values of `codes`; exact for every floating-point format of up to 32 bits."""
    if name == "fp32":
        return np.asarray(codes, np.uint32).view(np.float32)
    return _values(name)[np.asarray(codes)]


def encode(values: np.ndarray, name: str, *, saturate: bool = False) -> np.ndarray:
    """Codes of float32 `values` in format `name`, rounded to nearest even.

    A value that rounds beyond the largest finite one becomes infinity, or the NaN of E4M3. With
    `saturate` it becomes the largest finite value, and so does infinity itself. NaN becomes the
    format's NaN with the sign kept and the payload dropped.
    """
    fmt = _small_float(name)
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32).astype(np.int64)
    sign, field, fraction = bits >> 31, (bits >> 23) & 0xFF, bits & 0x7FFFFF
    significand = np.where(field == 0, fraction, fraction | 0x800000)
    field_out = np.maximum(field, 1) - 127 + fmt.bias  # exponent field of the target, may be below 1
    dropped = 23 - fmt.fraction_bits + np.maximum(1 - field_out, 0)
    dropped = np.minimum(dropped, 26)  # beyond this nothing but the sticky bit is left
    kept = significand >> dropped
    rest, half = significand - (kept << dropped), np.int64(1) << (dropped - 1)
    kept += (rest > half) | ((rest == half) & (kept & 1 == 1))
    # A hidden bit or a carry out of the fraction adds 1 to the exponent field by itself.
    code = ((np.maximum(field_out, 1) - 1) << fmt.fraction_bits) + kept
    overflow = (code > largest_code(name)) | ((field == 255) & (fraction == 0))
    beyond = infinity_code(name) if fmt.has_infinity else nan_code(name)
    code = np.where(overflow, largest_code(name) if saturate else beyond, code)
    code = np.where((field == 255) & (fraction != 0), nan_code(name), code)
    return (code | (sign << (fmt.bits - 1))).astype(code_type(name))
