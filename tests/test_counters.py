"""The counters: each is documented in one sentence, and those that operands decide mean what the page says."""

from pathlib import Path

import numpy as np
import pytest
from amaranth.sim import Simulator

from hw.rtl.arithmetic.fp_class import is_beyond, is_infinity, is_nan
from hw.rtl.arithmetic.fp_form import storage_format
from hw.rtl.npu.counters import increment_bits
from hw.spec.core import CoreSpec
from hw.spec.mac_array import MacArraySpec
from hw.spec.npu_event import EVENTS, LABELS, OBSERVATIONS, VALUE_EVENTS
from model.functional.value_counts import value_counts
from model.number.codec import decode, encode
from model.work.workload import OutputStage
from tb.arithmetic.fp_vectors import FLOATS, near_codes, special_codes


def test_every_counter_is_documented_in_the_words_of_the_spec() -> None:
    page = (Path(__file__).parents[1] / "docs" / "counters.md").read_text()
    for name, sentence in {**LABELS, **EVENTS}.items():
        assert f"| `{name}` |" in page
        assert sentence in page, name
        assert sentence.endswith(".")
    assert set(VALUE_EVENTS) <= set(OBSERVATIONS) <= set(EVENTS)


def _evaluated(build, codes: np.ndarray) -> np.ndarray:
    """`build(code)` for each FP32 or storage code, by Amaranth's simulator."""
    from amaranth.hdl import Module, Signal

    m, code, out = Module(), Signal(32), Signal()
    m.d.comb += out.eq(build(code))
    found = []

    async def bench(ctx) -> None:
        for value in codes:
            ctx.set(code, int(value))
            found.append(ctx.get(out))

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
    return np.array(found, bool)


@pytest.mark.parametrize("name", FLOATS)
def test_nan_and_infinity_are_told_for_special_and_random_codes(name: str) -> None:
    fmt = storage_format(name)
    rng = np.random.default_rng(3)
    codes = np.concatenate([special_codes(name), rng.integers(0, 1 << fmt.bits, 500).astype(special_codes(name).dtype)])
    values = decode(codes, name)
    assert np.array_equal(_evaluated(lambda code: is_nan(code, fmt), codes), np.isnan(values))
    assert np.array_equal(_evaluated(lambda code: is_infinity(code, fmt), codes), np.isinf(values))


@pytest.mark.parametrize("saturate", [False, True])
@pytest.mark.parametrize("name", FLOATS)
def test_a_sum_is_beyond_a_format_exactly_if_its_conversion_overflows(name: str, saturate: bool) -> None:
    fmt = storage_format(name)
    codes = near_codes(name, 400, np.random.default_rng(4))
    # the largest value, half a step above it, and the codes around both
    largest = decode(np.array([encode(np.array([3e38], np.float32), name, saturate=True)[0]]), name)
    step = np.spacing(largest) * 2.0 ** (23 - fmt.fraction_bits)
    edge = np.concatenate([largest, largest + step / 2]).astype(np.float32).view(np.uint32)
    codes = np.concatenate([codes, *(edge + np.uint32(d) for d in range(3)), edge - np.uint32(1)])
    values = codes.view(np.float32)
    overflows = ~np.isfinite(decode(encode(values, name), name)) & np.isfinite(values)
    expected = overflows | (np.isinf(values) if saturate else False)
    assert np.array_equal(_evaluated(lambda code: is_beyond(code, fmt, saturate), codes), expected)
    assert overflows.any()


def _core(formats: tuple[str, str], output_format: str = "int8") -> CoreSpec:
    array = MacArraySpec(rows=2, columns=3, activation_format=formats[0], weight_format=formats[1])
    return CoreSpec(
        array=array,
        activation_words=64,
        weight_words=64,
        accumulator_rows=8,
        output_words=64,
        output_format=output_format,
    )


def test_values_are_counted_as_often_as_words_enter_and_in_padding_columns() -> None:
    core = _core(("fp16", "fp16"), "fp16")
    a = encode(np.array([[1, np.nan], [np.inf, 1], [300, 300], [1, 1], [1, 1]], np.float32), "fp16")
    w = encode(np.array([[300, 1, 1, 1], [300, 1, np.nan, 1]], np.float32), "fp16")
    none = np.zeros(4, np.int32)
    counted = value_counts(core, a, w, OutputStage(bias=none, multiplier=none, shift=none))
    # two blocks of columns, two blocks of four rows: each operand enters twice
    assert counted["mac_array.nan_in"] == 2 * 1 + 2 * 1
    assert counted["mac_array.infinity_in"] == 2 * 1
    # row 0: six lanes NaN; row 1: infinity times zero in two padding lanes, and the NaN weight; rows 2 to 4: that one
    assert counted["output_stage.nan_out"] == 6 + 3 + 3
    assert counted["output_stage.saturate"] == 1  # 180,000 in fp16; the infinite sums of row 1 were infinite before


def test_int8_saturates_at_the_limits_of_int8_not_at_those_of_the_clamp() -> None:
    core = _core(("int8", "int8"))
    # halves: 100 -> 50, + 100 = 150; -100 -> -50, + 100 = 50, raised to 60 by the clamp
    stage = OutputStage(
        bias=np.array([100, -100, 56], np.int32),
        multiplier=np.full(3, 1 << 30, np.int32),
        shift=np.zeros(3, np.int32),
        zero_point=100,
        low=60,
        high=127,
    )
    counted = value_counts(core, np.zeros((1, 2), np.int8), np.zeros((2, 3), np.int8), stage)
    assert counted["output_stage.saturate"] == 2
    assert counted["mac_array.nan_in"] == counted["output_stage.nan_out"] == 0


def test_increments_of_several_per_cycle_have_room() -> None:
    bits = increment_bits(_core(("bf16", "bf16"), "fp32"))
    assert bits["mac_array.nan_in"] == 3
    assert bits["external_memory.read_byte"] == 1
    assert set(bits) <= set(EVENTS)
