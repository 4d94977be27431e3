"""The core under its standard port names between cocotbext-axi's agents, in Verilator and, four-valued, in Icarus."""

import shutil
from dataclasses import asdict, replace

import numpy as np
import pytest

from hw.rtl.emit.verilog import Emitted, emit
from hw.rtl.npu.memory_side.axi_top import AxiTop
from hw.spec.axi import PAGE_BYTES, AxiSpec
from hw.spec.command import Command
from model.lowering.program import place, streamed
from tb.bench.build import BUILD, Built, build
from tb.bench.icarus import build_icarus, without_power_on_values
from tb.bench.run import Outcome, run
from tb.npu.axi_cases import parameters_of
from tb.npu.memory_tests import Case
from tests.support.memory import CORES

AXI = AxiSpec(burst_beats=16, outstanding=3)
CORE = replace(CORES["square"], activation_words=128, weight_words=64, output_words=128)
LATE = {"aw": 0.98, "ar": 0.995}
"""Addresses taken so late that whole bursts of a beat or two are there before them, and that the queue fills up."""
PAGE = PAGE_BYTES // 4
"""Beats of a page on a bus of 4 bytes."""

needs_icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs iverilog")


def _design() -> Emitted:
    """Without power-on values: in Verilator registers start at random, in Icarus unknown."""
    return without_power_on_values(emit(AxiTop(CORE, AXI), "axi_top", BUILD / "rtl"))


def _built(simulator: str) -> Built:
    return build_icarus(_design()) if simulator == "icarus" else build(_design(), random_start=True)


def _cases(count: int) -> list[dict]:
    """Programs of ragged GEMMs whose operands lie across pages."""
    cases = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        late = seed % 4 == 3
        rows = 3 if late else 15
        commands = [
            Command(m=int(rng.integers(1, rows)), n_blocks=int(rng.integers(1, 3)), k_blocks=int(rng.integers(1, 3)))
            for _ in range(4 if late else 2)
        ]
        first = PAGE * int(rng.integers(1, 3)) - int(rng.integers(1, 60))
        placed = place(CORE, commands, first)
        case = Case(program=streamed(CORE, placed), seed=seed, words=parameters_of(CORE, rng, placed))
        cases.append({"case": case.packed(), "pause": (0.0, 0.3, 0.7, LATE)[seed % 4]})
    return cases


def _run(built: Built, test: str, **given: object) -> Outcome:
    outcome = run(
        built,
        "tb.npu.foreign_axi_tests",
        tests=(test,),
        seed=2,
        parameters={"core": asdict(CORE), "axi": asdict(AXI), **given},
    )
    assert outcome.passed, outcome.explain()
    return outcome


@pytest.mark.rtl
@pytest.mark.parametrize("simulator", ["verilator", pytest.param("icarus", marks=needs_icarus)])
def test_programs_across_pages_between_foreign_agents_break_no_rule(simulator: str) -> None:
    outcome = _run(_built(simulator), "programs_run_between_foreign_agents", cases=_cases(8))
    assert outcome.data["at_page"] >= 6
    assert outcome.data["across"] >= 2


@pytest.mark.rtl
@needs_icarus
def test_a_reset_in_any_phase_from_unknown_registers_leaves_a_clean_core() -> None:
    _run(
        _built("icarus"),
        "a_reset_in_any_phase_then_a_clean_program",
        cases=_cases(1),
        resets=[3, 50, 120, 200, 260, 320, 400],
    )
