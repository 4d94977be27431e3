"""What the stepped model of programs takes at once is what it finds cycle by cycle; and it is fast."""

import random
import time

import numpy as np
import pytest

from hw import chips
from hw.base.error import InputError
from hw.spec.command import Command, Copy, Fence
from model.cycle.npu.program.program import step_program
from model.lowering.program import Program, place, streamed
from tests.support.memory import CORES

CYCLE_BY_CYCLE = {"row": [False] * 200_000}
"""A pattern that holds nothing: as long as one lasts, nothing is taken at once."""


def _drawn(name: str, rng: np.random.Generator) -> Program:
    """One to four GEMMs, half the programs with fences and with GEMMs on outputs that stay on chip."""
    core = CORES[name]
    while True:
        m, n, k = int(rng.choice([3, 12, 40])), int(rng.choice([1, 3, 9])), int(rng.choice([1, 2, 8]))
        commands = [
            Command(m=int(rng.integers(1, m + 1)), n_blocks=int(rng.integers(1, n + 1)), k_blocks=k)
            for _ in range(int(rng.integers(1, 5)))
        ]
        try:
            placed = place(core, commands)
            break
        except InputError:
            continue
    program = streamed(core, placed)
    if rng.random() < 0.5:
        for item in placed[:2]:
            words = min(item.command.m * item.command.n_blocks, 20)
            at = next(i for i, entry in enumerate(program) if entry is item.command) + 2
            program[at:at] = [
                Copy(
                    target="output_to_activation",
                    words=words,
                    address=item.command.output_address,
                    other_address=core.activation_words - words,
                ),
                Command(m=words, n_blocks=1, k_blocks=1, activation_address=core.activation_words - words),
                Fence(),
            ]
    return program


@pytest.mark.parametrize("name", ["square", "deep", "wide", "narrow", "no_overlap", "one_register"])
def test_stretches_and_repeated_passes_change_nothing(name: str) -> None:
    rng = np.random.default_rng(len(name))
    longest = 0
    for _ in range(60):
        program = _drawn(name, rng)
        at_once = step_program(CORES[name], program)
        assert at_once == step_program(CORES[name], program, CYCLE_BY_CYCLE), program
        longest = max(longest, at_once.cycles)
    assert 500 < longest < 200_000


def test_patterns_that_end_hand_over_to_what_is_taken_at_once() -> None:
    rng, draws = np.random.default_rng(3), random.Random(3)
    for _ in range(60):
        program = _drawn("square", rng)
        held = {name: [draws.random() < 0.3 for _ in range(draws.randint(1, 400))] for name in ("activation", "output")}
        assert step_program(CORES["square"], program, held) == step_program(
            CORES["square"], program, held | CYCLE_BY_CYCLE
        ), program


def test_stepping_512_cubed_from_outside_takes_at_most_20_ms() -> None:
    core = chips.load("npu_16_dma").core
    assert core is not None
    program = streamed(core, place(core, [Command(m=512, n_blocks=32, k_blocks=32)]))
    best = 1.0
    for _ in range(5):
        start = time.process_time()
        assert step_program(core, program).cycles == 524_394
        best = min(best, time.process_time() - start)
    assert best <= 0.020
