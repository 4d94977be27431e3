"""The floating-point units in Verilator against Berkeley SoftFloat, in volume."""

from collections.abc import Iterator

import numpy as np

from hw.base.error import InputError
from hw.rtl.arithmetic.fp_add import FpAdd
from hw.rtl.arithmetic.fp_convert import FpConvert
from hw.rtl.arithmetic.fp_lane import FpLane
from hw.rtl.arithmetic.fp_mul import FpMul
from model.number.codec import encode
from tb.arithmetic import softfloat
from tb.arithmetic.fp_vectors import (
    FLOATS,
    FP8,
    PAIRS,
    Vectors,
    adder_operands,
    all_classes,
    every_fp8_product,
    near_codes,
    widened,
)
from tb.arithmetic.vectors import Comparison, play

Row = tuple[str, str, Comparison]
"""Unit, vectors it was given, what came of them."""


def run(*, accumulators: int, vectors: int, latency: int, seed: int) -> Iterator[Row]:
    """One row per unit and kind of vectors, as they are done.

    Parameters
    ----------
    accumulators : int
        Addends for each of the 65,536 operand pairs of each FP8 format pair.
    vectors : int
        Directed-random vectors per class, six classes, for each of the 16 format pairs; as many per kind
        for the other units.
    latency : int
        Of the multiply-accumulate.
    """
    for name, value in (("accumulators", accumulators), ("vectors", vectors)):
        if not 1 <= value <= 1 << 20:
            raise InputError(f"{name} must be from 1 to {1 << 20}, not {value}")
    rng = np.random.default_rng(seed)
    for a in FP8:
        for b in FP8:
            yield "fp_lane", f"every {a} x {b}", _lane((a, b), every_fp8_product((a, b), accumulators, rng), latency)
    for pair in PAIRS:
        yield "fp_lane", f"directed {pair[0]} x {pair[1]}", _lane(pair, all_classes(pair, vectors, rng), latency)
    for name, golden in (("fp32", softfloat.f32_add), ("fp16", softfloat.f16_add)):
        x, y = adder_operands(name, vectors, rng)
        dut = FpAdd(name, latency=3)
        yield "fp_add", name, play(dut, f"add_{name}", {"x": x, "y": y}, golden(x, y))
    x, y = (rng.integers(0, 1 << 16, 3 * vectors).astype(np.uint16) for _ in range(2))
    yield "fp_mul", "fp16", play(FpMul("fp16", latency=2), "mul_fp16", {"x": x, "y": y}, softfloat.f16_mul(x, y))
    for index, name in enumerate(FLOATS):
        x = near_codes(name, vectors, rng)
        for saturate in (0, 1):
            expected = encode(x.view(np.float32), name, saturate=bool(saturate))
            inputs = {"x": x, "select": np.full(x.size, index), "saturate": np.full(x.size, saturate)}
            text = f"fp32 to {name}" + ", saturating" * saturate
            yield "fp_convert", text, play(FpConvert(FLOATS, latency=2), "convert", inputs, expected)


def _lane(pair: tuple[str, str], operands: Vectors, latency: int) -> Comparison:
    a, b, c = operands
    expected = softfloat.f32_mul_add(widened(a, pair[0]), widened(b, pair[1]), c)
    select_a, select_b = (np.full(a.size, FLOATS.index(name)) for name in pair)
    inputs = {"a": a, "b": b, "c": c, "select_a": select_a, "select_b": select_b}
    return play(FpLane(FLOATS, FLOATS, latency=latency), "fp_lane", inputs, expected)
