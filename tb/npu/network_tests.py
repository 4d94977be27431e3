"""A program of a whole network on the RTL: every byte starts and ends outside, outputs equal the integer reference."""

import numpy as np
from amaranth.lib import wiring

from hw import chips
from hw.base.error import InputError
from hw.rtl.npu.core_top import CoreTop
from hw.spec.chip import Chip
from hw.spec.command import output_word_bits
from hw.spec.core import CoreSpec
from hw.spec.npu_event import EVENTS, LABELS
from model import workloads
from model.functional.npu import program_counts
from model.work.workload import Programmed, Workload
from tb.bench.bench import Bench, bench_test
from tb.bench.scoreboard import first_mismatch
from tb.npu.memory_tests import PUBLIC as PUBLIC
from tb.npu.memory_tests import Case, run_case

MEASURES = True
MACHINE = CoreSpec
WORKLOAD = "digits_cnn"


def suits(core: CoreSpec) -> bool:
    """Only a core with copy channels and convolution."""
    return core.dma is not None and core.convolution


def _core(chip: Chip, needed: str) -> CoreSpec:
    core = chip.core
    if core is None or not suits(core):
        raise InputError(
            f"{needed} needs a core with copy channels and convolution, {chip.title!r} has none; choose npu_16_cnn"
        )
    return core


def top(chip: Chip) -> wiring.Component:
    """The core of `chip`; it must have copy channels and convolution."""
    return CoreTop(_core(chip, "the network bench"))


def check(chip: Chip, workload: Workload, seed: int) -> None:
    """Raise `InputError` unless `workload` is a program that the core of `chip` can run."""
    core = _core(chip, "a program")
    if not isinstance(workload, Programmed):
        raise InputError(
            f"the network bench runs a program, {workload.title!r} is a list of GEMMs; choose digits_cnn or the core "
            "bench"
        )
    workload.program(core)


@bench_test(timeout_cycles=10_000_000)
async def every_output_of_the_program_is_the_reference(bench: Bench) -> None:
    core = _core(chips.load(bench.parameters["chip"]), "a program")
    workload = workloads.load(bench.parameters["workload"])
    assert isinstance(workload, Programmed)
    work = workload.program(core)
    case = Case(
        program=work.program, seed=bench.seed, words=[(beat, beats.tobytes().hex()) for beat, beats in work.external]
    )
    counted = await run_case(bench, core, case)
    values = program_counts(core, work)  # `run_case` held the RTL's to the same arithmetic
    memory = bench.dut.dut.external.memory
    assert core.dma is not None
    beats = core.dma.beats(output_word_bits(core))
    data = b"".join(
        int(memory[beat].value).to_bytes(core.dma.bytes_per_cycle, "little")
        for beat in range(work.output, work.output + work.words * beats)
    )
    outputs = np.frombuffer(data, np.int8).reshape(work.words, -1)[:, : core.array.columns]
    macs = sum(gemm.macs for gemm in workload.gemms())
    bench.report(
        cycles=counted["busy"],
        phases={label: counted[label] for label in LABELS},
        counts={event: counted.get(event, values.get(event, 0)) for event in EVENTS},
        layers=[],
        simulated_cycles=bench.cycle,
        figures={**workload.score([outputs]), "macs": macs},
    )
    assert sum(counted[label] for label in LABELS) == counted["busy"], "every busy cycle has exactly one label"
    wanted = workload.expected(core)
    mismatch = first_mismatch(workload.title, wanted, outputs[:, : wanted.shape[1]])
    assert mismatch is None, str(mismatch)
