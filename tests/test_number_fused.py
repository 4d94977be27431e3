"""NumPy multiply-accumulate against SoftFloat."""

import numpy as np
import pytest

from hw.base.error import InputError
from model.number.codec import CANONICAL_NAN, code_type, encode
from model.number.fused import fp32_add, fused_mac, matmul, pack_int4, product_fits_fp32, unpack_int4
from tb.arithmetic import softfloat
from tb.arithmetic.fp_vectors import PAIRS, all_classes, special_codes, widened


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_fused_mac_equals_softfloat(pair: tuple[str, str]) -> None:
    a, b, c = all_classes(pair, 1000, np.random.default_rng(1))
    expected = softfloat.f32_mul_add(widened(a, pair[0]), widened(b, pair[1]), c)
    assert np.array_equal(fused_mac(c, a, b, *pair), expected)


def test_every_pair_of_special_operands_and_accumulators_equals_softfloat() -> None:
    for pair in PAIRS:
        grids = np.meshgrid(special_codes(pair[0]), special_codes(pair[1]), special_codes("fp32"))
        a, b, c = (g.ravel() for g in grids)
        expected = softfloat.f32_mul_add(widened(a, pair[0]), widened(b, pair[1]), c)
        assert np.array_equal(fused_mac(c, a, b, *pair), expected), pair


def test_only_pairs_with_bf16_need_more_than_float32() -> None:
    assert [p for p in PAIRS if not product_fits_fp32(*p)] == [p for p in PAIRS if "bf16" in p]


def test_fp32_add_equals_softfloat() -> None:
    rng = np.random.default_rng(2)
    specials = special_codes("fp32")
    x = np.concatenate([rng.integers(0, 1 << 32, 4000, dtype=np.uint64).astype(np.uint32), np.repeat(specials, 30)])
    y = np.concatenate([rng.integers(0, 1 << 32, 4000, dtype=np.uint64).astype(np.uint32), np.tile(specials, 30)])
    assert np.array_equal(fp32_add(x, y), softfloat.f32_add(x, y))


def test_matmul_takes_k_ascending_within_a_pass_and_passes_ascending() -> None:
    rng = np.random.default_rng(3)
    a = encode(rng.standard_normal((3, 11)).astype(np.float32), "fp16")
    b = encode(rng.standard_normal((11, 2)).astype(np.float32), "bf16")
    found = matmul(a, b, "fp16", "bf16", rows=4)
    wide_a, wide_b = widened(a, "fp16"), widened(b, "bf16")
    one = np.zeros(1, dtype=np.uint32)
    for m in range(3):
        for n in range(2):
            total = None
            for start in range(0, 11, 4):
                partial = one
                for k in range(start, start + 4):
                    x = wide_a[m, k : k + 1] if k < 11 else one
                    y = wide_b[k : k + 1, n] if k < 11 else one
                    partial = softfloat.f32_mul_add(x, y, partial)
                total = partial if total is None else softfloat.f32_add(total, partial)
            assert total is not None
            assert found[m, n] == total[0]


def test_matmul_of_unequal_k_is_refused() -> None:
    with pytest.raises(InputError, match="must share k of at least 1, not 3 and 4"):
        matmul(np.zeros((2, 3), np.uint16), np.zeros((4, 2), np.uint16), "fp16", "fp16", rows=4)


def test_infinity_times_zero_is_the_canonical_nan() -> None:
    found = fused_mac(np.zeros(1, np.uint32), np.array([0x7C00]), np.array([0]), "fp16", "fp16")
    assert found[0] == CANONICAL_NAN


def test_int4_pairs_pack_and_unpack() -> None:
    values = np.stack(np.meshgrid(np.arange(-8, 8), np.arange(-8, 8)), axis=-1)
    assert np.array_equal(unpack_int4(pack_int4(values)), values)
    assert pack_int4(np.array([1, -1])) == 0xF1
    with pytest.raises(InputError, match="pairs on the last axis"):
        pack_int4(np.array([8, 0]))


def test_code_types_hold_their_codes() -> None:
    assert [np.dtype(code_type(n)).itemsize for n in ("fp8_e4m3", "bf16", "fp32")] == [1, 2, 4]
