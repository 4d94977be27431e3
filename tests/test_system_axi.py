"""A whole system behind AXI: programs and words in over the port, results out, the model's cycles between."""

# pyright: reportAttributeAccessIssue=false

from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from hw.rtl.emit.verilog import emit
from hw.rtl.npu.memory_side.axi_signature import OKAY, SLVERR
from hw.rtl.npu.memory_side.axi_top import StandardPorts
from hw.rtl.npu.vector_unit.unit import VectorUnit
from hw.rtl.system import axi as behind_axi
from hw.rtl.system.axi import SystemAxi
from hw.spec.axi import AxiSpec
from hw.spec.register_text import markdown_table
from hw.spec.system import SystemSpec
from hw.spec.system_register import SYSTEM_IDENTITY, SYSTEM_REGISTER_MAP, SYSTEM_REGISTERS, TARGETS
from hw.spec.vector import VectorSpec
from tb.bench.build import BUILD, build
from tb.bench.icarus import without_power_on_values
from tb.bench.run import run
from tb.system.devices import system

BASE, BEAT = 0x3_0000_1000, 32


def test_registers_do_not_overlap() -> None:
    offsets = [offset for register in SYSTEM_REGISTER_MAP for _, offset in register.spans]
    assert offsets == sorted(set(offsets))


def test_the_page_has_the_table_of_the_registers() -> None:
    page = Path(__file__).parents[1] / "docs" / "system.md"
    assert markdown_table(SYSTEM_REGISTER_MAP) in page.read_text()


class _Counting(wiring.Component):
    """Memories as a system has them, and a program that takes 20 cycles whatever it is."""

    def __init__(self, spec: SystemSpec, timing: object, *, vector: object = None, outside: bool = False) -> None:
        self.program = memory.Memory(shape=224, depth=64, init=[])
        self.shared = memory.Memory(shape=8 * BEAT, depth=128, init=[])
        super().__init__(
            {
                "i_run": In(1),
                "o_finished": Out(1),
                "o_error": Out(3),
                "i_outside_address": In(32),
                "i_outside_data": In(8 * BEAT),
                "i_outside_to_program": In(1),
                "i_outside_to_shared": In(1),
                "o_outside_data": Out(8 * BEAT),
                **{f"o_{what}_{unit}": Out(20) for what in ("ended", "refused") for unit in spec.units},
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.program, m.submodules.shared = self.program, self.shared
        read, passed = self.shared.read_port(domain="comb"), Signal(8)
        for held, enable in ((self.program, self.i_outside_to_program), (self.shared, self.i_outside_to_shared)):
            port = held.write_port()
            m.d.comb += [
                port.addr.eq(self.i_outside_address), port.data.eq(self.i_outside_data), port.en.eq(enable),
            ]  # fmt: skip
        m.d.comb += [
            read.addr.eq(self.i_outside_address), self.o_outside_data.eq(read.data), self.o_finished.eq(passed == 20),
            self.o_ended_vector.eq(passed),
        ]  # fmt: skip
        with m.If(self.i_run & ~self.o_finished):
            m.d.sync += passed.eq(passed + 1)
        return m


class _Host:
    """A memory and a master of the registers, in Python, that often are not ready."""

    def __init__(self, dut: Any) -> None:
        self.dut, self.rng = dut, np.random.default_rng(0)
        self.held: dict[int, int] = {}

    async def reads(self, ctx: Any) -> None:
        """Answer bursts in order."""
        dut, asked = self.dut, deque[list[int]]()
        while True:
            ctx.set(dut.axi_ar.ready, int(self.rng.random() < 0.7))
            if asked and not ctx.get(dut.axi_r.valid) and self.rng.random() < 0.8:
                address, left, number = asked[0]
                ctx.set(dut.axi_r.payload.data, self.held.get(address, 0))
                ctx.set(dut.axi_r.payload.last, int(left == 0))
                ctx.set(dut.axi_r.payload.id, number)
                ctx.set(dut.axi_r.valid, 1)
            if ctx.get(dut.axi_ar.valid) & ctx.get(dut.axi_ar.ready):
                asked.append([ctx.get(dut.axi_ar.payload[field]) for field in ("addr", "len", "id")])
            moved = ctx.get(dut.axi_r.valid) & ctx.get(dut.axi_r.ready)
            await ctx.tick()
            if moved:
                ctx.set(dut.axi_r.valid, 0)
                address, left, number = asked[0]
                asked[0] = [address + BEAT, left - 1, number]
                if left == 0:
                    asked.popleft()

    async def writes(self, ctx: Any) -> None:
        """Store bursts, answer them in order."""
        dut, opened, beats, answers = self.dut, deque[tuple[int, int]](), deque[tuple[int, int]](), 0
        while True:
            ctx.set(dut.axi_aw.ready, int(self.rng.random() < 0.7))
            ctx.set(dut.axi_w.ready, int(self.rng.random() < 0.7))
            ctx.set(dut.axi_b.valid, int(answers > 0))
            if ctx.get(dut.axi_aw.valid) & ctx.get(dut.axi_aw.ready):
                opened.append((ctx.get(dut.axi_aw.payload.addr), ctx.get(dut.axi_aw.payload.len)))
            if ctx.get(dut.axi_w.valid) & ctx.get(dut.axi_w.ready):
                beats.append((ctx.get(dut.axi_w.payload.data), ctx.get(dut.axi_w.payload.last)))
            answers -= ctx.get(dut.axi_b.valid) & ctx.get(dut.axi_b.ready)
            await ctx.tick()
            while opened and len(beats) > opened[0][1]:
                address, left = opened.popleft()
                for i in range(left + 1):
                    self.held[address + BEAT * i], last = beats.popleft()
                    assert last == (i == left)
                answers += 1

    async def write(self, ctx: Any, name: str, word: int) -> int:
        """Write a register; the response."""
        dut = self.dut
        ctx.set(dut.lite_aw.payload.addr, SYSTEM_REGISTERS[name].offset)
        ctx.set(dut.lite_w.payload, {"data": word, "strb": 15})
        for signal in (dut.lite_aw.valid, dut.lite_w.valid, dut.lite_b.ready):
            ctx.set(signal, 1)
        await ctx.tick()
        ctx.set(dut.lite_aw.valid, 0)
        ctx.set(dut.lite_w.valid, 0)
        while not ctx.get(dut.lite_b.valid):
            await ctx.tick()
        answer = ctx.get(dut.lite_b.payload.resp)
        await ctx.tick()
        return answer

    async def read(self, ctx: Any, name: str, index: int = 0) -> int:
        """A register's value."""
        dut = self.dut
        ctx.set(dut.lite_ar.payload.addr, SYSTEM_REGISTERS[name].offset + 4 * index)
        ctx.set(dut.lite_ar.valid, 1)
        ctx.set(dut.lite_r.ready, 1)
        await ctx.tick()
        ctx.set(dut.lite_ar.valid, 0)
        while not ctx.get(dut.lite_r.valid):
            await ctx.tick()
        assert ctx.get(dut.lite_r.payload.resp) == OKAY, name
        word = ctx.get(dut.lite_r.payload.data)
        await ctx.tick()
        return word

    async def copy(self, ctx: Any, target: str, host: int, local: int, words: int) -> None:
        """A copy from its start to its end."""
        for name, value in (("host", host), ("local", local), ("words", words), ("copy", TARGETS[target])):
            assert await self.write(ctx, name, value) == OKAY
        for _ in range(500):
            if not await self.read(ctx, "status") & 1:
                return
        raise AssertionError(f"a copy of {words} words did not end")


def test_copies_registers_and_the_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(behind_axi, "SystemTop", _Counting)
    spec, timing = system("aim_4")
    dut: Any = SystemAxi(spec, timing, axi=AxiSpec(burst_beats=4, outstanding=2))
    simulator, host = Simulator(dut), _Host(dut)
    words = [int(word) for word in host.rng.integers(1 << 62, size=60)]
    runs, resets = (1 << SYSTEM_REGISTERS["control"].low(name) for name in ("run", "reset"))

    async def use(ctx: Any) -> None:
        assert await host.read(ctx, "identity") == SYSTEM_IDENTITY
        for name, value, answer in (
            ("base_low", BASE & 0xFFFFFFFF, OKAY), ("base_high", BASE >> 32, OKAY), ("identity", 1, SLVERR),
            ("words", 0, OKAY), ("copy", TARGETS["shared_in"], SLVERR), ("words", 1, OKAY),
            ("copy", len(TARGETS), SLVERR), ("interrupt_enable", 1, OKAY), ("control", runs | resets, SLVERR),
        ):  # fmt: skip
            assert await host.write(ctx, name, value) == answer, name
        host.held |= {BASE + BEAT * (100 + i): word for i, word in enumerate(words)}
        await host.copy(ctx, "shared_in", 100, 7, 60)
        await host.copy(ctx, "program", 100, 3, 20)
        assert [ctx.get(dut.system.shared.data[7 + i]) for i in range(60)] == words
        assert [ctx.get(dut.system.program.data[3 + i]) for i in range(20)] == words[:20]
        await host.copy(ctx, "shared_out", 300, 7, 60)
        assert [host.held[BASE + BEAT * (300 + i)] for i in range(60)] == words
        assert not ctx.get(dut.o_interrupt)
        assert await host.write(ctx, "control", runs) == OKAY
        assert await host.write(ctx, "words", 5) == SLVERR, "the program runs"
        while not ctx.get(dut.o_interrupt):
            await ctx.tick()
        assert await host.read(ctx, "status") == 2
        assert not ctx.get(dut.o_interrupt)
        assert await host.read(ctx, "cycles_low") == 20
        assert await host.read(ctx, "ended", 1) == 20
        assert await host.write(ctx, "control", runs) == SLVERR, "not again without a reset"
        assert await host.write(ctx, "control", resets) == OKAY
        assert await host.read(ctx, "ended", 1) == 0
        assert await host.write(ctx, "control", runs) == OKAY

    simulator.add_clock(1e-9)
    for process in (host.reads, host.writes):
        simulator.add_testbench(process, background=True)
    simulator.add_testbench(use)
    simulator.run()


@pytest.mark.rtl
@pytest.mark.volume
def test_programs_go_in_over_axi_run_and_come_back() -> None:
    spec, timing = system("aim_4")
    axi = AxiSpec(burst_beats=16, outstanding=3)
    inner = SystemAxi(spec, timing, vector=VectorUnit(VectorSpec(memory_words=spec.shared_words)), axi=axi)
    assert spec.core.dma is not None
    emitted = without_power_on_values(emit(StandardPorts(inner, spec.core.dma, axi), "system_axi", BUILD / "rtl"))
    watched = [f"{emitted.name}.core.{name}" for name in ("running", "restart")]
    public = [f"{emitted.name}.core.system.channel.banks.bank_0.cells"]
    built = build(emitted, public=public, watched=watched, random_start=True)  # memories and cells as the seed says
    outcome = run(built, "tb.system.axi_tests", seed=3, parameters={"system": "aim_4", "programs": 4})
    assert outcome.passed, outcome.explain()
    assert outcome.data["rows"] > 0, "rows that nobody had written must have been read from the cells"
