"""Products of BF16 vectors with matrices of crossbars: block floating point, exact integers between two roundings.

Takes nothing from the crossbars' own arithmetic but the integer product, which at zero noise is the exact one.
"""

from collections.abc import Callable

import numpy as np

from model.number.codec import decode
from model.reference.products import Product

LARGEST = 127
"""Of an input or weight of 8 bits, both signs alike."""

IntegerProduct = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(integers (B, K), weights (N, K)) -> sums (B, N)."""


def exponents(largest: np.ndarray) -> np.ndarray:
    """Power of two of the unit in which numbers up to `largest` become integers up to 127, at least -128, what 8 bits
    hold; 0 for zeros."""
    return np.where(largest > 0, np.maximum(np.frexp(largest)[1] - 7, -128), 0)


def stored(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """BF16 weights (N, K) as integers of 8 bits, and the power of two of each output."""
    values = decode(codes, "bf16").astype(np.float64)
    power = exponents(np.abs(values).max(axis=1))
    return np.clip(np.rint(np.ldexp(values, -power[:, None])), -LARGEST, LARGEST).astype(np.int64), power


def aligned(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """BF16 vectors (B, K) as integers, the power of two of each vector, and which hold an infinity or a NaN."""
    field = codes >> 7 & 255
    largest = field.max(axis=1).astype(np.int64)
    values = np.where(field == 0, 0.0, decode(codes, "bf16").astype(np.float64))
    invalid = largest == 255
    values = np.where(invalid[:, None], 0.0, values)
    power = largest - 133
    integers = np.clip(np.rint(np.ldexp(values, -power[:, None])), -LARGEST, LARGEST)
    return integers.astype(np.int64), power, invalid


def rounded(sums: np.ndarray, power: np.ndarray) -> np.ndarray:
    """BF16 codes of sums times 2**power, half to even; below the normal range +0, above it infinity."""
    fraction, exponent = np.frexp(np.asarray(sums, np.float64))
    value = np.ldexp(np.rint(fraction * 256), exponent + power - 8)
    value = np.where(np.abs(value) < 2.0**-126, 0.0, value)
    large = np.abs(value) >= 2.0**128
    value = np.where(large, np.copysign(np.inf, value), value)
    return (value.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)


def exact(inputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The integer product."""
    return np.rint(inputs.astype(np.float64) @ weights.T.astype(np.float64)).astype(np.int64)


def crossbar_product(integer_product: IntegerProduct = exact) -> Product:
    """BF16 codes w (out, in) and x (vectors, in) to codes (vectors, out)."""
    held: dict[tuple[tuple[int, ...], bytes], tuple[np.ndarray, np.ndarray]] = {}

    def product(w: np.ndarray, x: np.ndarray) -> np.ndarray:
        key = w.shape, w.tobytes()
        if key not in held:
            held[key] = stored(w)
        weights, power = held[key]
        inputs, input_power, invalid = aligned(x)
        found = rounded(integer_product(inputs, weights), input_power[:, None] + power[None, :])
        return np.where(invalid[:, None], np.uint16(0x7FC0), found)

    return product
