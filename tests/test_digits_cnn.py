"""A quantised convolutional network on real images: accuracy, and the whole of it on the RTL, bit-equal."""

import numpy as np
import pytest

from hw import chips
from hw.spec.core import CoreSpec
from model.cycle.program import step_program
from model.digits_network import build, correct
from model.functional import Memories
from tb.memory import counters_of
from tb.memory_tests import Case


def _core() -> CoreSpec:
    core = chips.load("npu_16_cnn").core
    assert core is not None
    return core


def test_the_network_reads_97_percent_of_the_test_digits() -> None:
    core = _core()
    work = build(core, 360)
    memories = Memories(core)
    for beat, beats in work.external:
        memories.external[beat:beat + len(beats)] = beats
    memories.run(work.program)
    outputs = memories.external[work.output:work.output + work.images].view(np.int8)
    assert correct(outputs) >= 0.97 * 360


@pytest.mark.rtl
@pytest.mark.volume
def test_the_network_runs_on_the_rtl_as_the_model_says() -> None:
    core = _core()
    work = build(core, 360)
    case = Case(
        program=work.program, seed=1, words=[(beat, beats.tobytes().hex()) for beat, beats in work.external])
    (counted,) = counters_of(core, [case])
    timing = step_program(core, work.program)
    assert counted == {"busy": timing.cycles, **timing.budget, **timing.counts}
