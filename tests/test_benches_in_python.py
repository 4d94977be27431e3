"""Benches of the RTL on a few short programs, in Amaranth's simulator: see `tests/support/in_python.py`."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hw.rtl.npu.core_top import CoreTop
from hw.rtl.npu.vector_unit.unit import VectorUnit
from hw.rtl.system.top import SystemTop
from hw.spec.core import CoreSpec
from hw.spec.npu_event import LABELS
from hw.spec.vector import VectorSpec, unpack
from hw.spec.vector_program import PROGRAMS
from model.cycle.npu.core import step
from model.cycle.npu.program.program import step_program
from model.cycle.vector_unit.closed_form import count
from model.work.random_vector import random_program
from tb.npu import agreement_tests, memory_tests, refusal_tests, vector_unit_tests
from tb.system import controller_tests, system_tests
from tb.system.controller_player import ControllerPlayer
from tb.system.devices import controller, system
from tests.support.agreement import random_case
from tests.support.in_python import play
from tests.support.memory import CORES
from tests.test_memory_side import _cases as copies
from tests.test_random_agreement import core_of


def test_a_controller_and_its_channel_do_what_their_models_do() -> None:
    play(
        ControllerPlayer(*controller("aim_4")),
        controller_tests,
        "random_programs_do_what_the_model_does_when_it_does_it",
        {"device": "aim_4", "programs": 2},
        seed=5,
    )


def test_units_behind_one_stream_of_descriptors_do_what_their_models_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_tests, "DESCRIPTORS", 12)
    spec, timing = system("aim_4")
    data = play(
        SystemTop(spec, timing, vector=VectorUnit(VectorSpec(memory_words=spec.shared_words))),
        system_tests,
        "random_programs_take_the_cycles_and_leave_the_words_of_the_model",
        {"system": "aim_4", "programs": 2},
        seed=7,
    )
    assert min(data["labels"][f"{unit}.busy"] for unit in spec.units) > 0


def _short(rng: np.random.Generator, spec: VectorSpec, descriptors: int) -> list[int]:
    """The shortest of many descriptors of each operation, and of each code of refusal: sixteen lanes of floating point
    take Amaranth's simulator 10 ms a cycle."""
    found: dict[tuple[str, int], tuple[int, int]] = {}
    for descriptor in random_program(rng, spec, 3000):
        fields = unpack(descriptor)
        cost = count(spec, fields)
        kind = "refused" if cost.refused else "done", cost.refused or fields["opcode"]
        found[kind] = min(found.get(kind, (cost.cycles, descriptor)), (cost.cycles, descriptor))
    assert {opcode for end, opcode in found if end == "done"} >= {program.opcode for program in PROGRAMS.values()}
    return [descriptor for _, descriptor in found.values()]


def test_every_operation_of_the_vector_unit_leaves_the_words_of_its_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_unit_tests, "random_program", _short)
    play(
        vector_unit_tests.VectorPlayer(vector_unit_tests.SPEC),
        vector_unit_tests,
        "random_programs_leave_the_words_and_counts_of_the_model",
        {"programs": 1},
    )


def _smaller(name: str, **changes: Any) -> CoreSpec:
    core = CORES[name]
    return replace(core, array=replace(core.array, **changes))


COPYING = {"square": (CORES["square"], 4), "os": (CORES["os"], 4), "fp8": (_smaller("fp8", rows=2, columns=2), 3)}
"""Core and programs; of "fp8" outputs saturate."""


@pytest.mark.parametrize("name", COPYING)
def test_a_core_with_copies_leaves_the_reference_in_every_memory(name: str) -> None:
    core, programs = COPYING[name]
    cases = copies(core, 2000, programs)
    given = memory_tests.parameters(core, cases)
    data = play(CoreTop(core), refusal_tests, "what_is_refused_leaves_every_memory_alone", given)
    for case, counted in zip(cases, data["counters"], strict=True):
        timing = step_program(core, case.program, case.patterns())
        assert counted == {"busy": timing.cycles, **timing.budget, **timing.counts}
        assert sum(counted[label] for label in LABELS) == counted["busy"]


TURNS: dict[str, Any] = {"dataflow": "os", "mac_latency": 2}
FORMATS = ("fp8_e4m3", "fp8_e5m2")
GEMMS = {
    "in turns": core_of(3, 2, formats=FORMATS, output_format="bf16", **TURNS),
    "in turns by link": core_of(2, 3, formats=FORMATS, drain="link", output_format="fp8_e4m3", **TURNS),
}


@pytest.mark.parametrize("name", GEMMS)
def test_chains_of_products_take_the_cycles_of_the_model(name: str) -> None:
    core, rng = GEMMS[name], np.random.default_rng(1)
    cases = [random_case(core, rng) for _ in range(4)]
    given = agreement_tests.parameters(core, cases)
    data = play(CoreTop(core), agreement_tests, "every_case_gives_the_reference_values", given)
    for case, counted in zip(cases, data["counters"], strict=True):
        timing = step(core, case.jobs, case.patterns(), case.offered)
        assert counted == {"busy": timing.cycles, **timing.budget, **timing.counts}
