"""The vector unit: RTL, stepped model and closed form on random programs; the model against plain arithmetic."""

import numpy as np
import pytest

from hw import chips
from hw.rtl.emit.verilog import emit
from hw.spec.vector import VectorSpec, unpack
from hw.spec.vector_program import PROGRAMS
from model.cycle.vector_unit.closed_form import count
from model.cycle.vector_unit.stepper import steps
from model.functional.vector_unit import VectorMachine
from model.work.random_vector import random_program, random_words
from tb.bench.build import BUILD, build
from tb.bench.protocol import Checked
from tb.bench.run import run
from tb.npu import vector_unit_tests


def test_closed_form_equals_the_stepped_model() -> None:
    rng = np.random.default_rng(3)
    spec = VectorSpec(memory_words=512)
    machine = VectorMachine(spec, random_words(rng, spec.memory_words))
    seen, refused = set(), set()
    for descriptor in random_program(rng, spec, 200):
        fields = unpack(descriptor)
        closed, stepped = count(spec, fields), machine.run(descriptor)
        assert closed == stepped
        assert closed.cycles == sum(1 for _ in steps(spec, fields)) == sum(closed.labels.values())
        seen.add(fields["opcode"])
        refused.add(closed.refused)
    assert seen >= {program.opcode for program in PROGRAMS.values()}
    assert refused >= {0, 1, 2, 4}


def _simulate(programs: int, seed: int) -> None:
    emitted = emit(Checked(vector_unit_tests.top(chips.load("tiny"))), "vector_unit", BUILD / "rtl")
    public = [f"{emitted.name}.dut.{path}" for path in vector_unit_tests.PUBLIC]
    outcome = run(
        build(emitted, public=public), "tb.npu.vector_unit_tests", seed=seed, parameters={"programs": programs}
    )
    assert outcome.passed, outcome.explain()


@pytest.mark.rtl
def test_rtl_equals_the_model_on_random_programs() -> None:
    _simulate(30, 1)


@pytest.mark.rtl
@pytest.mark.volume
def test_rtl_equals_the_model_on_many_random_programs() -> None:
    _simulate(200, 2)
