"""NPU core and AiM channel behind one stream of descriptors: random programs against the stepped model."""

import pytest

from hw.rtl.emit.verilog import emit
from hw.rtl.system.top import SystemTop
from hw.spec.memory_controller import CONTROLLER_LABELS
from tb.bench.build import BUILD, build
from tb.bench.protocol import Checked
from tb.bench.run import Outcome, run
from tb.system.devices import system


def play(name: str, programs: int) -> Outcome:
    spec, timing = system(name)
    emitted = emit(Checked(SystemTop(spec, timing)), f"system_{name}", BUILD / "rtl")
    public = ["program", "core.external.memory", "channel.banks.bank_0.cells"]
    built = build(emitted, "none", [f"{emitted.name}.dut.{path}" for path in public])
    return run(built, "tb.system.system_tests", seed=7, parameters={"system": name, "programs": programs})


@pytest.mark.rtl
def test_random_programs_on_the_smallest_system_equal_the_model() -> None:
    outcome = play("aim_4", 30)
    assert outcome.passed, outcome.explain()
    labels = outcome.data["labels"]
    assert min(labels[f"controller.{label}"] for label in CONTROLLER_LABELS) > 0
    assert min(labels[f"{unit}.{label}"] for unit in ("core", "memory") for label in ("busy", "take", "empty")) > 0
    assert labels["core.wait_memory"] > 0
    assert labels["memory.wait_core"] > 0


@pytest.mark.rtl
@pytest.mark.volume
def test_200_random_programs_on_a_system_with_sixteen_banks_equal_the_model() -> None:
    outcome = play("aim_16", 200)
    assert outcome.passed, outcome.explain()
