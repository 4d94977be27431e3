"""Cores with copy channels and programs for them, run on their RTL: counters back, memories checked there."""

from collections.abc import Sequence
from typing import Any

from hw.rtl.emit.verilog import emit
from hw.rtl.npu.core_top import CoreTop
from hw.spec.core import CoreSpec
from hw.spec.dma import DmaSpec
from hw.spec.mac_array import MacArraySpec
from tb.bench.build import BUILD, build
from tb.bench.protocol import Checked
from tb.bench.run import run
from tb.npu.memory_tests import PUBLIC, Case, parameters
from tb.npu.refusal_tests import MEMORIES

CORES = {
    "square": CoreSpec(
        array=MacArraySpec(rows=4, columns=4),
        activation_words=256,
        weight_words=256,
        accumulator_rows=64,
        output_words=256,
        parameter_words=16,
        command_entries=4,
        dma=DmaSpec(bytes_per_cycle=4, latency_cycles=8, external_beats=4096, banks=4),
    ),
    # not square, deeper cells, words of several beats, no banks, a ring of accumulators that fills up
    "narrow": CoreSpec(
        array=MacArraySpec(rows=8, columns=4, mac_latency=2),
        activation_words=256,
        weight_words=512,
        accumulator_rows=32,
        output_words=256,
        parameter_words=16,
        command_entries=8,
        dma=DmaSpec(bytes_per_cycle=2, latency_cycles=3, external_beats=8192, banks=1),
    ),
}


def _core(
    rows: int,
    columns: int,
    dma: DmaSpec,
    *,
    rings: int = 64,
    formats: tuple[str, str, str] = ("int8", "int8", "int8"),
    saturate: bool = False,
    **array: Any,
) -> CoreSpec:
    """`formats` of activations, weights and outputs."""
    activation, weight, output = formats
    return CoreSpec(
        array=MacArraySpec(rows=rows, columns=columns, activation_format=activation, weight_format=weight, **array),
        activation_words=256,
        weight_words=256,
        accumulator_rows=rings,
        output_words=256,
        parameter_words=16,
        command_entries=4,
        dma=dma,
        output_format=output,
        saturate=saturate,
    )


CORES |= {
    # deep cells, words of several beats in few banks
    "deep": _core(4, 4, DmaSpec(bytes_per_cycle=2, latency_cycles=20, external_beats=8192, banks=2), mac_latency=4),
    # bus as wide as no word
    "no_overlap": _core(
        4,
        7,
        DmaSpec(bytes_per_cycle=3, latency_cycles=1, external_beats=8192, banks=4),
        mac_latency=2,
        rings=32,
        fold_overlap=False,
    ),
    "one_register": _core(
        5, 6, DmaSpec(bytes_per_cycle=1, latency_cycles=40, external_beats=16384, banks=8), weight_double_buffer=False
    ),
    # a whole word of any memory in one beat, one bank: every write meets every read
    "wide": _core(4, 4, DmaSpec(bytes_per_cycle=64, latency_cycles=5, external_beats=2048, banks=1), rings=16),
    # other formats: lanes of 16 bits, of two INT4, of 4 bits in words that are no whole bytes, of two widths
    "bf16": _core(
        4,
        4,
        DmaSpec(bytes_per_cycle=4, latency_cycles=6, external_beats=8192, banks=4),
        mac_latency=3,
        formats=("bf16", "bf16", "bf16"),
    ),
    "fp8": _core(
        4,
        4,
        DmaSpec(bytes_per_cycle=4, latency_cycles=4, external_beats=4096, banks=2),
        mac_latency=2,
        formats=("fp8_e4m3", "fp8_e5m2", "fp8_e4m3"),
        saturate=True,
    ),
    "fp32_out": _core(
        4,
        3,
        DmaSpec(bytes_per_cycle=2, latency_cycles=9, external_beats=16384, banks=4),
        formats=("fp8_e5m2", "fp16", "fp32"),
    ),
    "int4_pairs": _core(
        4,
        4,
        DmaSpec(bytes_per_cycle=4, latency_cycles=7, external_beats=4096, banks=4),
        formats=("int4", "int4", "int8"),
    ),
    "int4_weights": _core(
        3,
        5,
        DmaSpec(bytes_per_cycle=2, latency_cycles=3, external_beats=8192, banks=2),
        formats=("int8", "int4", "int8"),
    ),
    # output-stationary: results bottom row first, or top row first; either operand one word per cycle
    "os": _core(
        4, 4, DmaSpec(bytes_per_cycle=4, latency_cycles=8, external_beats=4096, banks=4), rings=32, dataflow="os"
    ),
    "os_link": _core(
        4,
        6,
        DmaSpec(bytes_per_cycle=3, latency_cycles=5, external_beats=8192, banks=2),
        rings=32,
        dataflow="os",
        drain="link",
        fold_overlap=False,
    ),
    "os_fp8": _core(
        5,
        4,
        DmaSpec(bytes_per_cycle=2, latency_cycles=20, external_beats=8192, banks=1),
        rings=32,
        dataflow="os",
        formats=("fp8_e4m3", "fp8_e5m2", "bf16"),
        drain="link",
    ),
}


def counters_of(core: CoreSpec, cases: Sequence[Case], bench: str = "tb.npu.memory_tests") -> list[dict[str, int]]:
    """The counters of the RTL after each case; fails with the simulator's words if a memory is wrong."""
    built = build(
        emit(Checked(CoreTop(core)), "core_top", BUILD / "rtl"),
        public=[f"core_top.dut.{path}" for path in (*PUBLIC, *MEMORIES.values())],
    )
    outcome = run(built, bench, seed=1, parameters=parameters(core, cases))
    assert outcome.passed, outcome.explain()
    return outcome.data["counters"]
