"""Blocks of HBM-PIM in Amaranth's simulator: loops of a program, addresses of a transfer."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from hw import chips
from hw.rtl.dram_pim.controller.hbm_pim_steps import ACTS, HbmSteps
from hw.rtl.dram_pim.hbm_pim.sequencer import PimSequencer
from hw.spec.hbm_pim_controller import place_of
from hw.spec.memory_controller import OPCODE_READ, OPCODE_WRITE
from hw.spec.pim import PimSpec
from tb.system.devices import controller

JUMPS = {
    "one after the other": {2: (2, 3), 5: (3, 1), 9: (2, 2)},
    "at the end of the program": {30: (2, 2)},
    "all of it": {30: (31, 2)},
}
"""Place of each JUMP -> (offset back from the instruction behind it, times); a device counts one loop at a time."""


def followed(jumps: dict[int, tuple[int, int]], last: int) -> Iterator[int]:
    """Places of the instructions that are executed, in order, up to the EXIT at `last`."""
    left: dict[int, int] = {}
    place = 0
    while place != last:
        if place not in jumps:
            yield place
            place += 1
            continue
        offset, times = jumps[place]
        rest = left.get(place, times)
        left[place] = rest - 1
        if rest == 0:
            del left[place]
        place += 1 - (offset if rest else 0)


async def load(ctx: Any, dut: Any, words: list[int], bits: int) -> None:
    """Write a program and start it."""
    for column in range(dut.columns):
        part = words[column * dut.per_column : (column + 1) * dut.per_column]
        ctx.set(dut.i_write, 1)
        ctx.set(dut.i_entry, column)
        ctx.set(dut.i_data, sum(word << bits * i for i, word in enumerate(part)))
        await ctx.tick()
    ctx.set(dut.i_write, 0)
    ctx.set(dut.i_start, 1)
    await ctx.tick()
    ctx.set(dut.i_start, 0)


async def trigger(ctx: Any, dut: Any) -> None:
    """Execute an instruction, and wait until JUMPs behind it are followed."""
    ctx.set(dut.i_trigger, 1)
    await ctx.tick()
    ctx.set(dut.i_trigger, 0)
    for _ in range(4):
        await ctx.tick()


def run(dut: Any, drive: Any) -> None:
    simulator = Simulator(dut)
    simulator.add_clock(1e-9)
    simulator.add_testbench(drive)
    simulator.run()


@pytest.mark.parametrize("name", JUMPS)
def test_a_program_is_executed_along_its_jumps(name: str) -> None:
    pim = chips.machine(chips.load("hbm_pim"), PimSpec, "this test")
    dut: Any = PimSequencer(pim)
    table, jumps, last = pim.commands, JUMPS[name], 31
    words = [table.encode("MUL", {})] * last + [table.encode("EXIT", {})]
    for place, (offset, times) in jumps.items():
        words[place] = table.encode("JUMP", {"offset": offset, "iterations": times})
    seen: list[int] = []

    async def drive(ctx: Any) -> None:
        await load(ctx, dut, words, pim.register("CRF").bits)
        for _ in range(4):
            await ctx.tick()
        while not ctx.get(dut.o_halts):
            assert not ctx.get(dut.o_jump_range)
            seen.append(ctx.get(dut.o_counter))
            assert len(seen) < 500
            await trigger(ctx, dut)

    run(dut, drive)
    assert seen == list(followed(jumps, last))


def test_a_jump_to_before_the_program_is_refused_however_far_it_goes() -> None:
    pim = chips.machine(chips.load("hbm_pim"), PimSpec, "this test")
    dut: Any = PimSequencer(pim)
    table, place = pim.commands, 5
    most = table.field("offset").mask
    far = sorted(
        {place + 2, most} | {n for bit in range(3, most.bit_length()) for n in range(1 << bit, (1 << bit) + 9)}
    )
    refused: list[int] = []

    async def drive(ctx: Any) -> None:
        for offset in [place + 1, *far]:
            words = [table.encode("MUL", {})] * 31 + [table.encode("EXIT", {})]
            words[place] = table.encode("JUMP", {"offset": offset, "iterations": 1})
            await load(ctx, dut, words, pim.register("CRF").bits)
            for _ in range(place):
                await trigger(ctx, dut)
            if ctx.get(dut.o_jump_range):
                refused.append(offset)

    run(dut, drive)
    assert refused == far


@pytest.mark.parametrize("opcode", [OPCODE_READ, OPCODE_WRITE])
def test_a_transfer_visits_its_addresses_in_the_order_of_its_loops(opcode: int) -> None:
    spec, _ = controller("hbm_pim")
    dut: Any = HbmSteps(spec)
    rng = np.random.default_rng(opcode)
    compared = 0

    async def drive(ctx: Any) -> None:
        nonlocal compared
        for _ in range(12):
            length, groups, outer = (int(n) for n in rng.integers(1, 4, 3))
            stride, outer_stride, base, shared = (int(n) for n in rng.integers(0, 60, 4))
            fields = {
                "opcode": opcode, "run": length, "groups": groups, "outer": outer, "stride": stride,
                "outer_stride": outer_stride, "shared": shared,
            }  # fmt: skip
            ctx.set(dut.i_transfer, fields)
            ctx.set(dut.i_address, base)
            ctx.set(dut.i_start, 1)
            await ctx.tick()
            ctx.set(dut.i_start, 0)
            ctx.set(dut.i_advance, 1)
            wanted = [
                base + i * outer_stride + j * stride + k
                for i in range(outer) for j in range(groups) for k in range(length)
            ]  # fmt: skip
            for number, address in enumerate(wanted):
                await ctx.delay(1e-12)
                place = tuple(ctx.get(port) for port in (dut.o_bank, dut.o_row, dut.o_column))
                assert place == place_of(spec, address)
                assert ctx.get(dut.o_shared) == shared + number
                assert ACTS[ctx.get(dut.o_act)] == ("WR" if opcode == OPCODE_WRITE else "RD")
                assert ctx.get(dut.o_last) == (number == len(wanted) - 1)
                compared += 1
                await ctx.tick()
            ctx.set(dut.i_advance, 0)

    run(dut, drive)
    assert compared > 50
