"""The reference arithmetic against the plain definition in Python integers and fractions."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest

from hw.base.error import InputError
from model.reference import npu as reference
from model.work.workload import OutputStage


def _output(bias: list[int], multiplier: list[int], shift: list[int], **common: int) -> OutputStage:
    return OutputStage(
        bias=np.array(bias, np.int32),
        multiplier=np.array(multiplier, np.int32),
        shift=np.array(shift, np.int32),
        **common,
    )


def _defined(value: int, multiplier: int, shift: int, mode: str) -> int:
    """One rounding by the mode's sentence, on exact fractions."""

    def nearest(exact: Fraction, tie_up: bool) -> int:
        below = floor(exact)
        rest = exact - below
        return below + (rest > Fraction(1, 2) or (rest == Fraction(1, 2) and tie_up))

    exact = Fraction(value * multiplier, 1 << (31 + shift))
    if mode == "exact_rne":
        return nearest(exact, floor(exact) % 2 == 1)
    if mode == "tflite_single":
        return nearest(exact, True)
    value = max(-(1 << 31), min((1 << 31) - 1, value))
    high = min(nearest(Fraction(value * multiplier, 1 << 31), True), (1 << 31) - 1)
    return nearest(Fraction(high, 1 << shift), high >= 0)


@pytest.mark.parametrize("mode", ["exact_rne", "tflite_single", "gemmlowp"])
def test_every_mode_rounds_as_its_sentence_says_over_the_full_range(mode: str) -> None:
    rng = np.random.default_rng(1)
    sums = [-(1 << 31), (1 << 31) - 1, 0, 1, -1, 3 << 20, -(3 << 20), 5, -5]
    sums += [int(v) for v in rng.integers(-(1 << 31), 1 << 31, 100)]
    sums += [int(v) for v in rng.integers(-4000, 4000, 100)]
    for multiplier, shift in [
        (1 << 30, 0),
        (1 << 30, 1),
        (1 << 30, 3),
        ((1 << 31) - 1, 0),
        (0x5A827999, 7),
        (1 << 30, 31),
        (-(1 << 31), 0),
        (-(1 << 31), 31),
        (1, 0),
    ]:
        for bias in (0, -(1 << 31), (1 << 31) - 1, 77):
            output = _output([bias], [multiplier], [shift], zero_point=-3, low=-120, high=119)
            got = reference.requantise(np.array(sums)[:, None], output, mode)[:, 0]
            expected = [min(max(_defined(s + bias, multiplier, shift, mode) - 3, -120), 119) for s in sums]
            assert got.tolist() == expected


def test_float32_mode_is_the_binary32_product() -> None:
    output = _output([0, 0], [1 << 30, 0x5A827999], [0, 4])
    sums = np.array([[5, 1000], [7, -1000], [-5, 16777217], [300, 0]])
    scale = np.array([0.5, 0x5A827999 / 2**35], np.float32)
    expected = np.clip(np.rint(sums.astype(np.float32) * scale), -128, 127)
    assert (reference.requantise(sums, output, "float32") == expected).all()


def test_gemm_sums_are_exact_at_the_largest_k() -> None:
    k = 131071
    a, w = np.full((1, k), -128, np.int8), np.full((k, 1), -128, np.int8)
    assert reference.gemm_sums(a, w)[0, 0] == k << 14
    with pytest.raises(InputError, match="at most 131071"):
        reference.gemm_sums(np.full((1, k + 1), -128, np.int8), np.full((k + 1, 1), -128, np.int8))


def test_operands_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="agree in k"):
        reference.gemm_sums(np.zeros((2, 3), np.int8), np.zeros((2, 3), np.int8))
    with pytest.raises(InputError, match="int8"):
        reference.gemm_sums(np.zeros((2, 3), np.int16), np.zeros((3, 3), np.int8))
    with pytest.raises(InputError, match="0 to 31"):
        reference.requantise(np.zeros((1, 1), np.int64), _output([0], [1], [32]))
