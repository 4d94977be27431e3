"""The two roundings of a FP16 lane against SoftFloat."""

import numpy as np

from model.number.half import fp16_add, fp16_multiply, fp16_multiply_add, fp16_relu
from tb.arithmetic import softfloat
from tb.arithmetic.fp_vectors import special_codes


def operands() -> tuple[np.ndarray, np.ndarray]:
    """Random codes and every pair of special ones."""
    rng = np.random.default_rng(6)
    x, y = (rng.integers(0, 1 << 16, 60000).astype(np.uint16) for _ in range(2))
    near = (x ^ 0x8000) + rng.integers(-4, 5, x.size)  # cancellation
    grid = np.meshgrid(special_codes("fp16"), special_codes("fp16"))
    x, y = np.concatenate([x, x, grid[0].ravel()]), np.concatenate([y, near & 0xFFFF, grid[1].ravel()])
    return x.astype(np.uint16), y.astype(np.uint16)


def test_multiply_equals_softfloat() -> None:
    x, y = operands()
    assert np.array_equal(fp16_multiply(x, y), softfloat.f16_mul(x, y))


def test_add_equals_softfloat() -> None:
    x, y = operands()
    assert np.array_equal(fp16_add(x, y), softfloat.f16_add(x, y))


def test_multiply_add_rounds_twice() -> None:
    # 1.0009766 ** 2 = 1.00195408: the product rounds to 1.001953125, so subtracting that leaves zero
    x = np.array([0x3C01], dtype=np.uint16)
    assert fp16_multiply_add(x, x, np.array([0xBC02], dtype=np.uint16))[0] == 0


def test_relu_clears_whatever_has_its_sign_set() -> None:
    codes = np.array([0x8000, 0xFC00, 0xFE00, 0x0001, 0x7E00, 0xBC00], dtype=np.uint16)
    assert list(fp16_relu(codes)) == [0, 0, 0, 1, 0x7E00, 0]
