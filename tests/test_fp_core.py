"""The whole core in floating point: outputs in the documented order of additions, cycles by the closed form."""

from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.rtl.npu.core_top import CoreTop
from hw.rtl.npu.signature import counter_names
from hw.spec.command import COMMAND_FIELDS
from hw.spec.core import CoreSpec
from hw.spec.mac_array import MacArraySpec
from model.lowering import lower
from model.number.codec import code_type, encode
from model.number.fused import matmul
from model.work.workload import Gemm

Shape = tuple[int, int, int]


def core_of(formats: tuple[str, str], output: str, *, latency: int, saturate: bool = False) -> CoreSpec:
    """A 4 x 3 core."""
    array = MacArraySpec(rows=4, columns=3, mac_latency=latency, activation_format=formats[0], weight_format=formats[1])
    return CoreSpec(
        array=array,
        activation_words=512,
        weight_words=512,
        accumulator_rows=32,
        output_words=512,
        output_format=output,
        saturate=saturate,
    )


def closed_form(core: CoreSpec, shapes: list[Shape]) -> int:
    """Cycles of a chain of commands, as in the core's docstring, written out pass by pass."""
    array = core.array
    passes = []
    for m, n, k in shapes:
        for start in range(0, m, core.block_rows):
            count = ceil_div(n, array.columns) * ceil_div(k, array.rows)
            passes += [min(core.block_rows, m - start)] * count
    between = sum(max(rows, array.tile_interval) for rows in passes[:-1])
    return 9 + array.rows + between + passes[-1] + array.rows * array.mac_latency + array.columns


def run(core: CoreSpec, shapes: list[Shape], *, seed: int, size: float = 1.0) -> int:
    """Queue random GEMMs of `shapes` (unit normals times `size`), check every output code; the busy cycles."""
    rng = np.random.default_rng(seed)
    formats = core.array.activation_format, core.array.weight_format
    operands = []
    for m, n, k in shapes:
        a, w = (rng.standard_normal(s).astype(np.float32) * np.float32(size) for s in ((m, k), (k, n)))
        operands.append((encode(a, formats[0]), encode(w, formats[1])))
    commands = [lower.split(core, Gemm(name="job", m=m, n=n, k=k))[0].command for m, n, k in shapes]
    (commands,) = lower.place(core, commands)
    top = CoreTop(core)
    counts: dict[str, int] = {}

    async def bench(ctx: Any) -> None:
        inner = top.core
        for command, (a, w) in zip(commands, operands, strict=True):
            for memory, start, words in (
                (inner.activation_memory.memory, command.activation_address, lower.activation_words(core, a)),
                (inner.weight_memory.memory, command.weight_address, lower.weight_words(core, w)),
            ):
                for i, word in enumerate(lower.integers(words)):
                    ctx.set(memory.data[start + i], word)
        queue = list(commands)
        for _ in range(20_000):
            ctx.set(top.i_command.valid, bool(queue))
            if queue:
                ctx.set(top.i_command.payload, {name: getattr(queue[0], name) for name in COMMAND_FIELDS})
            accepted = queue and ctx.get(top.i_command.ready)
            await ctx.tick()
            if accepted:
                queue.pop(0)
            if not queue and ctx.get(top.status.idle):
                break
        assert ctx.get(top.status.completed) == len(commands)
        code = np.dtype(code_type(core.output_format)).newbyteorder("<")
        for command, (a, w) in zip(commands, operands, strict=True):
            words = [
                ctx.get(top.output_memory.data[command.output_address + i]) for i in range(command.n_blocks * command.m)
            ]
            row_bytes = core.array.columns * code.itemsize
            data = b"".join(word.to_bytes(row_bytes, "little") for word in words)
            found = np.frombuffer(data, code).reshape(-1, core.array.columns)
            expected = matmul(a, w, *formats, rows=core.array.rows)
            if core.output_format != "fp32":
                expected = encode(expected.view(np.float32), core.output_format, saturate=core.saturate)
            got = lower.output_matrix(core, found, a.shape[0], w.shape[1])
            np.testing.assert_array_equal(got, expected)
        counts.update({meaning: ctx.get(getattr(top.counters, port)) for port, meaning in counter_names().items()})

    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return counts["busy"]


@pytest.mark.parametrize(
    ("formats", "output", "latency"),
    [(("bf16", "bf16"), "fp32", 4), (("fp16", "fp16"), "bf16", 3), (("fp8_e4m3", "bf16"), "fp16", 1)],
)
def test_outputs_are_the_documented_sums_and_cycles_the_closed_form(
    formats: tuple[str, str], output: str, latency: int
) -> None:
    core = core_of(formats, output, latency=latency)
    shapes = [(5, 4, 9), (17, 3, 4), (2, 2, 7)]
    assert run(core, shapes, seed=18) == closed_form(core, shapes)


@pytest.mark.parametrize("saturate", [False, True])
def test_fp8_outputs_overflow_as_the_core_says(saturate: bool) -> None:
    core = core_of(("fp8_e4m3", "fp8_e5m2"), "fp8_e4m3", latency=2, saturate=saturate)
    run(core, [(6, 5, 7)], seed=19, size=16.0)


def test_operands_that_are_not_codes_of_the_format_are_refused() -> None:
    core = core_of(("fp8_e4m3", "bf16"), "fp32", latency=1)
    with pytest.raises(InputError, match="uint8 arrays on this core, not uint16"):
        lower.activation_words(core, np.zeros((2, 4), np.uint16))
    with pytest.raises(InputError, match="uint16 arrays on this core, not float32"):
        lower.weight_words(core, np.zeros((4, 2), np.float32))


def test_output_formats_must_fit_the_array() -> None:
    with pytest.raises(InputError, match="output_format of a floating-point array"):
        core_of(("bf16", "bf16"), "int8", latency=3)
    with pytest.raises(InputError, match="output_format of an integer array"):
        core_of(("int8", "int8"), "fp16", latency=1)
