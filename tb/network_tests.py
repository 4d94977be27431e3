"""The convolutional digits network on the RTL: one program, every byte outside, and the digits it reads."""

import numpy as np
from amaranth.lib import wiring

from hw import chips
from hw.rtl.core_top import CoreTop
from hw.spec.chip import Chip
from hw.spec.error import InputError
from hw.spec.event import LABELS
from model.digits_network import build, correct
from tb.bench import Bench, bench_test
from tb.memory_tests import PUBLIC as PUBLIC
from tb.memory_tests import Case, run_case

IMAGES = 360


def suits(chip: Chip) -> bool:
    """Only a core with copy channels and convolution."""
    return chip.core is not None and chip.core.dma is not None and chip.core.convolution


def top(chip: Chip) -> wiring.Component:
    """The core of `chip`; it must have copy channels and convolution."""
    if chip.core is None or not suits(chip):
        raise InputError(
            f"the network bench needs a core with copy channels and convolution, {chip.title!r} has none; "
            "choose npu_16_cnn")
    return CoreTop(chip.core)


@bench_test(timeout_cycles=10_000_000)
async def the_network_reads_97_percent_of_the_test_digits(bench: Bench) -> None:
    core = chips.load(bench.parameters["chip"]).core
    assert core is not None
    work = build(core, IMAGES)
    case = Case(
        program=work.program, seed=bench.seed,
        words=[(beat, beats.tobytes().hex()) for beat, beats in work.external])
    counted = await run_case(bench, core, case)
    memory = bench.dut.dut.external.memory
    outputs = b"".join(
        int(memory[beat].value).to_bytes(core.array.columns, "little")
        for beat in range(work.output, work.output + IMAGES))
    right = correct(np.frombuffer(outputs, np.int8).reshape(IMAGES, -1))
    bench.report(
        busy=counted["busy"],
        phases={label: counted[label] for label in LABELS},
        figures={"images": IMAGES, "correct": right})
    assert sum(counted[label] for label in LABELS) == counted["busy"]
    assert right >= 0.97 * IMAGES
