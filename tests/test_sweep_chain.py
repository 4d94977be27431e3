"""The count that sweeps lean on equals the model's, command by command, on drawn cores and products."""

import random
from dataclasses import replace

import pytest

from hw import chips
from hw.base.error import InputError
from hw.spec.core import CoreSpec
from hw.spec.mac_array import MacArraySpec
from model.cycle.npu.core import closed_form
from model.cycle.npu.timing import event_counts
from model.lowering import lower
from model.lowering.schedule import schedule
from model.sweep.chain import chain, most_terms
from model.work.workload import Gemm


def by_commands(core: CoreSpec, m: int, n: int, k: int) -> tuple[int, int, dict[str, int]]:
    """Cycles, words moved in and events, made command by command."""
    cycles, moved, events = 0, 0, dict[str, int]()
    for batch in schedule(core, [Gemm(name="", m=m, n=n, k=k)]):
        commands = [step.tile.command for step in batch]
        shapes = [(c.m, c.n_blocks * core.array.columns, c.k_blocks * core.array.k_per_block) for c in commands]
        cycles += closed_form(core, shapes).cycles
        for event, count in event_counts(core, shapes).items():
            events[event] = events.get(event, 0) + count
        moved += sum(sum(lower.words_of(core, command)) - command.n_blocks for command in commands)
    return cycles, moved, events


def drawn(seed: int) -> tuple[CoreSpec, int, int, int]:
    """A small core and a product that needs several commands on it."""
    draw = random.Random(seed)
    number, latency = draw.choice([("int8", 1), ("int8", 2), ("int4", 1), ("bf16", 4)])
    rows, columns = draw.choice([2, 3, 4, 8]), draw.choice([2, 4, 5, 8])
    array = MacArraySpec(
        rows=rows, columns=columns, activation_format=number, weight_format=number, mac_latency=latency,
        weight_double_buffer=draw.random() < 0.8, fold_overlap=draw.random() < 0.8,
    )  # fmt: skip
    core = CoreSpec(
        array=array, activation_words=draw.randint(8, 200), weight_words=draw.randint(rows, 300),
        accumulator_rows=1 << max(draw.randint(4, 7), (rows * latency + columns + 1).bit_length()),
        output_words=draw.randint(4, 120), parameter_words=draw.randint(1, 12),
        output_format="int8" if number.startswith("int") else "fp32",
    )  # fmt: skip
    k = draw.randint(1, min(40, most_terms(core)))
    return core, draw.randint(1, 90), draw.randint(1, 70), k


@pytest.mark.parametrize("seed", range(300))
def test_the_count_equals_that_of_the_commands(seed: int) -> None:
    core, m, n, k = drawn(seed)
    cycles, moved, events = by_commands(core, m, n, k)
    found = chain(core, m, n, k)
    assert found.cycles == cycles
    assert found.activation_words + found.weight_words + found.output_words == moved
    assert found.commands == events["command.accept"]
    assert found.passes == events["mac_array.pass"]
    assert found.rows == events["activation_memory.read"]
    assert found.out_rows == events["output_memory.write"]
    assert found.parameter_reads == events["parameter_memory.read"]


def test_the_reference_core_takes_its_known_cycles() -> None:
    core = chips.load("npu_16").core
    assert core is not None
    assert chain(core, 256, 256, 256).cycles == 65_593
    assert chain(replace(core, activation_words=64), 512, 512, 512).cycles > 524_345


def test_a_sum_beyond_the_memories_is_refused() -> None:
    core = chips.load("tiny").core
    assert core is not None
    with pytest.raises(InputError, match="k must be at most"):
        chain(core, 4, 4, most_terms(core) + 1)
