"""The weight-stationary array in floating point and INT4: values in golden order, cycles by the closed form."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from hw.base.error import InputError
from hw.rtl.npu.mac_array import MacArray
from hw.spec.mac_array import MacArraySpec
from model.number.codec import encode
from model.number.fused import matmul, pack_int4, unpack_int4
from tb.arithmetic.fp_vectors import special_codes

OPERAND_READ = 1
"""Cycles of the synchronous operand memory, which the closed form counts and the array alone has not."""


def words(matrix: np.ndarray, lane_bits: int) -> list[int]:
    """Each row of unsigned lanes as one integer, lane 0 in the low bits."""
    return [sum(int(v) << (i * lane_bits) for i, v in enumerate(row)) for row in matrix]


def stream(array: MacArraySpec, tiles: list[tuple[np.ndarray, np.ndarray]]) -> tuple[list[np.ndarray], int]:
    """Play `tiles` of (activation lanes (m, rows), weight lanes (rows, columns)) back to back.

    Tile p streams max(m_p, G) cycles; the load of tile p+1 starts (R-1)(L-1) cycles after the swap of p.
    Returns the sums of each tile, (m, columns) codes, and the cycles from the one of the first load step
    to the one in which the last row is visible, both included.
    """
    dut = MacArray(array)
    starts = [array.rows]
    for lanes, _ in tiles[:-1]:
        starts.append(starts[-1] + max(len(lanes), array.tile_interval))
    loads, inputs, expected = {}, {}, {}
    for p, (lanes, weights) in enumerate(tiles):
        first = starts[p] - array.rows
        for step in range(array.rows):
            thermometer = (1 << (step + 1)) - 1
            row = weights[array.rows - 1 - step : array.rows - step]
            loads[first + step] = (words(row, array.weight_lane_bits)[0], thermometer)
        for i, word in enumerate(words(lanes, array.activation_lane_bits)):
            inputs[starts[p] + i] = (word, i == 0)
            expected[starts[p] + i + dut.latency] = (p, i)
    found = [np.zeros((len(lanes), array.columns), dtype=np.int64) for lanes, _ in tiles]
    last = max(expected)
    assert len(loads) == array.rows * len(tiles), "loads of neighbouring tiles must not overlap"

    async def bench(ctx) -> None:
        rng = np.random.default_rng(0)
        for cycle in range(last + 1):
            # what enters while nothing is asked for must not matter
            weight, load = loads.get(cycle, (int(rng.integers(1 << 30)), 0))
            activation, swap = inputs.get(cycle, (int(rng.integers(1 << 30)), False))
            ctx.set(dut.i_weight, weight)
            ctx.set(dut.i_load, load)
            ctx.set(dut.i_activation, activation)
            ctx.set(dut.i_swap, swap)
            if cycle in expected:
                p, i = expected[cycle]
                row = ctx.get(dut.o_partial_sum)
                bits = array.partial_sum_bits
                found[p][i] = [(row >> (c * bits)) & ((1 << bits) - 1) for c in range(array.columns)]
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return found, last + 1


def closed_form(array: MacArraySpec, heights: list[int]) -> int:
    """T_WS = R + sum of max(m_p, G) + m_last + 1 + (L*R + C - 1), written out."""
    rows, columns, depth = array.rows, array.columns, array.mac_latency
    interval = rows + (rows - 1) * (depth - 1)
    body = sum(max(m, interval) for m in heights[:-1]) + heights[-1]
    return rows + body + 1 + depth * rows + columns - 1


def check_floats(array: MacArraySpec, heights: list[int], rng: np.random.Generator, *, special: bool) -> None:
    """Random (or special) operands; sums bit-equal to `matmul` and the last one in the closed form's cycle."""
    formats = array.activation_format, array.weight_format
    tiles = []
    for m in heights:
        shapes = (m, array.rows), (array.rows, array.columns)
        if special:
            tiles.append(tuple(rng.choice(special_codes(n), s) for n, s in zip(formats, shapes, strict=True)))
        else:
            normals = (rng.standard_normal(s).astype(np.float32) for s in shapes)
            tiles.append(tuple(encode(v, n) for n, v in zip(formats, normals, strict=True)))
    found, cycles = stream(array, tiles)
    for (a, w), sums in zip(tiles, found, strict=True):
        assert np.array_equal(sums, matmul(a, w, *formats, rows=array.rows))
    assert cycles + OPERAND_READ == closed_form(array, heights)


@pytest.mark.parametrize("latency", range(1, 6))
@pytest.mark.parametrize("formats", [("bf16", "bf16"), ("fp8_e4m3", "fp16")], ids="-".join)
def test_4x4_array_is_bit_and_cycle_exact_at_every_depth(latency: int, formats: tuple[str, str]) -> None:
    array = MacArraySpec(rows=4, columns=4, mac_latency=latency, activation_format=formats[0], weight_format=formats[1])
    heights = [array.tile_interval, 1, 9, 3]
    check_floats(array, heights, np.random.default_rng(latency), special=False)


@pytest.mark.parametrize(
    "formats",
    [("fp16", "fp16"), ("fp8_e5m2", "fp8_e5m2"), ("fp8_e4m3", "fp8_e4m3"), ("bf16", "fp8_e5m2")],
    ids="-".join,
)
def test_zeros_infinities_nan_and_subnormals_pass_through_a_ragged_array(formats: tuple[str, str]) -> None:
    array = MacArraySpec(rows=3, columns=5, mac_latency=3, activation_format=formats[0], weight_format=formats[1])
    check_floats(array, [8, 1, 30], np.random.default_rng(13), special=True)


@pytest.mark.parametrize("latency", [1, 3])
def test_int4_lanes_add_two_products_per_cycle(latency: int) -> None:
    array = MacArraySpec(rows=4, columns=3, mac_latency=latency, activation_format="int4", weight_format="int4")
    rng = np.random.default_rng(14)
    tiles = []
    for m in (12, 2, 20):
        a, w = rng.integers(-8, 8, (m, 4, 2)), rng.integers(-8, 8, (4, 3, 2))
        a[0], w[:, 0] = -8, -8  # the largest sum: 2 * 4 * 64
        tiles.append((pack_int4(a), pack_int4(w)))
    found, cycles = stream(array, tiles)
    sign = 1 << (array.partial_sum_bits - 1)
    for (a, w), sums in zip(tiles, found, strict=True):
        expected = np.einsum("mkt,knt->mn", unpack_int4(a), unpack_int4(w))
        assert np.array_equal((sums ^ sign) - sign, expected)
        assert expected.max() == 512
    assert cycles + OPERAND_READ == closed_form(array, [12, 2, 20])


def test_partial_sums_hold_the_largest_int4_sum() -> None:
    array = MacArraySpec(rows=16, columns=2, activation_format="int4", weight_format="int4")
    assert array.activation_lane_bits == array.weight_lane_bits == 8
    assert 1 << (array.partial_sum_bits - 1) > 2 * 16 * 64


def test_an_integer_beside_a_float_is_refused() -> None:
    with pytest.raises(InputError, match="not 'int8' and 'fp16'"):
        MacArraySpec(rows=4, columns=4, activation_format="int8", weight_format="fp16")
    with pytest.raises(InputError, match="not 'fp32' and 'fp32'"):
        MacArraySpec(rows=4, columns=4, activation_format="fp32", weight_format="fp32")
