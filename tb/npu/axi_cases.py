"""Programs for a core behind AXI: random GEMMs that come from memory and go there, under random stalls."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from hw.base.error import InputError
from hw.spec.axi import AxiSpec
from hw.spec.chip import Chip
from hw.spec.command import Command, Copy, Fence, parameter_word_bits
from hw.spec.core import CoreSpec
from hw.spec.dma import DmaSpec
from model.functional.npu import beats_of
from model.lowering import lower
from model.lowering.program import Placed, Program, place, streamed
from model.work.workload import OutputStage
from tb.npu.axi import HABITS
from tb.npu.memory_tests import Case

CHANNELS = ("ar", "r", "aw", "w", "b", "lite")
"""What may stall."""


def core_behind_axi(chip: Chip) -> CoreSpec:
    """The chip's core, with copy channels of default size if it has none.

    Raises
    ------
    InputError
        If the chip has no core.
    """
    if chip.core is None:
        raise InputError(f"the axi bench needs a chip with a core, {chip.title!r} has none; choose npu_16_dma")
    return chip.core if chip.core.dma is not None else replace(chip.core, dma=DmaSpec())


def parameters_of(core: CoreSpec, rng: np.random.Generator, placed: Sequence[Placed]) -> list[tuple[int, str]]:
    """Sensible output-stage parameters at their places outside."""
    words = []
    for item in placed:
        n = item.command.n_blocks * core.array.columns
        stage = OutputStage(
            bias=rng.integers(-5000, 5000, n, dtype=np.int32),
            multiplier=rng.integers(1 << 30, (1 << 31) - 1, n, dtype=np.int32),
            shift=rng.integers(4, 10, n, dtype=np.int32),
            zero_point=int(rng.integers(-30, 30)),
            low=int(rng.integers(-128, -60)),
            high=int(rng.integers(60, 128)),
        )
        beats = beats_of(core, lower.parameter_words(core, stage), parameter_word_bits(core))
        words.append((item.parameter, beats.tobytes().hex()))
    return words


def random_program(core: CoreSpec, rng: np.random.Generator) -> tuple[Program, list[tuple[int, str]]]:
    """One to four GEMMs; every other time each reads the outputs of the one before back from outside."""
    count = int(rng.integers(1, 5))
    commands = [
        Command(m=int(rng.integers(1, 30)), n_blocks=int(rng.integers(1, 4)), k_blocks=int(rng.integers(1, 4)))
        for _ in range(count)
    ]
    placed = place(core, commands)
    program = streamed(core, placed)
    if count > 1 and rng.random() < 0.5:
        for item in placed[:-1]:
            words = min(item.command.m * item.command.n_blocks, 30)
            at = next(i for i, entry in enumerate(program) if entry is item.command) + 2
            output = core.output_words // 2 - 40
            program[at:at] = [
                Fence(),
                Copy(target="external_to_activation", words=words, address=0, other_address=item.output),
                Command(m=words, n_blocks=1, k_blocks=1, output_address=output),
                Copy(target="output_to_external", words=words, address=output, other_address=item.activation),
                Fence(),
            ]
    return program, parameters_of(core, rng, placed)


def random_cases(core: CoreSpec, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Cases of the bench: programs, latencies, stalls and habits of the memory, every third without stalls."""
    cases = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        program, words = random_program(core, rng)
        held = {name: float(rng.choice([0.0, 0.1, 0.5, 0.9])) for name in CHANNELS} if seed % 3 else {}
        cases.append(
            {
                "case": Case(program=program, seed=seed, words=words, held=held).packed(),
                "latency": int(rng.choice([1, 7, 60])),
                "mixed": bool(seed % 2),
                "habit": HABITS[seed % len(HABITS)],
            }
        )
    return cases


def small_case(core: CoreSpec) -> dict[str, Any]:
    """Parameters of the tests of errors and aborts: one short GEMM, places that answer with an error, abort times."""
    placed = place(core, [Command(m=5, n_blocks=2, k_blocks=2)])
    words = parameters_of(core, np.random.default_rng(1), placed)
    case = Case(program=streamed(core, placed), seed=1, words=words)
    return {
        "cases": [{"case": case.packed(), "latency": 25}],
        "read_at": placed[0].weight + 3,
        "write_at": placed[0].output + 4,
        "aborts": [1, 2, 3, 10, 20, 30, 40, 57, 75, 90, 110],
    }


def bench_parameters(core: CoreSpec, axi: AxiSpec, **given: Any) -> dict[str, Any]:
    """What `tb.bench.run.run` needs to run the bench on `core`."""
    return {"core": asdict(core), "axi": asdict(axi), **given}
