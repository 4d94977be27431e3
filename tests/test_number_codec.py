"""Codes <-> values against ml_dtypes, gfloat and SoftFloat."""

import gfloat
import gfloat.formats
import ml_dtypes
import numpy as np
import pytest

from hw.base.error import InputError
from model.number.codec import code_type, decode, encode, infinity_code, largest_code, nan_code
from tb.arithmetic import softfloat
from tb.arithmetic.fp_vectors import FLOATS, special_codes

SECOND_OPINION = {
    "fp16": np.float16,
    "bf16": ml_dtypes.bfloat16,
    "fp8_e4m3": ml_dtypes.float8_e4m3fn,
    "fp8_e5m2": ml_dtypes.float8_e5m2,
}
THIRD_OPINION = {
    "fp16": gfloat.formats.format_info_binary16,
    "bf16": gfloat.formats.format_info_bfloat16,
    "fp8_e4m3": gfloat.formats.format_info_ocp_e4m3,
    "fp8_e5m2": gfloat.formats.format_info_ocp_e5m2,
}


def fp32_samples(name: str) -> np.ndarray:
    """Any FP32 code, codes near the format's range, every midpoint of two neighbours and its neighbours."""
    rng = np.random.default_rng(4)
    anything = rng.integers(0, 1 << 32, 20000, dtype=np.uint64).astype(np.uint32)
    values = decode(np.arange(1 << 8 if code_type(name) is np.uint8 else 1 << 16), name)
    values = np.unique(values[np.isfinite(values)])
    midpoints = ((values[1:].astype(np.float64) + values[:-1]) / 2).astype(np.float32)
    if midpoints.size > 20000:
        midpoints = rng.choice(midpoints, 20000)
    with np.errstate(over="ignore"):
        edge = np.float32(2) * decode(np.array([largest_code(name)]), name)
    around = np.concatenate([midpoints, edge, -edge, rng.uniform(-1, 1, 2000).astype(np.float32) * edge])
    bits = np.concatenate([around.view(np.uint32), (around.view(np.uint32) + 1), (around.view(np.uint32) - 1)])
    return np.concatenate([anything, bits, special_codes("fp32")]).view(np.float32)


@pytest.mark.parametrize("name", FLOATS)
def test_every_code_decodes_as_ml_dtypes_decodes_it(name: str) -> None:
    codes = np.arange(1 << (8 * np.dtype(code_type(name)).itemsize)).astype(code_type(name))
    expected = codes.view(SECOND_OPINION[name]).astype(np.float32)
    found = decode(codes, name)
    assert np.array_equal(found, expected, equal_nan=True)
    assert np.array_equal(np.signbit(found), np.signbit(expected))


@pytest.mark.parametrize("name", FLOATS)
def test_every_finite_code_survives_decode_and_encode(name: str) -> None:
    codes = np.arange(1 << (8 * np.dtype(code_type(name)).itemsize)).astype(code_type(name))
    codes = codes[~np.isnan(decode(codes, name))]
    assert np.array_equal(encode(decode(codes, name), name), codes)


@pytest.mark.parametrize("name", FLOATS)
def test_encode_rounds_as_ml_dtypes_rounds(name: str) -> None:
    samples = fp32_samples(name)
    samples = samples[~np.isnan(samples)]
    with np.errstate(all="ignore"):
        expected = samples.astype(SECOND_OPINION[name]).view(code_type(name))
    assert np.array_equal(encode(samples, name), expected)


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("saturate", [False, True])
def test_encode_of_finite_values_rounds_as_gfloat_rounds(name: str, saturate: bool) -> None:
    samples = fp32_samples(name)
    samples = np.random.default_rng(5).choice(samples[np.isfinite(samples)], 1500)
    info = THIRD_OPINION[name]
    expected = [gfloat.encode_float(info, gfloat.round_float(info, float(v), sat=saturate)) for v in samples]
    found = encode(samples, name, saturate=saturate)
    # gfloat has one NaN code and drops its sign
    nan = np.isnan(decode(found, name))
    assert np.array_equal(np.where(nan, 0, found), np.where(nan, 0, expected))
    assert np.all(np.isnan(decode(np.array(expected)[nan], name)))


def test_encode_to_fp16_rounds_as_softfloat_rounds() -> None:
    samples = fp32_samples("fp16")[:20000]
    samples = samples[~np.isnan(samples)]
    assert np.array_equal(encode(samples, "fp16"), softfloat.f32_to_f16(samples.view(np.uint32)))


@pytest.mark.parametrize("name", FLOATS)
def test_saturation_keeps_overflow_and_infinity_finite_and_nan_a_nan(name: str) -> None:
    values = np.array([3.4e38, -3.4e38, np.inf, -np.inf, np.nan], dtype=np.float32)
    top, sign = largest_code(name), 1 << (8 * np.dtype(code_type(name)).itemsize - 1)
    assert list(encode(values, name, saturate=True)[:4]) == [top, top | sign, top, top | sign]
    assert encode(values, name, saturate=True)[4] == nan_code(name)


def test_e4m3_overflows_to_nan_with_its_sign_and_464_still_rounds_to_448() -> None:
    values = np.array([448, 464, np.nextafter(np.float32(464), np.float32(500)), -1000, -np.inf], dtype=np.float32)
    assert list(encode(values, "fp8_e4m3")) == [0x7E, 0x7E, 0x7F, 0xFF, 0xFF]
    assert infinity_code("fp8_e4m3") is None


def test_integer_formats_are_refused() -> None:
    with pytest.raises(InputError, match="8- or 16-bit floating-point format, not 'int8'"):
        decode(np.zeros(1, np.uint8), "int8")
