"""Blocks of the core by themselves in Amaranth's simulator."""

from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import pytest
from amaranth.back import rtlil
from amaranth.hdl import Fragment
from amaranth.sim import Simulator

from hw.base.error import InputError
from hw.rtl.npu.mac_array import MacArray
from hw.rtl.npu.output_stage import OutputStage
from hw.rtl.npu.scratchpad import Scratchpad
from hw.spec.core import CoreSpec, RoundingMode
from hw.spec.mac_array import MacArraySpec
from model.lowering import lower
from model.reference import npu as reference
from model.work.workload import OutputStage as Parameters


def _simulate(design: Any, bench: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
    simulator = Simulator(design)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def _core(mode: RoundingMode, columns: int = 6) -> CoreSpec:
    return CoreSpec(
        array=MacArraySpec(rows=2, columns=columns),
        activation_words=64,
        weight_words=64,
        accumulator_rows=32,
        output_words=64,
        rounding_mode=mode,
    )


@pytest.mark.parametrize(("rows", "columns", "latency"), [(2, 2, 1), (4, 3, 1), (3, 5, 2), (3, 2, 4)])
def test_tiles_at_their_least_distance_give_exact_sums_after_the_declared_latency(
    rows: int, columns: int, latency: int
) -> None:
    spec = MacArraySpec(rows=rows, columns=columns, mac_latency=latency)
    array, interval, tiles = MacArray(spec), spec.tile_interval, 5
    rng = np.random.default_rng(rows * 100 + columns * 10 + latency)
    weights = rng.integers(-128, 128, (tiles, rows, columns), dtype=np.int8)
    activations = rng.integers(-128, 128, (tiles, interval, rows), dtype=np.int8)
    weights[1], activations[1] = -128, -128
    start = rows
    seen: dict[int, list[int]] = {}

    async def bench(ctx: Any) -> None:
        for cycle in range(start + tiles * interval + array.latency):
            tile, row = divmod(cycle - start, interval)
            streaming = 0 <= tile < tiles
            ctx.set(array.i_swap, streaming and row == 0)
            word = activations[tile, row] if streaming else np.zeros(rows, np.int8)
            ctx.set(array.i_activation, lower.integers(word[None])[0])
            # the load of the next tile, ending in the cycle before its swap
            coming, step = divmod(cycle - start + rows + interval * tiles, interval)
            coming -= tiles
            loading = step < rows and 0 <= coming < tiles
            ctx.set(array.i_load, sum(1 << r for r in range(step + 1)) if loading else 0)
            if loading:
                ctx.set(array.i_weight, lower.integers(weights[coming, rows - 1 - step][None])[0])
            bits, packed = spec.partial_sum_bits, ctx.get(array.o_partial_sum)
            sums = [(packed >> (c * bits)) & ((1 << bits) - 1) for c in range(columns)]
            seen[cycle] = [s - (1 << bits) if s >> (bits - 1) else s for s in sums]
            await ctx.tick()

    _simulate(array, bench)
    for tile in range(tiles):
        expected = activations[tile].astype(int) @ weights[tile].astype(int)
        for row in range(interval):
            assert seen[start + tile * interval + row + array.latency] == expected[row].tolist(), (tile, row)


def test_an_array_of_instances_refers_to_one_cell_module() -> None:
    array = MacArray(MacArraySpec(rows=3, columns=2), cells="instance")
    ports = [getattr(array, name) for name in array.signature.members]
    text = rtlil.convert(Fragment.get(array, None), ports=ports, name="array")
    assert text.count("cell \\cell \\cell_") == 6
    assert text.count("module ") == 1


def test_an_array_of_another_dataflow_is_refused() -> None:
    with pytest.raises(InputError, match="dataflow must be 'ws'"):
        MacArray(MacArraySpec(rows=2, columns=2, dataflow="os"))


@pytest.mark.parametrize("mode", ["exact_rne", "tflite_single", "gemmlowp", "float32"])
def test_the_output_stage_is_the_reference_over_the_full_range(mode: RoundingMode) -> None:
    core = _core(mode)
    stage = OutputStage(core)
    rng = np.random.default_rng(5)
    low, high = -(1 << 31), (1 << 31) - 1
    # columns: shift 0, ties at shift 0 and 3, shift 31, least multiplier, drawn
    multipliers = np.array([high, 1 << 30, 1 << 30, 1 << 30, low, 0x5A827999], np.int32)
    shifts = np.array([0, 0, 3, 31, 31, 20], np.int32)
    rows = [[low] * 6, [high] * 6, [0] * 6, [-1] * 6, *([v] * 6 for v in range(-40, 41))]
    rows += rng.integers(low, high, (100, 6), endpoint=True).tolist()
    rows += rng.integers(-(1 << 24), 1 << 24, (100, 6)).tolist()
    settings = [(0, 0, -128, 127), (low, -128, -128, 127), (high, 127, -100, 99), (3, 5, 5, 11)]
    blocks = [
        Parameters(
            bias=np.full(6, bias, np.int32), multiplier=multipliers, shift=shifts, zero_point=zero, low=least, high=most
        )
        for bias, zero, least, most in settings
    ]
    given = [(row, block) for block in blocks for row in rows]
    got: list[list[int]] = []

    async def bench(ctx: Any) -> None:
        for cycle in range(len(given) + stage.latency + 1):
            if ctx.get(stage.o_valid):
                assert cycle - stage.latency == len(got)
                data = ctx.get(stage.o_data).to_bytes(6, "little")
                got.append(np.frombuffer(data, np.int8).tolist())
            ctx.set(stage.i_valid, cycle < len(given))
            if cycle < len(given):
                row, block = given[cycle]
                ctx.set(stage.i_sums, sum((v & 0xFFFFFFFF) << (32 * c) for c, v in enumerate(row)))
                ctx.set(stage.i_parameters.as_value(), lower.parameter_words(core, block)[0])
            await ctx.tick()

    _simulate(stage, bench)
    expected = [reference.requantise(np.array([row]), block, mode)[0].tolist() for row, block in given]
    assert got == expected


def test_a_host_write_takes_the_port_and_the_last_word_read_stays() -> None:
    pad = Scratchpad(depth=8, width=12)

    async def bench(ctx: Any) -> None:
        async def cycle(*, read: int | None = None, write: tuple[int, int] | None = None) -> tuple[int, int]:
            ctx.set(pad.i_read, read is not None)
            ctx.set(pad.i_address, read or 0)
            ctx.set(pad.i_write.enable, write is not None)
            if write:
                ctx.set(pad.i_write.address, write[0])
                ctx.set(pad.i_write.data, write[1])
            taken = ctx.get(pad.o_taken)
            await ctx.tick()
            return taken, ctx.get(pad.o_data)

        assert (await cycle(write=(3, 0xABC)))[0] == 1
        assert await cycle(read=3) == (0, 0xABC)
        assert await cycle(read=4, write=(5, 0x123)) == (1, 0xABC)
        assert await cycle() == (0, 0xABC)
        assert await cycle(read=5) == (0, 0x123)

    _simulate(pad, bench)
