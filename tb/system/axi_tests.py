"""A system behind AXI between agents that others wrote: programs go in, run and come back as the model says.

Rows that no program has written are what the cells hold (`tb.dram_pim.held`).
"""

# pyright: reportAttributeAccessIssue=false

import logging
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiRam

from hw.rtl.npu.memory_side.axi_signature import OKAY, SLVERR
from hw.spec.system_register import SYSTEM_IDENTITY, SYSTEM_REGISTERS, TARGETS
from hw.spec.vector import VectorSpec
from model.cycle.system.run import SystemRun
from model.functional.system import SystemMemories
from model.functional.vector_unit import SystemVectorUnit
from tb.bench.bench import Bench, bench_test
from tb.dram_pim.held import Held
from tb.system.devices import system
from tb.system.random_programs import RandomPrograms
from tb.system.system_tests import fill_shared

BASE = 0x3_0000_1000
"""Byte address of the host's beat 0: above 4 GB, no multiple of the memory's size."""
MEMORY_BYTES = 1 << 20
BEAT = 32
PROGRAM_BEAT, SHARED_BEAT, BACK_BEAT = 3, 1000, 2000
"""Where program, words and answer lie in the host's memory: bursts meet its pages at any place."""
DESCRIPTORS = 24


class Host:
    """The design's host: a memory and a master of the registers."""

    def __init__(self, bench: Bench) -> None:
        dut = bench.dut
        logging.getLogger("cocotb").setLevel(logging.WARNING)
        for name in ("aw", "w", "ar", "r", "b"):
            logging.getLogger(f"cocotb.{cocotb.top._name}.M_AXI.{name}").setLevel(logging.WARNING)
        reset: Any = {"reset": dut.ARESETN, "reset_active_level": False}
        self.memory: Any = AxiRam(AxiBus.from_prefix(dut, "M_AXI"), dut.ACLK, size=MEMORY_BYTES, **reset)
        self.registers: Any = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "S_AXI"), dut.ACLK, **reset)

    async def read(self, name: str, index: int = 0) -> int:
        """A register's value."""
        answer = await self.registers.read(SYSTEM_REGISTERS[name].offset + 4 * index, 4)
        assert int(answer.resp) == OKAY, f"{answer.resp} to a read of {name}"
        return int.from_bytes(answer.data, "little")

    async def write(self, name: str, word: int, answer: int = OKAY) -> None:
        """Write a register; the response must be `answer`."""
        found = int((await self.registers.write(SYSTEM_REGISTERS[name].offset, word.to_bytes(4, "little"))).resp)
        assert found == answer, f"{found} to {word:#x} written to {name}, not {answer}"

    async def status(self, field: str) -> int:
        """A field of the status."""
        register = SYSTEM_REGISTERS["status"]
        bits = next(f.bits for f in register.fields if f.name == field)
        return await self.read("status") >> register.low(field) & ((1 << bits) - 1)

    async def copy(self, target: str, host: int, local: int, words: int) -> None:
        """A copy from its start to its end."""
        for name, value in (("host", host), ("local", local), ("words", words), ("copy", TARGETS[target])):
            await self.write(name, value)
        while await self.status("busy"):
            pass

    def store(self, beat: int, words: list[bytes]) -> None:
        """Beats of the host's memory."""
        self.memory.write((BASE + beat * BEAT) % MEMORY_BYTES, b"".join(words))

    def load(self, beat: int, count: int) -> bytes:
        """The same, read."""
        return self.memory.read((BASE + beat * BEAT) % MEMORY_BYTES, count * BEAT)


@bench_test(timeout_cycles=10_000_000)
async def programs_go_in_run_and_come_back(bench: Bench) -> None:
    spec, timing = system(bench.parameters["system"])
    host, control = Host(bench), SYSTEM_REGISTERS["control"]
    vector = VectorSpec(memory_words=spec.shared_words)
    programs = RandomPrograms(spec=spec, rng=bench.rng, vector=vector)
    inner: Any = bench.dut.core.system
    banks = [getattr(inner.channel.banks, f"bank_{b}").cells for b in range(spec.pim.dram.organisation.banks)]
    rows = Held(spec.pim, banks, bench.rng)
    await bench.edge
    assert await host.read("identity") == SYSTEM_IDENTITY
    await host.write("base_low", BASE & 0xFFFFFFFF)
    await host.write("base_high", BASE >> 32)
    await host.write("interrupt_enable", 1)
    await host.write("words", 0)
    await host.write("copy", TARGETS["shared_in"], SLVERR)
    await host.write("words", 1)
    await host.write("copy", len(TARGETS), SLVERR)
    await host.write("identity", 1, SLVERR)
    runs, resets = 1 << control.low("run"), 1 << control.low("reset")
    running, restart = bench.dut.core.running, bench.dut.core.restart
    total = 0
    for number in range(int(bench.parameters["programs"])):
        where = f"program {number}"
        program = programs.draw(DESCRIPTORS)
        # a reset is that of all registers; the DRAM keeps what programs leave there
        memories = SystemMemories(spec, timing, SystemVectorUnit(vector))
        memories.contents.device.rows = rows
        fill_shared(memories, programs)
        host.store(PROGRAM_BEAT, [word.to_bytes(BEAT, "little") for word in program.pack()])
        host.store(SHARED_BEAT, [word.tobytes() for word in memories.shared])
        memories.run(program)  # before the RTL runs, as rows may have to be read from its cells
        restarted = cocotb.start_soon(_when(bench, restart))
        await host.write("control", resets)
        begun = cocotb.start_soon(_when(bench, running))
        await host.copy("program", PROGRAM_BEAT, 0, len(program.pack()))
        await host.copy("shared_in", SHARED_BEAT, 0, spec.shared_words)
        await host.write("control", runs | resets, SLVERR)
        await host.write("control", runs)
        await host.write("words", 5, SLVERR)  # the program runs
        await host.status("finished")
        if not int(bench.dut.INTERRUPT.value):
            await RisingEdge(bench.dut.INTERRUPT)
        assert await host.status("finished"), f"{where}: the interrupt came before the end"
        await host.write("control", runs, SLVERR)  # not again without a reset
        await host.copy("shared_out", BACK_BEAT, 0, spec.shared_words)
        want = SystemRun(
            spec, timing, program, vector=SystemVectorUnit(vector), pointed=memories.replay(),
            start=await begun - await restarted - 1).run()  # fmt: skip
        cycles = await host.read("cycles_low") | await host.read("cycles_high") << 32
        assert cycles == want.cycles, f"{where}: {cycles} cycles, not {want.cycles}"
        got = np.frombuffer(host.load(BACK_BEAT, spec.shared_words), "<u2").reshape(memories.shared.shape)
        wrong = np.argwhere(got != memories.shared)
        assert not len(wrong), f"{where}: {len(wrong)} elements of the shared memory differ, the first at {wrong[0]}"
        for i, unit in enumerate(spec.units):
            assert await host.read("ended", i) == program.counts[unit], f"{where}: descriptors of {unit}"
            if unit != "core":
                assert await host.read("refused", i) == len(want.codes[unit]), f"{where}: refusals of {unit}"
        assert not await host.status("channel_error"), f"{where}: the channel refused a command"
        assert not await host.status("read_error"), where
        assert not await host.status("write_error"), where
        total += cycles
    bench.report(cycles=total, rows=len(rows))


async def _when(bench: Bench, signal: Any) -> int:
    """The cycle in which a signal rises."""
    await RisingEdge(signal)
    return bench.cycle
