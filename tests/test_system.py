"""NPU core, vector unit and DRAM-PIM channel behind one stream of descriptors, against the stepped model."""

from collections.abc import Iterable

import pytest

from hw.rtl.emit.verilog import emit
from hw.rtl.npu.vector_unit.unit import VectorUnit
from hw.rtl.system.top import SystemTop
from hw.spec.hbm_pim_controller import HBM_LABELS
from hw.spec.memory_controller import CONTROLLER_LABELS
from hw.spec.system import UNITS
from hw.spec.vector import VectorSpec
from tb.bench.build import BUILD, build
from tb.bench.protocol import Checked
from tb.bench.run import Outcome, run
from tb.system.devices import system


def play(name: str, programs: int) -> Outcome:
    spec, timing = system(name)
    vector = VectorUnit(VectorSpec(memory_words=spec.shared_words))
    emitted = emit(Checked(SystemTop(spec, timing, vector=vector)), f"system_{name}", BUILD / "rtl")
    public = ["program", "core.external.memory", "channel.banks.bank_0.cells"]
    built = build(emitted, "none", [f"{emitted.name}.dut.{path}" for path in public])
    return run(built, "tb.system.system_tests", seed=7, parameters={"system": name, "programs": programs})


PHASES = {"read", "write", "register_load", "mac"}
"""What a refresh must have interrupted, on either channel."""


def everything_happened(outcome: Outcome, controller: Iterable[str], phases: set[str]) -> None:
    """Every label of every unit had cycles, every queue was full, a refresh fell into every phase."""
    labels = outcome.data["labels"]
    assert min(labels[f"controller.{label}"] for label in controller) > 0
    assert min(labels[f"{unit}.{label}"] for unit in UNITS for label in ("busy", "take", "empty")) > 0
    assert min(labels[f"{unit}.wait_{other}"] for unit in UNITS for other in UNITS if unit != other) > 0
    assert min(labels[f"full.{unit}"] for unit in UNITS) > 0
    assert phases <= set(outcome.data["refreshes"]), outcome.data["refreshes"]


@pytest.mark.rtl
def test_random_programs_on_the_smallest_system_equal_the_model() -> None:
    outcome = play("aim_4", 30)
    assert outcome.passed, outcome.explain()
    everything_happened(outcome, CONTROLLER_LABELS, PHASES | {"result_read"})


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
