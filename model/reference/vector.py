"""What the vector unit's operations compute, row by row, from the numeric contract: knows no micro-operation.

Numbers are uint16 codes of a storage format ("bf16" or "fp16"); inside a row everything is FP32, rounded once at the
end. Rows are padded to whole words of 16 lanes.
"""

import numpy as np

from model.number import function
from model.number.codec import decode, encode

LANES = 16
LOG2E = 1.4426950408889634


def fp32_code(value: float) -> int:
    """FP32 code of a constant, rounded to nearest even."""
    return int(np.float32(value).view(np.uint32))


def epsilon_code(value: float) -> int:
    """Upper half of the FP32 code of a constant rounded to BF16."""
    return int(encode(np.array([value], np.float32), "bf16")[0])


def softmax_scale(scale: float) -> int:
    """FP32 code of the constant that turns exp(scale x) into 2**(x constant)."""
    return fp32_code(scale * LOG2E)


def silu_scale() -> int:
    """FP32 code of -log2(e)."""
    return fp32_code(-LOG2E)


def add(a: np.ndarray, b: np.ndarray, name: str) -> np.ndarray:
    """a + b, rounded to FP32, then to the format."""
    return _stored(function.add(_wide(a, name), _wide(b, name)), name)


def gate(a: np.ndarray, b: np.ndarray, name: str, scale: int) -> np.ndarray:
    """(a * reciprocal(1 + exp2(a * scale))) * b."""
    x = _wide(a, name)
    e = function.exp2(function.multiply(x, _constant(scale, x)))
    share = function.reciprocal(function.add(e, _constant(0x3F800000, x)))
    return _stored(function.multiply(function.multiply(share, x), _wide(b, name)), name)


def rms_norm(a: np.ndarray, gain: np.ndarray, name: str, epsilon: int) -> np.ndarray:
    """Rows (..., n): (root(sum of squares / n + epsilon) * a) * gain."""
    n = a.shape[-1]
    x = _words(_wide(a, name), 0)
    total = np.zeros((*a.shape[:-1], LANES), np.uint32)
    for word in range(x.shape[-2]):
        total = function.add(total, function.multiply(x[..., word, :], x[..., word, :]))
    mean = function.multiply(across(total), _constant(fp32_code(1 / n), total[..., 0]))
    factor = function.root(function.add(mean, _constant(epsilon << 16, mean)))
    wide = _wide(a, name)
    return _stored(
        function.multiply(function.multiply(_constant(factor[..., None], wide), wide), _wide(gain, name)), name
    )


def softmax(a: np.ndarray, name: str, scale: int) -> np.ndarray:
    """One row (n,): exp2((a - largest) * scale) * reciprocal(sum); the sum over words ascending, then over lanes."""
    wide = _wide(a, name)
    largest = wide[int(np.argmax(function.order_key(wide)))]
    negative = int(largest) ^ 1 << 31

    def powers(x: np.ndarray) -> np.ndarray:
        return function.exp2(function.multiply(function.add(x, _constant(negative, x)), _constant(scale, x)))

    e = powers(_words(wide, 0xFF800000))
    total = np.zeros(LANES, np.uint32)
    for word in e:
        total = function.add(total, word)
    share = function.reciprocal(across(total))
    return _stored(function.multiply(powers(wide), _constant(share, wide)), name)


def rotate(a: np.ndarray, cosine: np.ndarray, sine: np.ndarray, name: str) -> np.ndarray:
    """a * cosine + (neighbours of a exchanged) * sine over the last axis; sines carry the signs -, +."""
    exchanged = a.reshape(*a.shape[:-1], -1, 2)[..., ::-1].reshape(a.shape)
    straight = function.multiply(_wide(a, name), _wide(cosine, name))
    crossed = function.multiply(_wide(sine, name), _wide(exchanged, name))
    return _stored(function.add(straight, crossed), name)


def arg_max(a: np.ndarray, name: str) -> int:
    """Place of the largest number, the first of equals."""
    return int(np.argmax(function.order_key(_wide(a, name))))


def sum_lanes(lanes: np.ndarray, name: str) -> np.ndarray:
    """Sums (..., 16) -> (...): lanes ascending in FP32, rounded once to the format."""
    wide = _wide(lanes, name)
    total = np.zeros(lanes.shape[:-1], np.uint32)
    for lane in range(lanes.shape[-1]):
        total = function.add(total, wide[..., lane])
    return _stored(total, name)


def across(lanes: np.ndarray) -> np.ndarray:
    """Sum of 16 lanes as a tree: neighbours first, then pairs of pairs."""
    while lanes.shape[-1] > 1:
        lanes = function.add(lanes[..., 0::2], lanes[..., 1::2])
    return lanes[..., 0]


def _wide(codes: np.ndarray, name: str) -> np.ndarray:
    return function.canonical(decode(codes, name).astype(np.float32))


def _stored(codes: np.ndarray, name: str) -> np.ndarray:
    return encode(function.floats(codes), name)


def _constant(code: int | np.ndarray, like: np.ndarray) -> np.ndarray:
    return np.broadcast_to(np.asarray(code, np.uint32), like.shape)


def _words(codes: np.ndarray, fill: int) -> np.ndarray:
    """(..., n) as (..., words, 16), filled up."""
    missing = -codes.shape[-1] % LANES
    filled = np.concatenate([codes, np.full((*codes.shape[:-1], missing), fill, np.uint32)], -1)
    return filled.reshape(*codes.shape[:-1], -1, LANES)
