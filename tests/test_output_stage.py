"""The output stage in all four rounding modes over the full range: both signs, ties, shifts 0 to 31, INT32 limits."""

from typing import get_args

import numpy as np
import pytest
from amaranth.sim import Simulator

from hw.rtl.npu.output_stage import OutputStage
from hw.spec.core import CoreSpec, RoundingMode
from hw.spec.mac_array import MacArraySpec
from model.lowering import lower
from model.reference import npu as reference
from model.work.workload import OutputStage as Parameters

COLUMNS = 8
INT32 = (-(1 << 31), (1 << 31) - 1)


def rows(count: int, rng: np.random.Generator) -> tuple[np.ndarray, list[Parameters]]:
    """Sums (count, columns) and one set of parameters per row; what is hard for a rounding rule."""
    shape = (count, COLUMNS)
    shift = rng.integers(0, 32, shape)
    multiplier = rng.integers(1 << 30, 1 << 31, shape)
    multiplier[::3] = 1 << 30  # a power of two: ties are common
    multiplier[1::7] = rng.choice([INT32[0], INT32[1], -1, 0, 1], multiplier[1::7].shape)
    result = rng.integers(-300, 300, shape) * 2 + 1  # aim at half an integer, and a little off it
    with np.errstate(divide="ignore"):
        sums = result * np.exp2(30 + shift) / np.where(multiplier == 0, 1, multiplier)
    sums = np.clip(np.rint(sums), *INT32).astype(np.int64) + rng.integers(-1, 2, shape)
    sums[::11] = rng.choice([*INT32, 0, -1, 1], sums[::11].shape)
    sums[5::11] = rng.integers(*INT32, sums[5::11].shape)
    bias = rng.integers(-1000, 1000, shape)
    bias[::2] = 0
    bias[::13] = rng.choice(INT32, bias[::13].shape)
    sums = np.clip(sums - np.where(np.abs(bias) < 2000, bias, 0), *INT32)
    parameters = []
    for i in range(count):
        zero_point = int(rng.integers(-128, 128))
        low, high = CLAMPS[i % len(CLAMPS)](zero_point, int(rng.integers(1, 128)))
        parameters.append(
            Parameters(
                bias=bias[i].astype(np.int32),
                multiplier=multiplier[i].astype(np.int32),
                shift=shift[i].astype(np.int32),
                zero_point=zero_point,
                low=low,
                high=high,
            )
        )
    return sums, parameters


CLAMPS = (
    lambda zero_point, six: (-128, 127),  # none
    lambda zero_point, six: (zero_point, 127),  # ReLU
    lambda zero_point, six: (zero_point, min(zero_point + six, 127)),  # ReLU6; `six` is 6 / scale of the output
    lambda zero_point, six: (-six, six - 1),
)
"""(low, high) for a zero point."""


def test_the_rows_hold_what_is_hard() -> None:
    sums, parameters = rows(250, np.random.default_rng(17))
    bias, multiplier, shift = (
        np.array([getattr(p, name) for p in parameters]).astype(np.int64) for name in ("bias", "multiplier", "shift")
    )
    assert {0, 31} <= set(shift.ravel().tolist())
    assert {*INT32, 0, 1, -1} <= set(multiplier.ravel().tolist())
    assert set(INT32) <= set(sums.ravel().tolist())
    assert set(INT32) <= set(bias.ravel().tolist())
    exact = (sums + bias).astype(object) * multiplier
    rest = exact % (1 << (31 + shift).astype(object))
    tie = (rest == (1 << (30 + shift).astype(object))) & (abs(exact) < (1 << 40 + shift.astype(object)))
    assert min((tie & (exact > 0)).sum(), (tie & (exact < 0)).sum()) > 50
    # a tie that steps to even and one that stays, in both signs
    assert {int(v) % 4 for v in (exact[tie] >> (30 + shift[tie]).astype(object))} == {1, 3}
    for mode in get_args(RoundingMode):
        clamped: dict[int, set[int]] = {i: set() for i in range(len(CLAMPS))}
        for i, (s, p) in enumerate(zip(sums, parameters, strict=True)):
            moved = reference.scaled(s[None], p, mode)[0]
            clamped[i % len(CLAMPS)] |= set((moved > p.high) * 1 - (moved < p.low) * 1)
        assert all(ends == {-1, 0, 1} for ends in clamped.values()), (mode, clamped)


@pytest.mark.parametrize("mode", get_args(RoundingMode))
def test_every_mode_equals_the_reference_over_the_full_range(mode: RoundingMode) -> None:
    core = CoreSpec(
        array=MacArraySpec(rows=2, columns=COLUMNS),
        activation_words=2,
        weight_words=2,
        accumulator_rows=16,
        output_words=2,
        rounding_mode=mode,
    )
    dut = OutputStage(core)
    sums, parameters = rows(250, np.random.default_rng(17))
    found, saturated = [], []

    async def bench(ctx) -> None:
        for cycle in range(len(sums) + dut.latency):
            ctx.set(dut.i_valid, cycle < len(sums))
            if cycle < len(sums):
                word = b"".join(int(v).to_bytes(4, "little", signed=True) for v in sums[cycle])
                ctx.set(dut.i_sums, int.from_bytes(word, "little"))
                ctx.set(dut.i_parameters.as_value(), lower.parameter_words(core, parameters[cycle])[0])
            assert ctx.get(dut.o_valid) == (cycle >= dut.latency)
            if cycle >= dut.latency:
                found.append(np.frombuffer(ctx.get(dut.o_data).to_bytes(COLUMNS, "little"), np.int8))
                saturated.append(ctx.get(dut.o_saturated))
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    expected = [reference.requantise(s[None], p, mode)[0] for s, p in zip(sums, parameters, strict=True)]
    assert np.array_equal(found, expected)
    moved = [reference.scaled(s[None], p, mode)[0] for s, p in zip(sums, parameters, strict=True)]
    assert saturated == [int(((m < -128) | (m > 127)).sum()) for m in moved]


def test_the_modes_differ_where_their_rules_do() -> None:
    sums = np.array([[1, 3, -1, -3]])
    half = Parameters(bias=np.zeros(4, np.int32), multiplier=np.full(4, 1 << 30, np.int32), shift=np.zeros(4, np.int32))
    results = {mode: reference.requantise(sums, half, mode)[0].tolist() for mode in get_args(RoundingMode)}
    assert results["exact_rne"] == results["float32"] == [0, 2, 0, -2]
    assert results["tflite_single"] == [1, 2, 0, -1]
