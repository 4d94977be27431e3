"""The core's RTL in Amaranth's own simulator: values, cycles by the closed form, refusals, stalls."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.rtl.npu.core_top import CoreTop
from hw.rtl.npu.signature import counter_names
from hw.spec.command import COMMAND_FIELDS, Command
from hw.spec.core import CoreSpec, RoundingMode
from hw.spec.mac_array import MacArraySpec
from hw.spec.npu_event import LABELS
from hw.spec.number import OPERAND_CODES, number_format
from model.lowering import lower
from model.reference import npu as reference
from model.work.workload import Gemm, OutputStage

Shape = tuple[int, int, int]


def _core(
    rows: int,
    columns: int,
    *,
    latency: int = 1,
    accumulator_rows: int = 64,
    mode: RoundingMode = "exact_rne",
    number: str = "int8",
) -> CoreSpec:
    return CoreSpec(
        array=MacArraySpec(
            rows=rows, columns=columns, mac_latency=latency, activation_format=number, weight_format=number
        ),
        activation_words=1024,
        weight_words=1024,
        accumulator_rows=accumulator_rows,
        output_words=1024,
        rounding_mode=mode,
    )


def _closed(core: CoreSpec, shapes: list[Shape]) -> int:
    """Closed form of `hw.rtl.npu.weight_stationary.WeightStationary`, written out pass by pass."""
    array = core.array
    passes = []
    for m, n, k in shapes:
        for start in range(0, m, core.block_rows):
            count = ceil_div(n, array.columns) * ceil_div(k, array.k_per_block)
            passes += [min(core.block_rows, m - start)] * count
    between = sum(max(rows, array.tile_interval) for rows in passes[:-1])
    return 9 + array.rows + between + passes[-1] + array.rows * array.mac_latency + array.columns


def _run(
    core: CoreSpec, shapes: list[Shape], *, seed: int = 0, malformed: tuple[Command, ...] = (), blocked: float = 0.0
) -> dict[str, int]:
    """Run random GEMMs of `shapes` queued at once (after `malformed` ones); check values; the counters.

    With `blocked`, each cycle takes either operand port and refuses output with that probability.
    """
    rng = np.random.default_rng(seed)
    top_value = 1 << (number_format(core.array.weight_format).bits - 1)
    operands = [
        (
            rng.integers(-top_value, top_value, (m, k), dtype=np.int8),
            rng.integers(-top_value, top_value, (k, n), dtype=np.int8),
            OutputStage(
                bias=rng.integers(-1000, 1000, n, dtype=np.int32),
                multiplier=rng.integers(1 << 30, (1 << 31) - 1, n, dtype=np.int32),
                shift=rng.integers(4, 12, n, dtype=np.int32) * (top_value == 128),
                zero_point=int(rng.integers(-20, 20)),
                low=-100,
                high=101,
            ),
        )
        for m, n, k in shapes
    ]
    commands = [lower.split(core, Gemm(name="job", m=m, n=n, k=k))[0].command for m, n, k in shapes]
    (commands,) = lower.place(core, commands)
    top = CoreTop(core)
    counts: dict[str, int] = {}

    async def bench(ctx: Any) -> None:
        inner = top.core
        for command, (a, w, output) in zip(commands, operands, strict=True):
            for memory, start, words in (
                (
                    inner.activation_memory.memory,
                    command.activation_address,
                    lower.integers(lower.activation_words(core, a)),
                ),
                (inner.weight_memory.memory, command.weight_address, lower.integers(lower.weight_words(core, w))),
                (inner.drain.parameter_memory, command.parameter_address, lower.parameter_words(core, output)),
            ):
                for i, word in enumerate(words):
                    ctx.set(memory.data[start + i], word)
        queue = [*malformed, *commands]
        ctx.set(top.i_activation.address, core.activation_words - 1)
        ctx.set(top.i_weight.address, core.weight_words - 1)
        for _ in range(20_000):
            ctx.set(top.i_command.valid, bool(queue))
            if queue:
                ctx.set(top.i_command.payload, {name: getattr(queue[0], name) for name in COMMAND_FIELDS})
            for port in (top.i_activation.enable, top.i_weight.enable, top.i_output_hold):
                ctx.set(port, rng.random() < blocked)
            accepted = queue and ctx.get(top.i_command.ready)
            await ctx.tick()
            if accepted:
                queue.pop(0)
            if not queue and ctx.get(top.status.idle):
                break
        assert ctx.get(top.status.completed) == len(commands)
        assert ctx.get(top.status.refused) == len(malformed)
        for command, (a, w, output) in zip(commands, operands, strict=True):
            words = [
                ctx.get(top.output_memory.data[command.output_address + i]) for i in range(command.n_blocks * command.m)
            ]
            data = b"".join(word.to_bytes(core.array.columns, "little") for word in words)
            array = np.frombuffer(data, np.int8).reshape(-1, core.array.columns)
            got = lower.output_matrix(core, array, a.shape[0], w.shape[1])
            np.testing.assert_array_equal(got, reference.gemm(a, w, output, core.rounding_mode))
        counts.update({meaning: ctx.get(getattr(top.counters, port)) for port, meaning in counter_names().items()})
        counts["error"] = ctx.get(top.status.error)

    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert sum(counts[label] for label in LABELS) == counts["busy"]
    return counts


@pytest.mark.parametrize(
    ("core", "shapes"),
    [
        (_core(4, 4), [(8, 8, 8)]),
        (_core(4, 4), [(1, 1, 1)]),
        (_core(4, 4), [(5, 9, 7), (3, 2, 13), (70, 5, 5)]),
        (_core(3, 5, latency=3), [(5, 9, 7), (3, 2, 13), (40, 5, 5)]),
        (_core(2, 2), [(1, 1, 1)] * 30),
        (_core(8, 4), [(1, 4, 8)] * 20),
        (_core(2, 7), [(33, 8, 3)]),
        (_core(4, 4, number="int4"), [(9, 6, 8), (5, 4, 21), (1, 1, 1)]),
        (_core(3, 2, latency=2, number="int4"), [(7, 5, 19)]),
    ],
)
def test_values_are_the_reference_and_cycles_the_closed_form(core: CoreSpec, shapes: list[Shape]) -> None:
    counts = _run(core, shapes)
    assert counts["busy"] == _closed(core, shapes)
    assert counts["stream"] * core.array.cells == counts["mac_array.mac"]


@pytest.mark.parametrize("mode", ["exact_rne", "tflite_single", "gemmlowp"])
def test_each_rounding_mode_is_built(mode: RoundingMode) -> None:
    _run(_core(5, 3, mode=mode), [(13, 9, 17)], seed=3)


@pytest.mark.parametrize("seed", range(4))
def test_random_stalls_change_no_value(seed: int) -> None:
    shapes = [(5, 9, 7), (35, 2, 13), (1, 1, 1), (1, 3, 3)]
    counts = _run(_core(4, 4, accumulator_rows=16), shapes, seed=seed, blocked=0.4)
    assert counts["busy"] > _closed(_core(4, 4, accumulator_rows=16), shapes)
    assert min(counts[f"{name}_blocked"] for name in ("activation", "weight", "output")) > 0


GOOD = Command(m=4, n_blocks=1, k_blocks=1)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (replace(GOOD, opcode=9), 1),
        (replace(GOOD, activation_format=OPERAND_CODES["bf16"]), 12),
        (replace(GOOD, weight_format=15), 12),
        (replace(GOOD, m=0), 2),
        (replace(GOOD, n_blocks=0), 2),
        (replace(GOOD, k_blocks=0), 2),
        (replace(GOOD, k_blocks=32769), 3),
        (replace(GOOD, m=1025), 4),
        (replace(GOOD, m=1 << 23), 4),
        (replace(GOOD, activation_address=1021), 4),
        (replace(GOOD, activation_address=(1 << 24) - 1), 4),
        (replace(GOOD, n_blocks=257), 5),
        (replace(GOOD, weight_address=1021), 5),
        (replace(GOOD, n_blocks=60, parameter_address=5), 6),
        (replace(GOOD, output_address=1021), 7),
        (replace(GOOD, m=300, n_blocks=4), 7),
    ],
)
def test_a_malformed_command_is_refused_and_the_queue_goes_on(bad: Command, code: int) -> None:
    counts = _run(_core(4, 4), [(3, 4, 4)], malformed=(bad, bad))
    assert counts["error"] == code
    assert counts["command.refuse"] == 2
    assert counts["output_memory.write"] == 3


def test_operands_that_just_fit_are_accepted() -> None:
    _run(_core(4, 4), [(1024, 4, 4)])


def test_operands_that_do_not_fit_their_lanes_are_refused() -> None:
    with pytest.raises(InputError, match="must be -8 to 7, not 0 to 8"):
        lower.weight_words(_core(2, 2, number="int4"), np.array([[0], [8]], np.int8))
    mixed = replace(_core(2, 2), array=MacArraySpec(rows=2, columns=2, weight_format="int4"))
    with pytest.raises(InputError, match="must be given as int8 arrays for int8 with int4, not as int16"):
        lower.activation_words(mixed, np.zeros((1, 2), np.int16))
    words = lower.weight_words(mixed, np.array([[-8, 7], [1, -1]], np.int8))
    assert lower.integers(words, mixed.array.weight_lane_bits) == [0x78, 0xF1]
