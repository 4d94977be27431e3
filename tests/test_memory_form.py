"""Closed form of programs with copies at finite bandwidth and latency = stepped model; and one line per bound."""

import random
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from hw import chips
from hw.base.error import InputError
from hw.spec.command import Command
from hw.spec.core import CoreSpec
from hw.spec.dma import DmaSpec
from hw.spec.mac_array import Drain, MacArraySpec
from model.cycle.npu.core import closed_form
from model.cycle.npu.program import equal_cycles, external_memory_repeats, read_times
from model.cycle.npu.program.closed_form import program_form
from model.cycle.npu.program.program import step_program
from model.lowering.program import Placed, place, streamed

FORMATS = [
    ("int8", "int8"),
    ("int4", "int4"),
    ("int8", "int4"),
    ("int4", "int8"),
    ("fp16", "fp16"),
    ("bf16", "bf16"),
    ("fp8_e4m3", "fp8_e5m2"),
    ("fp8_e5m2", "bf16"),
]


def _array(rng: random.Random) -> MacArraySpec:
    """An array of any size, formats and switches; one in three is output-stationary."""
    activation, weight = rng.choice(FORMATS)
    array = MacArraySpec(
        rows=rng.randint(2, 16),
        columns=rng.randint(2, 16),
        activation_format=activation,
        weight_format=weight,
        fold_overlap=rng.random() < 0.7,
    )
    if rng.random() < 0.35:
        drain: Drain = "columns" if rng.random() < 0.5 else "link"
        return replace(array, dataflow="os", drain=drain)
    return replace(array, mac_latency=rng.randint(1, 6), weight_double_buffer=rng.random() < 0.6)


def _draw(rng: random.Random) -> tuple[CoreSpec, list[Placed]]:
    """A core with copy channels of any kind and a program of one to five GEMMs for it."""
    array = _array(rng)
    stationary = array.dataflow == "ws"
    least = array.rows * array.mac_latency if stationary else 2 * array.rows + array.finish_latency
    least += array.columns + 1
    core = CoreSpec(
        array=array,
        activation_words=1024,
        weight_words=1024,
        output_words=1024,
        parameter_words=16,
        accumulator_rows=max(rng.choice([2, 32, 64]), 1 << least.bit_length()),
        command_entries=rng.choice([2, 4, 16]),
        output_format="fp32" if array.is_floating_point else "int8",
        dma=DmaSpec(
            bytes_per_cycle=rng.choice([1, 2, 4, 8, 16, 64]),
            latency_cycles=rng.choice([1, 2, 5, 30, 100]),
            banks=rng.choice([1, 2, 4, 16]),
        ),
    )
    while True:
        size, most = rng.choice([3, 20, 50]), 4 if stationary else 40
        commands = [
            Command(m=rng.randint(1, size), n_blocks=rng.randint(1, 4), k_blocks=rng.randint(1, most))
            for _ in range(rng.choice([1, 1, 1, 1, 2, 3, 5]))
        ]
        try:
            return core, place(core, commands)
        except InputError:
            continue


@pytest.mark.parametrize(
    ("count", "seed"), [(2000, 43), pytest.param(10_000, 44, marks=pytest.mark.volume)], ids=["2000", "10000"]
)
def test_stepped_model_is_the_closed_form_on_random_configurations_with_bandwidth(count: int, seed: int) -> None:
    rng = random.Random(seed)
    bound = dict.fromkeys(("weight_missing", "activation_missing", "output_blocked", "wait_accumulator", "copy"), 0)
    conflicts = chains = 0
    for _ in range(count):
        core, placed = _draw(rng)
        form = program_form(core, placed)
        assert step_program(core, streamed(core, placed)) == form, (core, placed)
        assert sum(form.budget.values()) == form.cycles
        for label in bound:
            bound[label] += form.budget[label] > form.cycles // 10
        conflicts += form.counts["activation_memory.conflict"] + form.counts["weight_memory.conflict"] > 0
        chains += len(placed) > 1
    # every bound is the main one often, and banks do meet
    assert bound["weight_missing"] > count // 12
    assert bound["activation_missing"] > count // 12
    assert bound["copy"] > count // 12
    assert bound["output_blocked"] > count // 600
    assert bound["wait_accumulator"] > count // 300
    assert conflicts > count // 12
    assert chains > count // 4


def _long(rng: random.Random) -> tuple[CoreSpec, list[Placed]]:
    """A small core and a command of many blocks whose words take one, two or four cycles to come."""
    size = rng.choice([2, 4])
    core = CoreSpec(
        array=MacArraySpec(
            rows=size,
            columns=size,
            weight_double_buffer=rng.random() < 0.8,
            fold_overlap=rng.random() < 0.8,
        ),
        activation_words=1024,
        weight_words=1024,
        accumulator_rows=rng.choice([16, 32, 64]),
        output_words=1024,
        dma=DmaSpec(
            bytes_per_cycle=rng.choice([size // 2, size // 2, size, max(1, size // 4)]),
            latency_cycles=rng.choice([1, 5, 30]),
            banks=rng.choice([1, 2, 4, 16]),
        ),
    )
    while True:
        commands = [
            Command(m=rng.randint(1, 30), n_blocks=rng.randint(4, 12), k_blocks=rng.randint(1, 10))
            for _ in range(rng.choice([1, 1, 2]))
        ]
        try:
            return core, place(core, commands)
        except InputError:
            continue


def test_what_is_not_computed_again_is_as_if_it_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeated passes and blocks and waits in step are taken at once, in both models, often, and change nothing."""
    taken: dict[str, int] = dict.fromkeys(("repeat_passes", "repeat_blocks", "in_step", "_words_in_step"), 0)

    def watched(module: ModuleType, name: Any) -> None:
        plain = getattr(module, name)

        def call(*given: Any, **named: Any) -> Any:
            found = plain(*given, **named)
            taken[name] += np.size(found) if name == "repeat_blocks" else int(found) > 1
            return found

        monkeypatch.setattr(module, name, call)

    for module, name in ((external_memory_repeats, "repeat_passes"), (external_memory_repeats, "repeat_blocks"),
                         (read_times, "in_step"), (equal_cycles, "_words_in_step")):  # fmt: skip
        watched(module, name)
    rng = random.Random(5)
    for _ in range(120):
        core, placed = _long(rng)
        form = program_form(core, placed)
        assert step_program(core, streamed(core, placed)) == form, (core, placed)
    assert min(taken.values()) > 5, taken


def _core(bytes_per_cycle: int, latency: int, operands: str = "int8", output_format: str = "int8") -> CoreSpec:
    return CoreSpec(
        array=MacArraySpec(rows=8, columns=8, activation_format=operands, weight_format=operands),
        activation_words=4096,
        weight_words=4096,
        accumulator_rows=128,
        output_words=1024,
        output_format=output_format,
        dma=DmaSpec(bytes_per_cycle=bytes_per_cycle, latency_cycles=latency, banks=256),
    )


def _cycles(core: CoreSpec, command: Command) -> int:
    placed = place(core, [command])
    cycles = step_program(core, streamed(core, placed)).cycles
    assert program_form(core, placed).cycles == cycles
    return cycles


@pytest.mark.parametrize("latency", [1, 17, 200])
def test_a_program_bound_by_computation_adds_latency_first_tile_and_last_word(latency: int) -> None:
    core = _core(16, latency)
    assert _cycles(core, Command(m=64, n_blocks=4, k_blocks=5)) == (
        closed_form(core, [(64, 32, 40)]).cycles + latency + 8 + 1
    )


@pytest.mark.parametrize("latency", [1, 17, 200])
@pytest.mark.parametrize(("bytes_per_cycle", "beats"), [(1, 8), (2, 4), (4, 2)])
def test_a_program_bound_by_weights_takes_their_beats(bytes_per_cycle: int, beats: int, latency: int) -> None:
    core = _core(bytes_per_cycle, latency)
    m, passes = 1, 3 * 5
    assert _cycles(core, Command(m=m, n_blocks=3, k_blocks=5)) == (
        latency + passes * 8 * beats + 3 + 8 + m + (8 + 8) + 6 + beats
    )


@pytest.mark.parametrize("latency", [1, 17, 200])
@pytest.mark.parametrize(("bytes_per_cycle", "beats"), [(1, 8), (2, 4), (4, 2)])
def test_a_program_bound_by_activations_takes_their_beats(bytes_per_cycle: int, beats: int, latency: int) -> None:
    core = _core(bytes_per_cycle, latency)
    assert _cycles(core, Command(m=64, n_blocks=1, k_blocks=5)) == (latency + 64 * 5 * beats + (8 + 8) + 11 + beats)


@pytest.mark.parametrize("latency", [1, 17, 200])
def test_a_program_bound_by_outputs_takes_their_beats(latency: int) -> None:
    core = _core(8, latency, "fp8_e4m3", "fp32")  # 32-byte outputs of 8-byte operands: 4 beats
    cycles = _cycles(core, Command(m=64, n_blocks=6, k_blocks=2))
    assert cycles == latency + 8 + 3 + 8 + 64 + (8 + 8) + 7 + 64 * 6 * 4


def test_512_cubed_from_outside_is_49_cycles_more_than_out_of_the_scratchpads() -> None:
    core = chips.load("npu_16_dma").core
    assert core is not None
    form = program_form(core, place(core, [Command(m=512, n_blocks=32, k_blocks=32)]))
    assert form.cycles == closed_form(core, [(512, 512, 512)]).cycles + 32 + 16 + 1 == 524_394
    assert form.budget["stream"] / form.cycles >= 0.9997
