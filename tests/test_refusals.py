"""Malformed descriptors amid good ones: their code in the status register, the queue goes on, no memory changes."""

from dataclasses import replace

import numpy as np
import pytest

from hw.spec.command import Descriptor, Geometry
from hw.spec.core import CoreSpec
from model.cycle.npu.core import step
from model.cycle.npu.program.program import step_program
from model.functional.verdict import NO_GEOMETRY, verdict
from tb.npu.memory_tests import Case
from tests.support.agreement import random_case, run_cases
from tests.support.memory import CORES, counters_of
from tests.support.refusals import codes, malformed
from tests.test_convolution import CORE as WITH_CONVOLUTION
from tests.test_convolution import _case as convolution
from tests.test_memory_side import _cases as copies
from tests.test_random_agreement import BUILDS

WITHOUT_COPIES = ("int8_4x4", "os_int8_4x4")


@pytest.mark.parametrize("core", [WITH_CONVOLUTION, *CORES.values(), *BUILDS.values()])
def test_every_code_of_a_core_is_drawn(core: CoreSpec) -> None:
    rng = np.random.default_rng(1)
    geometry = Geometry(images=2, height=4, width=4, out_height=3, out_width=3, groups=2)
    for code in codes(core):
        word = malformed(core, geometry, code, rng)
        assert verdict(core, word, geometry) == code


def test_a_core_without_convolution_knows_no_geometry() -> None:
    core = BUILDS["int8_4x4"]
    assert 11 not in codes(core)
    assert verdict(core, 2) == verdict(core, 4) == 1
    assert verdict(core, 3) == 8
    assert verdict(core, 5) == 0


def _spoilt(core: CoreSpec, case: Case, rng: np.random.Generator, wanted: list[int]) -> Case:
    """The program of `case` with a malformed descriptor under each of the codes `wanted`, anywhere in it."""
    program = list(case.program)
    for code in wanted:
        place = int(rng.integers(0, len(program) + 1))
        geometry = next((item for item in reversed(program[:place]) if isinstance(item, Geometry)), NO_GEOMETRY)
        program.insert(place, Descriptor(word=malformed(core, geometry, code, rng)))
    return replace(case, program=program)


@pytest.mark.rtl
@pytest.mark.parametrize("name", ["convolution", "copies"])
def test_refusals_among_copies_and_convolutions_change_nothing(name: str) -> None:
    core = WITH_CONVOLUTION if name == "convolution" else CORES["narrow"]
    cases = [convolution(core, 7500 + i) for i in range(24)] if name == "convolution" else copies(core, 900, 16)
    rng = np.random.default_rng(5)
    able = codes(core)
    spoilt = [_spoilt(core, case, rng, rng.choice(able, int(rng.integers(1, 6))).tolist()) for case in cases]
    spoilt += [_spoilt(core, cases[0], rng, [code]) for code in able]  # each code as the last one
    counters = counters_of(core, spoilt, "tb.npu.refusal_tests")
    for case, counted in zip(spoilt, counters, strict=True):
        timing = step_program(core, case.program, case.patterns())
        expected = {"busy": timing.cycles, **timing.budget, **timing.counts}
        assert counted == expected, (
            case.seed,
            {item: (counted[item], expected[item]) for item in counted if counted[item] != expected[item]},
        )
        assert counted["command.refuse"] >= 1


@pytest.mark.rtl
@pytest.mark.parametrize("name", WITHOUT_COPIES)
def test_refusals_among_gemms_cost_what_the_stepped_model_says(name: str) -> None:
    core = BUILDS[name]
    rng = np.random.default_rng(6)
    cases = []
    for index in range(26):
        case = random_case(core, rng)
        able = codes(core)
        wanted = rng.choice(able, int(rng.integers(1, 5))).tolist() if index >= len(able) else [able[index]]
        places = sorted(int(p) for p in rng.integers(0, len(case.shapes) + 1, len(wanted)))
        bad = [
            (place + i, malformed(core, NO_GEOMETRY, code, rng), code)
            for i, (place, code) in enumerate(zip(places, wanted, strict=True))
        ]
        # commands may come late, into a core that has long been idle
        offered = np.sort(rng.integers(0, 400 if rng.random() < 0.5 else 1, len(case.shapes) + len(bad)))
        cases.append(replace(case, malformed=bad, offered=(offered - offered[0]).tolist()))
    for case, counted in zip(cases, run_cases(core, cases), strict=True):
        timing = step(core, case.jobs, case.patterns(), case.offered)
        expected = {"busy": timing.cycles, **timing.budget, **timing.counts}
        assert counted == expected, (
            case,
            {item: (counted[item], expected[item]) for item in counted if counted[item] != expected[item]},
        )
        assert counted["command.refuse"] == len(case.malformed)
