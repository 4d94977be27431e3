"""Cores and channels with processing in memory start right from unknown or random registers and memories: only the
reset sets anything.
"""

# pyright: reportInvalidTypeForm=false

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.emit.verilog import emit
from hw.rtl.npu.core_top import CoreTop
from hw.spec.command import Command
from model import workloads
from model.lowering.program import place, streamed
from tb.bench import design
from tb.bench.build import BUILD, Built, build
from tb.bench.icarus import build_icarus, without_power_on_values
from tb.bench.protocol import Checked
from tb.bench.run import run
from tb.npu.axi_cases import parameters_of
from tb.npu.memory_tests import PUBLIC, Case, parameters
from tb.system.controller_player import ControllerPlayer
from tb.system.devices import controller
from tests.support.memory import CORES

needs_icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs iverilog")
SMALL = [Command(m=3, n_blocks=2, k_blocks=1), Command(m=2, n_blocks=1, k_blocks=2)]


class _Lookup(wiring.Component):
    """A table, and a memory that starts with numbers and is written."""

    address: In(2)
    found: Out(8)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.table = table = memory.Memory(shape=8, depth=4, init=[3, 1, 4, 2])
        m.submodules.kept = kept = memory.Memory(shape=8, depth=4, init=[1, 0, 0, 5])
        places, values, write = table.read_port(domain="comb"), kept.read_port(domain="comb"), kept.write_port()
        m.d.comb += [places.addr.eq(self.address), values.addr.eq(places.data)]
        m.d.sync += self.found.eq(values.data)
        m.d.comb += [write.addr.eq(self.address), write.data.eq(places.data), write.en.eq(1)]
        return m


def test_tables_stay_and_what_is_written_starts_without_a_value(tmp_path: Path) -> None:
    emitted = emit(_Lookup(), "lookup", tmp_path)
    bare = without_power_on_values(emitted)
    assert emitted.verilog.count("[0] = ") == 2
    assert re.findall(r"^    .*\[\d\] = 8'h(\w+);", bare.verilog, re.MULTILINE) == ["03", "01", "04", "02"]


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


def _controller(device: str):
    return without_power_on_values(
        emit(Checked(ControllerPlayer(*controller(device))), f"power_on_{device}", BUILD / "rtl")
    )


@pytest.mark.rtl
@needs_icarus
def test_a_pim_channel_of_unknown_registers_does_what_its_model_does_after_a_reset() -> None:
    built = build_icarus(_controller("aim_4"))
    outcome = run(built, "tb.system.controller_tests", seed=5, parameters={"device": "aim_4", "programs": 1})
    assert outcome.passed, outcome.explain()
    assert {"ACT", "WRMAC16", "MAC16", "RDMAC16"} <= set(outcome.data["commands"])


@pytest.mark.rtl
@needs_icarus
def test_a_crossbar_core_of_unknown_registers_gives_the_reference_after_a_reset() -> None:
    """Also the one run of the crossbar's bench in every run of the tests, and after resets in any phase."""
    built = build_icarus(without_power_on_values(design.design("crossbar", "tiny_crossbar")))
    outcome = run(built, design.module_name("crossbar"), parameters={"chip": "tiny_crossbar", "workload": "gemm_16"})
    assert outcome.passed, outcome.explain()
    outcome = run(built, "tb.crossbar.reset_tests", parameters={"chip": "tiny_crossbar", "workload": "gemm_16"})
    assert outcome.passed, outcome.explain()
    assert {"program", "compute"} <= set(outcome.data["phases"])


STREAMS = "random_streams_are_accepted_when_the_model_says_and_do_what_it_says"


@pytest.mark.rtl
@pytest.mark.volume
@needs_icarus
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("chip", ["hbm_pim", "aim"])
def test_a_whole_channel_of_unknown_registers_does_what_its_model_does(chip: str, seed: int) -> None:
    """Cells that are unknown when a stream comes to them are drawn (`tb.dram_pim.held`): whatever they hold must do."""
    built = build_icarus(without_power_on_values(design.design(chip, chip)))
    asked = {"chip": chip, "streams": 1}
    outcome = run(built, design.module_name(chip), seed=seed, parameters=asked, tests=(STREAMS,))
    assert outcome.passed, outcome.explain()


@pytest.mark.rtl
@pytest.mark.volume
@pytest.mark.parametrize("chip", ["hbm_pim", "aim"])
def test_a_whole_channel_of_random_registers_and_cells_does_what_its_model_does_for_several_seeds(chip: str) -> None:
    emitted = without_power_on_values(design.design(chip, chip))
    built = build(emitted, public=design.published(design.load(chip), emitted), random_start=True)
    for seed in (1, 2, 3):
        asked = {"chip": chip, "streams": 12}
        outcome = run(built, design.module_name(chip), seed=seed, parameters=asked, tests=(STREAMS,))
        assert outcome.passed, outcome.explain()
        assert outcome.data["stopped"]


@pytest.mark.rtl
@pytest.mark.volume
def test_a_crossbar_core_of_random_registers_gives_the_reference_for_several_seeds() -> None:
    emitted = without_power_on_values(design.design("crossbar", "tiny_crossbar"))
    built = build(emitted, public=design.published(design.load("crossbar"), emitted), random_start=True)
    asked = {"chip": "tiny_crossbar", "workload": "gemm_16"}
    for seed in (1, 2, 3):
        for module in (design.module_name("crossbar"), "tb.crossbar.reset_tests"):
            outcome = run(built, module, seed=seed, parameters={**asked, "resets": 40})
            assert outcome.passed, outcome.explain()


@pytest.mark.rtl
@pytest.mark.volume
def test_a_language_model_on_a_whole_system_of_random_memories_is_exact_for_several_seeds() -> None:
    """Registers, shared memory and cells as the seed says; loaded are program and rows that the model takes."""
    bench = design.load("decoder")
    emitted = without_power_on_values(design.design("decoder", "npu_hbm_pim"))
    watched = [f"{emitted.name}.dut.{path}" for path in bench.WATCHED]
    built = build(emitted, public=design.published(bench, emitted), watched=watched, random_start=True)
    name = workloads.variant("tiny_npu", "tokens=2", "prompt=2", "pim=attention")
    for seed in (1, 2, 3):
        asked = {"chip": "npu_hbm_pim", "workload": name}
        outcome = run(built, design.module_name("decoder"), seed=seed, parameters=asked)
        assert outcome.passed, outcome.explain()
