"""Small blocks of the systems in Amaranth's simulator: the router before a run, the pieces of AiM's tables,
the interrupt of a core."""

import math
from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from hw import chips
from hw.rtl.dram_pim.aim.activation import AimActivation
from hw.rtl.npu.memory_side.axi_lite import AxiLite
from hw.rtl.system.router import Router, descriptor_layout
from hw.spec.pim import PimSpec
from hw.spec.register import REGISTERS
from hw.spec.system import END, UNIT_CODES, UNITS


def run(dut: Any, drive: Any) -> None:
    simulator = Simulator(dut)
    simulator.add_clock(1e-9)
    simulator.add_testbench(drive)
    simulator.run()


@pytest.mark.parametrize("unit", UNITS)
def test_the_router_takes_nothing_before_the_run_and_nothing_behind_the_end(unit: str) -> None:
    dut: Any = Router(UNITS)
    layout = descriptor_layout(UNITS)
    program = [UNIT_CODES[unit], UNIT_CODES[unit], END, UNIT_CODES[unit], UNIT_CODES[unit]]
    taken: list[int] = []

    async def drive(ctx: Any) -> None:
        offer = getattr(dut, f"o_{unit}")
        for cycle in range(40):
            ctx.set(dut.i_run, cycle >= 12)
            address = ctx.get(dut.o_address)
            word = layout.const({"unit": program[min(address, 4)], "payload": address + 1}).as_bits()
            ctx.set(dut.i_word, word)
            ctx.set(offer.ready, 1)
            if ctx.get(offer.valid):
                taken.append(ctx.get(offer.payload))
                assert cycle > 12, "before the run"
            await ctx.tick()

    run(dut, drive)
    assert taken == [1, 2]


def test_a_table_is_read_where_the_piece_of_an_input_lies() -> None:
    """Piece floor((x + limit) x pieces / range), held within the table; eight pieces a column."""
    spec = chips.machine(chips.load("aim"), PimSpec, "this test")
    dut: Any = AimActivation(spec)
    mode, table = next((i, a) for i, a in enumerate(spec.activations) if a.kind == "table")
    rng = np.random.default_rng(1)
    drawn = np.concatenate([np.linspace(-1.5, 1.5, 600) * table.limit, rng.normal(0, 0.05, 50)]).astype(np.float32)
    inputs = (drawn.view(np.uint32) & 0xFFFF0000).view(np.float32)  # BF16
    columns: set[int] = set()

    async def drive(ctx: Any) -> None:
        ctx.set(dut.i_mode, mode)
        ctx.set(dut.i_valid, 1)
        for x in inputs.tolist():
            ctx.set(dut.i_x, int(np.float32(x).view(np.uint32)))
            await ctx.delay(1e-12)
            piece = math.floor((x + table.limit) * table.segments / (2 * table.limit))
            assert ctx.get(dut.o_read)
            assert ctx.get(dut.o_column) == min(max(piece, 0), table.segments - 1) // 8, x
            columns.add(ctx.get(dut.o_column))

    run(dut, drive)
    assert len(columns) == table.segments // 8


def test_the_interrupt_of_an_idle_core_comes_when_its_work_ends_and_not_before() -> None:
    dut: Any = AxiLite({})
    seen: list[int] = []

    async def drive(ctx: Any) -> None:
        ctx.set(dut.lite_aw.payload.addr, REGISTERS["interrupt_enable"].offset)
        ctx.set(dut.lite_w.payload, {"data": 1 << REGISTERS["interrupt"].low("idle"), "strb": 15})
        for port in (dut.lite_aw.valid, dut.lite_w.valid, dut.lite_b.ready):
            ctx.set(port, 1)
        await ctx.tick()
        ctx.set(dut.lite_aw.valid, 0)
        ctx.set(dut.lite_w.valid, 0)
        for cycle in range(30):
            ctx.set(dut.i_busy, 5 <= cycle < 20)
            await ctx.tick()
            seen.append(ctx.get(dut.o_interrupt))

    run(dut, drive)
    assert seen == [0] * 20 + [1] * 10
