"""`AxiTop` between agents that others wrote: cocotbext-axi's memory and register master, under random pauses.

Runs inside the simulator, Verilator or Icarus.
"""

import logging
import random
from collections.abc import Iterator
from typing import Any

import cocotb
import numpy as np
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiRam

from hw.rtl.npu.memory_side.axi_signature import OKAY
from hw.spec.axi import AxiSpec, capabilities
from hw.spec.register import COMMAND_WORDS, REGISTERS, Register
from tb.bench.bench import Bench, bench_test
from tb.npu.axi_monitor import AxiMonitor
from tb.npu.memory_tests import core_of, unpacked

BASE = 0x1_2345_0000
"""Byte address of the external memory: above 4 GB."""
MEMORY_BYTES = 1 << 20
GUARD = 0xA5


class _Foreign:
    """The design, its foreign memory and host, and our monitor between them."""

    def __init__(self, bench: Bench) -> None:
        self.bench, dut = bench, bench.dut
        self.core, self.axi = core_of(bench.parameters["core"]), AxiSpec(**bench.parameters["axi"])
        assert self.core.dma is not None
        logging.getLogger("cocotb").setLevel(logging.WARNING)
        for name in ("aw", "w", "ar", "r", "b"):
            logging.getLogger(f"cocotb.{cocotb.top._name}.M_AXI.{name}").setLevel(logging.WARNING)
        # before the foreign agents: what ends them shall have been seen
        self.monitor = AxiMonitor(bench=bench, dma=self.core.dma, axi=self.axi)
        self.monitor.start()
        with_reset: Any = {"reset": dut.ARESETN, "reset_active_level": False}
        self.memory: Any = AxiRam(AxiBus.from_prefix(dut, "M_AXI"), dut.ACLK, size=MEMORY_BYTES, **with_reset)
        self.host: Any = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "S_AXI"), dut.ACLK, **with_reset)
        self.channels = {
            "aw": self.memory.write_if.aw_channel,
            "w": self.memory.write_if.w_channel,
            "b": self.memory.write_if.b_channel,
            "ar": self.memory.read_if.ar_channel,
            "r": self.memory.read_if.r_channel,
            "lite_aw": self.host.write_if.aw_channel,
            "lite_w": self.host.write_if.w_channel,
            "lite_b": self.host.write_if.b_channel,
            "lite_ar": self.host.read_if.ar_channel,
            "lite_r": self.host.read_if.r_channel,
        }

    def pause(self, chance: float | dict[str, float], source: random.Random) -> None:
        """Every channel stands still in a cycle with this probability, or each with its own."""
        for name, channel in self.channels.items():
            channel.clear_pause_generator()
            channel.pause = False
            share = chance.get(name, 0.0) if isinstance(chance, dict) else chance
            if share:
                channel.set_pause_generator(_pauses(share, random.Random(source.random())))

    async def read(self, register: Register) -> int:
        """The value of a register."""
        answer = await self.host.read(register.offset, 4)
        assert int(answer.resp) == OKAY, f"{answer.resp} to a read of {register.name}"
        return int.from_bytes(answer.data, "little")

    async def write(self, offset: int, word: int) -> int:
        """The response to a write."""
        return int((await self.host.write(offset, word.to_bytes(4, "little"))).resp)

    async def command(self, descriptor: int) -> None:
        """Hand a packed descriptor over, again as long as the queue is full."""
        for index in range(COMMAND_WORDS):
            word = descriptor >> 32 * index & 0xFFFFFFFF
            offset = REGISTERS["command"].offset + 4 * index
            while await self.write(offset, word) != OKAY:
                assert index == COMMAND_WORDS - 1, "a word of a command was refused"

    async def idle(self) -> None:
        """Wait until the core is not busy."""
        while await self.read(REGISTERS["status"]) & 1:
            pass

    async def program(self, data: dict[str, Any]) -> None:
        """One program on memory and guard bytes; what the memory holds then, against the reference."""
        case, size = unpacked(data["case"]), self.core.dma.bytes_per_cycle  # type: ignore[union-attr]
        expected = case.memories(self.core)
        start = BASE % MEMORY_BYTES
        guard = bytes([GUARD]) * 4096
        held = guard + expected.external.tobytes() + guard
        self.memory.write(start - len(guard), held)
        for name, value in (("base_low", BASE & 0xFFFFFFFF), ("base_high", BASE >> 32)):
            assert await self.write(REGISTERS[name].offset, value) == OKAY
        for item in case.program:
            await self.command(item.pack())
        await self.idle()
        expected.run(case.program)
        after = self.memory.read(start - len(guard), len(held))
        assert after[: len(guard)] == guard == after[-len(guard) :], "a write left the memory"
        got = np.frombuffer(after[len(guard) : -len(guard)], np.uint8).reshape(-1, size)
        wrong = np.flatnonzero((got != expected.external).any(1))
        assert not len(wrong), f"seed {case.seed}: {len(wrong)} beats differ, the first is {wrong[0]}"

    def judge(self) -> None:
        """No rule was broken."""
        assert not self.monitor.broken, f"{len(self.monitor.broken)} rules broken, first: {self.monitor.broken[:3]}"


def _pauses(chance: float, source: random.Random) -> Iterator[bool]:
    while True:
        yield source.random() < chance


@bench_test(timeout_cycles=1_000_000)
async def programs_run_between_foreign_agents(bench: Bench) -> None:
    """Every case under its pauses, one after the other without a reset; reports the bursts at pages."""
    foreign = _Foreign(bench)
    await bench.reset()
    for name, word in capabilities(foreign.core, foreign.axi, bench.parameters.get("build", 0)).items():
        assert await foreign.read(REGISTERS[name]) == word, name
    for data in bench.parameters["cases"]:
        foreign.pause(data["pause"], bench.random)
        await foreign.program(data)
    foreign.judge()
    bench.report(at_page=foreign.monitor.at_page, across=foreign.monitor.across)


@bench_test(timeout_cycles=1_000_000)
async def a_reset_in_any_phase_then_a_clean_program(bench: Bench) -> None:
    """Both sides are reset after each number of cycles given; the same program then is right."""
    foreign = _Foreign(bench)
    await bench.reset()
    (data,) = bench.parameters["cases"]
    for after in bench.parameters["resets"]:
        run = cocotb.start_soon(foreign.program(data))
        await bench.cycles(after)
        run.cancel()
        await bench.reset()
        await foreign.program(data)
    foreign.judge()
