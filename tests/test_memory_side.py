"""Programs with copies: RTL in Verilator = stepped model in cycles, labels and events; memories = reference."""

import numpy as np
import pytest

from hw import chips
from hw.base.error import InputError
from hw.spec.command import Command, Copy, Fence, activation_word_bits, output_word_bits
from hw.spec.core import CoreSpec
from hw.spec.dma import HOLDS
from hw.spec.npu_event import LABELS
from model.cycle.npu.program.closed_form import program_form
from model.cycle.npu.program.program import step_program
from model.lowering import lower
from model.lowering.program import place, streamed
from model.work.workload import Gemm
from tb.npu.axi_cases import parameters_of
from tb.npu.memory_tests import Case
from tests.support.memory import CORES, counters_of


def _command(core: CoreSpec, m: int, n: int, k: int) -> Command:
    return lower.split(core, Gemm(name="drawn", m=m, n=n, k=k))[0].command


def _drawn(core: CoreSpec, rng: np.random.Generator, count: int) -> list[Command]:
    """`count` random commands, each within half of every memory."""
    commands: list[Command] = []
    while len(commands) < count:
        size = 3 * max(core.array.rows, core.array.columns)
        m, n, k = (int(x) for x in rng.integers(1, size + 1, 3))
        command = _command(core, 2 * m if rng.random() < 0.2 else m, n, k)
        try:
            place(core, [command, command])
        except InputError:
            continue
        commands.append(command)
    return commands


BUILDS = {
    "square": (100, 40),
    "narrow": (200, 40),
    "deep": (300, 24),
    "no_overlap": (400, 24),
    "one_register": (500, 24),
    "wide": (600, 24),
    "bf16": (700, 12),
    "fp8": (800, 12),
    "fp32_out": (900, 12),
    "int4_pairs": (1000, 12),
    "int4_weights": (1100, 12),
    "os": (1200, 24),
    "os_link": (1300, 24),
    "os_fp8": (1400, 24),
}
"""Core -> seed and number of random programs run on it."""


def _cases(core: CoreSpec, seed: int, count: int) -> list[Case]:
    cases = []
    onto_chip = activation_word_bits(core) == output_word_bits(core)
    for i in range(count):
        rng = np.random.default_rng(seed + i)
        placed = place(core, _drawn(core, rng, int(rng.integers(1, 5))))
        program = streamed(core, placed)
        if i % 4 == 1:
            # program order without any overlap; fences here and there
            program = [item if not isinstance(item, Copy) else _without_overlap(item) for item in program]
            for position in sorted(rng.integers(0, len(program) + 1, 2).tolist(), reverse=True):
                program.insert(position, Fence())
        if i % 4 == 2 and onto_chip:
            # outputs become activations on chip: a GEMM on the outputs of the one before it
            for item in placed:
                outputs = item.command.m * item.command.n_blocks
                follower = Command(
                    m=item.command.m,
                    n_blocks=1,
                    k_blocks=item.command.n_blocks,
                    activation_address=core.activation_words - outputs,
                    weight_address=item.command.weight_address,
                    parameter_address=item.command.parameter_address,
                    output_address=item.command.output_address,
                )
                if follower.k_blocks > item.command.n_blocks * item.command.k_blocks:
                    continue
                at = next(n for n, entry in enumerate(program) if entry is item.command) + 2
                program[at:at] = [
                    Copy(
                        target="output_to_activation",
                        words=outputs,
                        address=item.command.output_address,
                        other_address=follower.activation_address,
                    ),
                    follower,
                    Copy(
                        target="output_to_external",
                        words=follower.m,
                        address=follower.output_address,
                        other_address=item.activation,
                    ),
                ]
                # the operands of a later GEMM must not come while the two before it run
                program = [_without_overlap(entry) if isinstance(entry, Copy) else entry for entry in program]
        stalled = i % 2 == 1
        held = {name: float(rng.choice([0.0, 0.1, 0.5, 0.9])) for name in HOLDS} if stalled else {}
        cases.append(
            Case(
                program=program,
                seed=seed + i,
                words=parameters_of(core, rng, placed),
                held=held,
                held_cycles=int(rng.integers(50, 1500)) if stalled else 0,
            )
        )
    return cases


def _without_overlap(copy: Copy) -> Copy:
    return Copy(target=copy.target, words=copy.words, address=copy.address, other_address=copy.other_address)


VOLUME = ("deep", "no_overlap", "bf16", "fp32_out", "int4_weights", "os_link", "os_fp8")
"""Builds of half a minute each that are left to `make volume`."""


@pytest.mark.rtl
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.volume) if name in VOLUME else name for name in BUILDS]
)
def test_programs_with_copies_run_as_the_stepped_model_says(name: str) -> None:
    core = CORES[name]
    cases = _cases(core, *BUILDS[name])
    counters = counters_of(core, cases)
    reached = dict.fromkeys(LABELS, 0)
    for case, counted in zip(cases, counters, strict=True):
        timing = step_program(core, case.program, case.patterns())
        expected = {"busy": timing.cycles, **timing.budget, **timing.counts}
        assert counted == expected, (
            case.seed,
            {name: (counted[name], expected[name]) for name in counted if counted[name] != expected[name]},
        )
        assert sum(counted[label] for label in LABELS) == counted["busy"]
        reached = {label: reached[label] + counted[label] for label in LABELS}
    for label in ("weight_missing", "activation_missing", "activation_blocked", "output_blocked", "copy"):
        assert reached[label] > 0


@pytest.mark.rtl
def test_the_rtl_takes_the_cycles_of_the_closed_form() -> None:
    core = CORES["narrow"]
    rng = np.random.default_rng(77)
    programs = [place(core, _drawn(core, rng, count)) for count in (1, 1, 1, 2, 2, 3, 5)]
    cases = [
        Case(program=streamed(core, placed), seed=i, words=parameters_of(core, rng, placed))
        for i, placed in enumerate(programs)
    ]
    for placed, counted in zip(programs, counters_of(core, cases), strict=True):
        form = program_form(core, placed)
        assert counted == {"busy": form.cycles, **form.budget, **form.counts}


def test_random_programs_are_half_stalled_and_many() -> None:
    drawn = [case for name in BUILDS for case in _cases(CORES[name], *BUILDS[name])]
    assert len(drawn) >= 230
    assert sum(bool(case.held) for case in drawn) >= 110


@pytest.mark.rtl
@pytest.mark.volume
def test_512_cubed_from_and_to_external_memory_keeps_the_array_busy() -> None:
    core = chips.load("npu_16_dma").core
    assert core is not None
    placed = place(core, [_command(core, 512, 512, 512)])
    program = streamed(core, placed)
    case = Case(program=program, seed=5, words=parameters_of(core, np.random.default_rng(5), placed))
    (counted,) = counters_of(core, [case])
    timing = step_program(core, program)
    assert counted == {"busy": timing.cycles, **timing.budget, **timing.counts}
    assert counted["stream"] == 512**3 // 256
    assert counted["stream"] / counted["busy"] >= 0.9997
