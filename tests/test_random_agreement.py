"""RTL = stepped model on random cores, formats, dataflow switches and stalls: cycles, values, every counter."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from hw.spec.core import CoreSpec
from hw.spec.mac_array import MacArraySpec
from model.cycle.npu.core import closed_form, step
from tests.support.agreement import random_case, run_cases

CASES = 26
"""Random chains on each build."""


def core_of(rows: int, columns: int, *, accumulator_rows: int = 32, **fields: Any) -> CoreSpec:
    core = {name: fields.pop(name) for name in ("rounding_mode", "output_format", "saturate") if name in fields}
    formats = fields.pop("formats", ("int8", "int8"))
    array = MacArraySpec(rows=rows, columns=columns, activation_format=formats[0], weight_format=formats[1], **fields)
    return CoreSpec(
        array=array,
        activation_words=1024,
        weight_words=1024,
        accumulator_rows=accumulator_rows,
        output_words=1024,
        command_entries=4,
        **core,
    )


BUILDS = {
    "int8_4x4": core_of(4, 4, accumulator_rows=16),
    "int8_3x5_one_register": core_of(3, 5, mac_latency=2, weight_double_buffer=False, rounding_mode="gemmlowp"),
    "int8_8x4_no_overlap": core_of(8, 4, fold_overlap=False, rounding_mode="tflite_single"),
    "int4_pairs_4x6": core_of(4, 6, formats=("int4", "int4"), rounding_mode="float32"),
    "int8_int4_5x3_one_register": core_of(5, 3, mac_latency=3, formats=("int8", "int4"), weight_double_buffer=False),
    "int4_int8_2x7": core_of(2, 7, mac_latency=4, formats=("int4", "int8")),
    "bf16_4x4": core_of(4, 4, mac_latency=4, formats=("bf16", "bf16"), output_format="bf16"),
    "fp16_3x4_one_register": core_of(
        3, 4, mac_latency=3, formats=("fp16", "fp16"), output_format="fp32", weight_double_buffer=False
    ),
    "e4m3_e5m2_4x3": core_of(
        4, 3, mac_latency=2, formats=("fp8_e4m3", "fp8_e5m2"), output_format="fp8_e4m3", saturate=True
    ),
    "e5m2_bf16_2x5_no_overlap": core_of(
        2, 5, mac_latency=5, formats=("fp8_e5m2", "bf16"), output_format="fp16", fold_overlap=False
    ),
    "os_int8_4x4": core_of(4, 4, dataflow="os", accumulator_rows=16),
    "os_int8_3x5_link": core_of(3, 5, dataflow="os", drain="link", rounding_mode="tflite_single"),
    "os_int8_5x3_no_overlap": core_of(5, 3, dataflow="os", fold_overlap=False, rounding_mode="gemmlowp"),
    "os_int4_pairs_2x6_link_no_overlap": core_of(
        2, 6, dataflow="os", drain="link", fold_overlap=False, formats=("int4", "int4")
    ),
    "os_int8_int4_6x2": core_of(6, 2, dataflow="os", formats=("int8", "int4"), rounding_mode="float32"),
    "os_bf16_4x3_no_overlap": core_of(
        4, 3, dataflow="os", formats=("bf16", "bf16"), output_format="fp32", fold_overlap=False
    ),
    "os_fp16_bf16_3x4_two_in_turn_link": core_of(
        3, 4, dataflow="os", drain="link", mac_latency=2, formats=("fp16", "bf16"), output_format="fp16"
    ),
    "os_e5m2_e4m3_2x5_three_in_turn": core_of(
        2, 5, dataflow="os", mac_latency=3, formats=("fp8_e5m2", "fp8_e4m3"), output_format="fp8_e5m2", saturate=True
    ),
    "os_bf16_4x4_four_in_turn": core_of(
        4, 4, dataflow="os", mac_latency=4, formats=("bf16", "bf16"), output_format="bf16", accumulator_rows=32
    ),
    "os_fp16_5x2_four_in_turn_link": core_of(
        5, 2, dataflow="os", drain="link", mac_latency=4, formats=("fp16", "fp16"), output_format="fp32"
    ),
}


def reached(core: CoreSpec) -> list[str]:
    """Events that operands decide and that the chains must bring about; hardly a finite FP32 sum is beyond BF16."""
    events = ["output_stage.saturate"] if core.output_format not in ("fp32", "bf16") else []
    if core.array.is_floating_point:
        events += ["mac_array.nan_in", "mac_array.infinity_in", "output_stage.nan_out"]
    return events


@pytest.mark.rtl
@pytest.mark.parametrize("name", BUILDS)
def test_rtl_is_the_stepped_model_on_random_chains(name: str) -> None:
    core = BUILDS[name]
    rng = np.random.default_rng(sorted(BUILDS).index(name) + 500)
    cases = [random_case(core, rng) for _ in range(CASES)]
    values: Counter[str] = Counter()
    for case, counted in zip(cases, run_cases(core, cases, values=values), strict=True):
        timing = step(core, case.shapes, case.patterns(), case.offered)
        expected = {"busy": timing.cycles, **timing.budget, **timing.counts}
        assert counted == expected, (
            case,
            {item: (counted[item], expected[item]) for item in counted if counted[item] != expected[item]},
        )
        if not case.blocked and not any(case.offered):
            assert timing == closed_form(core, case.shapes), case
    # operands of every kind came by: a counter that stays 0 would agree with anything
    assert all(values[event] > 0 for event in reached(core)), values


def test_there_are_at_least_300_random_configurations() -> None:
    assert len(BUILDS) * CASES >= 300
