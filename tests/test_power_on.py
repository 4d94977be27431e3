"""Cores start right from unknown or random registers and memories: only the reset sets anything."""

import shutil
from collections.abc import Sequence

import numpy as np
import pytest
from amaranth.lib import wiring

from hw.rtl.emit.verilog import emit
from hw.rtl.npu.core_top import CoreTop
from hw.spec.command import Command
from model.lowering.program import place, streamed
from tb.bench.build import BUILD, Built, build
from tb.bench.icarus import build_icarus, without_power_on_values
from tb.bench.protocol import Checked
from tb.bench.run import run
from tb.npu.axi_cases import parameters_of
from tb.npu.memory_tests import PUBLIC, Case, parameters
from tests.support.memory import CORES

needs_icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs iverilog")
SMALL = [Command(m=3, n_blocks=2, k_blocks=1), Command(m=2, n_blocks=1, k_blocks=2)]


def _cases(name: str, seeds: Sequence[int]) -> list[Case]:
    core, cases = CORES[name], []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        placed = place(core, SMALL)
        words = [] if core.array.is_floating_point else parameters_of(core, rng, placed)
        cases.append(Case(program=streamed(core, placed), seed=seed, words=words))
    return cases


def _play(built: Built, name: str, seed: int) -> None:
    cases = _cases(name, (seed, seed + 1))
    outcome = run(built, "tb.npu.memory_tests", seed=seed, parameters=parameters(CORES[name], cases))
    assert outcome.passed, outcome.explain()


def _bare(component: wiring.Component, name: str):
    return without_power_on_values(emit(Checked(component), name, BUILD / "rtl"))


@pytest.mark.rtl
@needs_icarus
@pytest.mark.parametrize("name", ["square", "os", pytest.param("bf16", marks=pytest.mark.volume)])
def test_a_core_of_unknown_registers_computes_the_reference_after_a_reset(name: str) -> None:
    _play(build_icarus(_bare(CoreTop(CORES[name]), f"power_on_{name}")), name, 1)


@pytest.mark.rtl
@pytest.mark.volume
@pytest.mark.parametrize("name", ["square", "os", "bf16"])
def test_a_core_of_random_registers_computes_the_reference_for_several_seeds(name: str) -> None:
    emitted = _bare(CoreTop(CORES[name]), f"power_on_{name}")
    built = build(emitted, public=[f"{emitted.name}.dut.{path}" for path in PUBLIC], random_start=True)
    for seed in (1, 2, 3, 4):
        _play(built, name, seed)
