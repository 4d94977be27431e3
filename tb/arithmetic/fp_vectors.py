"""Operands for floating-point units: six directed-random classes, and every FP8 product."""

import numpy as np

from hw.spec.number import number_format
from model.number.codec import code_type, decode, encode, infinity_code, largest_code, nan_code

FLOATS = ("fp16", "bf16", "fp8_e4m3", "fp8_e5m2")
FP8 = ("fp8_e4m3", "fp8_e5m2")
PAIRS = tuple((a, b) for a in FLOATS for b in FLOATS)
CLASSES = ("random", "cancellation", "specials", "aligned", "subnormal_accumulator", "typical")

Vectors = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Codes of activations and weights in their formats, FP32 codes of the accumulators."""


def special_codes(name: str) -> np.ndarray:
    """Zeros, smallest and largest subnormals and normals, one, infinity and NaN, both signs."""
    fmt = number_format(name)
    one = fmt.bias << fmt.fraction_bits
    least_normal = 1 << fmt.fraction_bits
    positive = [0, 1, 2, least_normal - 1, least_normal, least_normal + 1, one - 1, one, one + 1]
    if fmt.bits == 32:
        positive += [0x7F7FFFFE, 0x7F7FFFFF, 0x7F800000, 0x7F800001, 0x7FC00000, 0x7FFFFFFF]
    else:
        infinity = infinity_code(name)
        positive += [largest_code(name) - 1, largest_code(name), nan_code(name)]
        positive += [] if infinity is None else [infinity]
    codes = np.array(positive, dtype=np.uint32)
    return np.concatenate([codes, codes | (1 << (fmt.bits - 1))]).astype(code_type(name))


def widened(codes: np.ndarray, name: str) -> np.ndarray:
    """FP32 codes of `codes` of format `name`; exact."""
    return decode(codes, name).view(np.uint32)


def _fp32(values: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.asarray(values, dtype=np.float64).astype(np.float32).view(np.uint32).copy()


def directed(kind: str, pair: tuple[str, str], count: int, rng: np.random.Generator) -> Vectors:
    """`count` vectors of class `kind` (one of `CLASSES`) for the format pair `pair`."""
    a, b = (rng.integers(0, 1 << number_format(n).bits, count).astype(code_type(n)) for n in pair)
    c = rng.integers(0, 1 << 32, count, dtype=np.uint64).astype(np.uint32)
    with np.errstate(all="ignore"):
        product = decode(a, pair[0]).astype(np.float64) * decode(b, pair[1])
    if kind == "cancellation":  # the negated product, off by a few units in the last place
        c = (_fp32(-product).astype(np.int64) + rng.integers(-3, 4, count)).astype(np.uint32)
    elif kind == "specials":
        a, b = rng.choice(special_codes(pair[0]), count), rng.choice(special_codes(pair[1]), count)
        c = np.where(rng.random(count) < 0.8, rng.choice(special_codes("fp32"), count), c).astype(np.uint32)
    elif kind == "aligned":  # any fraction, exponent within 30 of the product's
        field = (_fp32(product) >> 23).astype(np.int64) & 0xFF
        field = np.clip(field + rng.integers(-30, 31, count), 0, 254)
        c = ((c & 0x807FFFFF) | (field << 23)).astype(np.uint32)
    elif kind == "subnormal_accumulator":
        c = c & np.uint32(0x807FFFFF)
        short = rng.random(count) < 0.3
        c = np.where(short, c & np.uint32(0x8000000F), c).astype(np.uint32)
        for name, codes in zip(pair, (a, b), strict=True):  # small operands, so that the product matters
            small = rng.integers(0, 4 << number_format(name).fraction_bits, count)
            codes[:] = small | (rng.integers(0, 2, count) << (number_format(name).bits - 1))
    elif kind == "typical":  # what a layer sees: unit normals, an accumulator of some tens
        a, b = (encode(rng.standard_normal(count).astype(np.float32), n) for n in pair)
        c = _fp32(rng.standard_normal(count) * 16)
    return a, b, c


def all_classes(pair: tuple[str, str], count: int, rng: np.random.Generator) -> Vectors:
    """`count` vectors of every class, one class after the other."""
    parts = [directed(kind, pair, count, rng) for kind in CLASSES]
    a, b, c = (np.concatenate(column) for column in zip(*parts, strict=True))
    return a, b, c


def every_fp8_product(pair: tuple[str, str], accumulators: int, rng: np.random.Generator) -> Vectors:
    """All 65,536 operand pairs, each with `accumulators` addends drawn from four kinds.

    A quarter each: any FP32 code, the negated product within 3 units in the last place, an exponent
    within 30 of the product's, a special value or a subnormal.
    """
    a = np.repeat(np.arange(65536) >> 8, accumulators).astype(np.uint8)
    b = np.repeat(np.arange(65536) & 255, accumulators).astype(np.uint8)
    count = a.size
    c = rng.integers(0, 1 << 32, count, dtype=np.uint64).astype(np.uint32)
    with np.errstate(all="ignore"):
        product = _fp32(decode(a, pair[0]).astype(np.float64) * decode(b, pair[1]))
    near = ((product ^ np.uint32(1 << 31)).astype(np.int64) + rng.integers(-3, 4, count)).astype(np.uint32)
    field = np.clip(((product >> 23).astype(np.int64) & 0xFF) + rng.integers(-30, 31, count), 0, 254)
    aligned = ((c & 0x807FFFFF) | (field << 23)).astype(np.uint32)
    odd = np.where(rng.random(count) < 0.7, rng.choice(special_codes("fp32"), count), c & 0x807FFFFF)
    kind = np.arange(count) % 4
    return a, b, np.choose(kind, [c, near, aligned, odd]).astype(np.uint32)


def adder_operands(name: str, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """`count` pairs each of any codes, cancelling ones and ones within 30 in exponent; all special pairs."""
    fmt = number_format(name)
    bits, fraction = fmt.bits, fmt.fraction_bits
    x, y = (rng.integers(0, 1 << bits, 3 * count, dtype=np.uint64).astype(np.int64) for _ in range(2))
    y[:count] = (x[:count] ^ (1 << (bits - 1))) + rng.integers(-4, 5, count)
    near = slice(count, 2 * count)
    y[near] = (x[near] + (rng.integers(-30, 31, count) << fraction)) ^ (y[near] & ((1 << fraction) - 1))
    grid = np.meshgrid(special_codes(name), special_codes(name))
    mask = (1 << bits) - 1
    x, y = (np.concatenate([v & mask, g.ravel()]) for v, g in zip((x, y), grid, strict=True))
    return x.astype(code_type(name)), y.astype(code_type(name))


def near_codes(name: str, count: int, rng: np.random.Generator) -> np.ndarray:
    """FP32 codes: `count` at or beside values of format `name` and their midpoints, any codes, special ones."""
    values = decode(np.arange(1 << number_format(name).bits), name)
    near = rng.choice(values[np.isfinite(values)], count).view(np.uint32).astype(np.int64)
    near += rng.integers(-3, 4, count) << rng.integers(0, 24, count)
    anything = rng.integers(0, 1 << 32, count // 2, dtype=np.uint64).astype(np.uint32)
    return np.concatenate([near.astype(np.uint32), anything, special_codes("fp32")])
