"""Floating-point units in Verilator against SoftFloat: some 300,000 vectors; 4.6 million under `volume`."""

import shutil

import numpy as np
import pytest

from hw.base.error import InputError
from hw.rtl.arithmetic.fp_add import FpAdd
from tb.arithmetic import compare, softfloat
from tb.arithmetic.fp_vectors import FP8, PAIRS, adder_operands
from tb.arithmetic.vectors import play
from tb.bench import design
from tb.bench.icarus import build_icarus
from tb.bench.run import run

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize("latency", [3])
def test_every_unit_equals_softfloat(latency: int) -> None:
    rows = list(compare.run(accumulators=1, vectors=200, latency=latency, seed=11))
    assert [f"{unit}, {kind}: {r.first}" for unit, kind, r in rows if r.mismatches] == []
    assert sum(r.vectors for _, _, r in rows) > 280_000


@pytest.mark.volume
def test_every_unit_equals_softfloat_in_volume() -> None:
    """All FP8 products of all four format pairs with 16 accumulators, 24,000 vectors for each of the 16 pairs."""
    rows = list(compare.run(accumulators=16, vectors=4000, latency=4, seed=21))
    assert [f"{unit}, {kind}: {r.first}" for unit, kind, r in rows if r.mismatches] == []
    volumes = {kind: r.vectors for _, kind, r in rows}
    pairs = [(a, b) for a in FP8 for b in FP8]
    assert all(volumes[f"every {a} x {b}"] == 16 * 65_536 for a, b in pairs)
    assert all(volumes[f"directed {a} x {b}"] >= 24_000 for a, b in PAIRS)


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs iverilog")
def test_the_bench_of_a_lane_passes_on_a_chip() -> None:
    outcome = run(
        build_icarus(design.design("fp_mac", "npu_16_bf16")),
        design.module_name("fp_mac"),
        parameters={"chip": "npu_16_bf16"},
    )
    assert outcome.passed, outcome.explain()
    assert len(outcome.tests) == 2


def test_a_single_wrong_sum_is_found_and_named() -> None:
    x, y = adder_operands("fp16", 200, np.random.default_rng(12))
    expected = softfloat.f16_add(x, y)
    expected[77] ^= 1
    result = play(FpAdd("fp16", latency=3), "add_fp16", {"x": x, "y": y}, expected)
    assert result.mismatches == 1
    assert result.first.startswith(f"row 77: x {int(x[77]):#x}, y {int(y[77]):#x} gave")


def test_a_volume_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="vectors must be from 1 to 1048576, not 0"):
        next(compare.run(accumulators=1, vectors=0, latency=3, seed=1))
