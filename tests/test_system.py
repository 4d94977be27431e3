"""NPU core, vector unit and DRAM-PIM channel behind one stream of descriptors, against the stepped model."""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest

from hw.base.error import InputError
from hw.rtl.emit.verilog import Emitted, emit
from hw.rtl.npu.vector_unit.unit import VectorUnit
from hw.rtl.system.top import SystemTop
from hw.spec.hbm_pim_controller import HBM_LABELS
from hw.spec.memory_controller import CONTROLLER_LABELS, Transfer
from hw.spec.system import CROSSBAR, UNITS, Program
from hw.spec.vector import VectorSpec
from model.cycle.system.run import SystemRun
from tb.bench.build import BUILD, build
from tb.bench.icarus import build_icarus, without_power_on_values
from tb.bench.protocol import Checked
from tb.bench.run import Outcome, run
from tb.system.devices import system

BENCH = "tb.system.system_tests"


def design(name: str) -> tuple[Emitted, list[str]]:
    """The system without power-on values, and the memories that are reached."""
    spec, timing = system(name)
    vector = VectorUnit(VectorSpec(memory_words=spec.shared_words))
    emitted = emit(Checked(SystemTop(spec, timing, vector=vector)), f"system_{name}", BUILD / "rtl")
    channels = (unit.replace("memory", "channel") for unit in spec.memory_units)
    public = ["program", "core.external.memory", *(f"{channel}.banks.bank_0.cells" for channel in channels)]
    if spec.crossbar is not None:
        public += ["crossbar.scales", *(f"crossbar.core.array_{t}.cells" for t in range(spec.crossbar.tiles))]
    return without_power_on_values(emitted), [f"{emitted.name}.dut.{path}" for path in public]


def play(name: str, programs: int, seed: int = 7) -> Outcome:
    bare, public = design(name)
    built = build(bare, "none", public, random_start=True)  # registers, memories and cells as the seed says
    return run(built, BENCH, seed=seed, parameters={"system": name, "programs": programs})


PHASES = {"read", "write", "register_load", "mac"}
"""What a refresh must have interrupted, on either channel."""


def everything_happened(
    outcome: Outcome, controller: Iterable[str], phases: set[str], units: Sequence[str] = UNITS
) -> None:
    """Every label of every unit had cycles, every queue was full, a refresh fell into every phase."""
    labels = outcome.data["labels"]
    assert min(labels[f"controller.{label}"] for label in controller) > 0
    assert min(labels[f"{unit}.{label}"] for unit in units for label in ("busy", "take", "empty")) > 0
    assert min(labels[f"{unit}.wait_{other}"] for unit in units for other in units if unit != other) > 0
    assert min(labels[f"full.{unit}"] for unit in units) > 0
    assert phases <= set(outcome.data["refreshes"]), outcome.data["refreshes"]


@pytest.mark.rtl
def test_random_programs_on_the_smallest_system_equal_the_model() -> None:
    outcome = play("aim_4", 30)
    assert outcome.passed, outcome.explain()
    assert outcome.data["stops"] > 5, "programs must have come after a reset in the middle of another"
    everything_happened(outcome, CONTROLLER_LABELS, PHASES | {"result_read"})


@pytest.mark.rtl
@pytest.mark.volume
def test_200_random_programs_on_two_channels_equal_the_model() -> None:
    outcome = play("two_aim_4", 200)
    assert outcome.passed, outcome.explain()
    everything_happened(outcome, CONTROLLER_LABELS, PHASES | {"result_read"}, (*UNITS, "memory_1"))


@pytest.mark.rtl
@pytest.mark.volume
@pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs iverilog")
def test_a_program_on_a_system_with_crossbars_of_unknown_registers_equals_the_model() -> None:
    """Only one, as each comparison of the bench is given a wrong value in it by `test_bench_comparisons.py`."""
    bare, _ = design("aim_4_crossbar")
    outcome = run(build_icarus(bare), BENCH, seed=7, parameters={"system": "aim_4_crossbar", "programs": 1})
    assert outcome.passed, outcome.explain()


@pytest.mark.rtl
@pytest.mark.volume
def test_100_random_programs_on_a_system_with_crossbars_equal_the_model() -> None:
    """Products in crossbars beside core, vector unit and channel, which hold them up and are held up by them."""
    outcome = play("aim_4_crossbar", 100)
    assert outcome.passed, outcome.explain()
    units = (*UNITS, CROSSBAR)
    everything_happened(outcome, CONTROLLER_LABELS, PHASES | {"result_read"}, units)
    labels = outcome.data["labels"]
    assert min(labels[f"crossbar_unit.{event}"] for event in ("scan", "align", "store", "descriptor", "refuse")) > 50


@pytest.mark.rtl
@pytest.mark.volume
@pytest.mark.parametrize("name", ["aim_4", "hbm_pim", "aim_4_crossbar"])
def test_other_random_cells_and_registers_change_nothing(name: str) -> None:
    for seed in (1, 2, 3):
        outcome = play(name, 20, seed)
        assert outcome.passed, outcome.explain()


def test_channels_are_units_of_their_own() -> None:
    spec, timing = system("two_aim_4")
    assert spec.units == ("core", "vector", "memory", "memory_1")
    program = Program(units=spec.units)
    command = Transfer(write=False, address=0, shared=0, run=4, groups=8, stride=4)
    program.add("memory", command)
    program.add("memory_1", command)
    beside = SystemRun(spec, timing, program).run()
    assert beside.taken["memory_1"][0] == beside.taken["memory"][0] + 1, "the router fetches one a cycle"
    assert beside.controllers["memory"]["read"] == beside.controllers["memory_1"]["read"] == 32
    program = Program(units=spec.units)
    program.add("memory_1", command, after=[program.add("memory", command)])
    after = SystemRun(spec, timing, program).run()
    assert after.taken["memory_1"][0] == after.ended["memory"][0] + 1
    assert after.waits["memory_1"]["wait_memory"] > 0
    with pytest.raises(InputError, match="channels of a system must be from 1 to 4, not 5"):
        replace(spec, channels=5)
    with pytest.raises(InputError, match="a unit must be one of core, vector, memory, memory_1, not 'memory_2'"):
        program.add("memory_2", command)


@pytest.mark.rtl
@pytest.mark.volume
@pytest.mark.parametrize(
    ("name", "controller", "phases"),
    [
        ("aim_16", CONTROLLER_LABELS, PHASES | {"result_read"}),
        ("hbm_pim", HBM_LABELS, PHASES | {"store"}),
    ],
)
def test_200_random_programs_on_a_system_with_sixteen_banks_equal_the_model(
    name: str, controller: Iterable[str], phases: set[str]
) -> None:
    outcome = play(name, 200)
    assert outcome.passed, outcome.explain()
    everything_happened(outcome, controller, phases)
