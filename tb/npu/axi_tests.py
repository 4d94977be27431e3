"""A core behind AXI: programs from and to an AXI memory, register map, errors, aborts.

Runs inside the simulator; on a chip (`make sim BENCH=axi`), or with the parameters of `tb.npu.axi_cases`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from hw import chips
from hw.rtl.npu.memory_side.axi_core import AxiCore
from hw.rtl.npu.memory_side.axi_signature import OKAY, SLVERR
from hw.rtl.npu.signature import counter_names
from hw.spec.axi import AxiSpec, capabilities
from hw.spec.chip import Chip
from hw.spec.register import REGISTER_MAP, REGISTERS, Register
from tb.bench.bench import Bench, bench_test
from tb.npu.axi import AxiHost, AxiMemory
from tb.npu.axi_cases import bench_parameters, core_behind_axi, random_cases, small_case
from tb.npu.memory_tests import core_of, unpacked

BASE = 0x1_2345_0000
"""Byte address of the external memory: above 4 GB."""

ROOM = {"room": 1}


def fields(register: Register, word: int) -> dict[str, int]:
    """The fields of a word that are not 0."""
    found = {field.name: word >> field.low & (1 << field.bits) - 1 for field in register.fields}
    return {name: value for name, value in found.items() if value}


CHIP_CASES = 6
"""Random programs on a chip."""


def suits(chip: Chip) -> bool:
    """A regression runs the chips that have copy channels; by name any core gets them."""
    return chip.core is not None and chip.core.dma is not None


def top(chip: Chip) -> AxiCore:
    """The core of `chip` behind AXI."""
    return AxiCore(core_behind_axi(chip))


def _complete(bench: Bench, *, small: bool) -> None:
    """Make up the parameters of a run on a chip."""
    if "core" in bench.parameters:
        return
    core = core_behind_axi(chips.load(bench.parameters["chip"]))
    given = small_case(core) if small else {"cases": random_cases(core, range(bench.seed, bench.seed + CHIP_CASES))}
    bench.parameters = bench_parameters(core, AxiSpec(), **given)


class _Run:
    """One core, its memory and its host."""

    def __init__(self, bench: Bench, data: Mapping[str, Any], **memory: Any) -> None:
        self.bench, self.case = bench, unpacked(data["case"])
        self.core, self.axi = core_of(bench.parameters["core"]), AxiSpec(**bench.parameters["axi"])
        assert self.core.dma is not None
        self.expected = self.case.memories(self.core)
        given = {name: data[name] for name in ("latency", "mixed", "habit") if name in data}
        self.memory = AxiMemory(
            bench=bench,
            dma=self.core.dma,
            axi=self.axi,
            base=BASE,
            data=bytearray(self.expected.external.tobytes()),
            stalls=self.case.held,
            **given | memory,
        )
        self.host = AxiHost(bench, self.case.held.get("lite", 0.0))
        self.task: Any = None

    async def start(self) -> None:
        """Reset both sides, set the base."""
        await self.bench.reset()
        self.task = self.memory.start()
        await self.prepare()

    async def prepare(self) -> None:
        """Set the base, clear the counters."""
        for name, value in (("base_low", BASE & 0xFFFFFFFF), ("base_high", BASE >> 32)):
            assert await self.write(name, value) == OKAY
        await self.control("clear_counters")

    async def give(self) -> None:
        """All commands of the program, until the port stops."""
        for item in self.case.program:
            if not await self.host.command(item.pack()):
                return

    async def program(self) -> None:
        """Reset, set the base, give all commands; returns when the core is idle."""
        await self.start()
        await self.give()
        await self.idle()

    async def idle(self) -> None:
        """Wait until the core is not busy."""
        while (await self.status()).get("busy"):
            pass

    async def write(self, name: str, value: int) -> int:
        """The response to a write of a register."""
        return await self.host.write(REGISTERS[name].offset, value)

    async def read(self, name: str) -> int:
        """The value of a register."""
        value, response = await self.host.read(REGISTERS[name].offset)
        assert response == OKAY, f"response {response} to a read of {name}"
        return value

    async def control(self, *actions: str) -> None:
        """Write ones to `control`."""
        word = sum(1 << REGISTERS["control"].low(action) for action in actions)
        assert await self.write("control", word) == OKAY

    async def status(self) -> dict[str, int]:
        """The fields of the status register that are not 0."""
        return fields(REGISTERS["status"], await self.read("status"))

    async def error_address(self) -> int:
        """Where the first error was."""
        return await self.read("error_address_high") << 32 | await self.read("error_address_low")

    async def counters(self) -> dict[str, int]:
        """All counters by the registers."""
        counted, first = {}, REGISTERS["counter"].offset
        for index, meaning in enumerate(counter_names().values()):
            low, answer = await self.host.read(first + 8 * index)
            high, second = await self.host.read(first + 8 * index + 4)
            assert (answer, second) == (OKAY, OKAY)
            counted[meaning] = high << 32 | low
        return counted

    def held(self) -> np.ndarray:
        """What the AXI memory holds, in beats."""
        return np.frombuffer(bytes(self.memory.data), np.uint8).reshape(self.expected.external.shape)

    def check(self) -> None:
        """The AXI memory holds what the reference says."""
        self.expected.run(self.case.program)
        wrong = np.flatnonzero((self.held() != self.expected.external).any(1))
        assert not len(wrong), f"seed {self.case.seed}: {len(wrong)} beats differ, the first is {wrong[0]}"


@bench_test(timeout_cycles=2_000_000)
async def programs_run_from_and_to_an_axi_memory(bench: Bench) -> None:
    """Every case under its stalls and its habit of taking writes; reports `counters` and `bursts` of each."""
    _complete(bench, small=False)
    counters, bursts = [], []
    for data in bench.parameters["cases"]:
        run = _Run(bench, data)
        await run.program()
        counters.append(await run.counters())
        bursts.append([run.memory.read_bursts, run.memory.write_bursts])
        assert await run.status() in (ROOM, {})
        run.check()
        run.task.cancel()
    bench.report(counters=counters, bursts=bursts)


@bench_test(timeout_cycles=200_000)
async def an_error_response_stops_the_core_until_a_soft_reset(bench: Bench) -> None:
    """A read and a write that are answered with SLVERR; then the same program is right."""
    _complete(bench, small=True)
    data = bench.parameters["cases"][0]
    for place, bit in ((bench.parameters["read_at"], "read_error"), (bench.parameters["write_at"], "write_error")):
        run = _Run(bench, data)
        assert run.core.dma is not None
        size = run.core.dma.bytes_per_cycle
        at = BASE + place * size
        run.memory.bad = range(at, at + size)
        await run.start()
        await run.write("interrupt_enable", 1 << REGISTERS["interrupt"].low(bit))
        before = run.held().copy()
        await run.give()
        await run.idle()
        assert await run.status() == {"stopped": 1, bit: 1}
        assert int(bench.dut.o_interrupt.value), "the error must raise the interrupt"
        where = await run.error_address()
        error = fields(REGISTERS["error"], await run.read("error"))
        if bit == "read_error":
            assert where == at, f"error at {where:#x}, must be {at:#x}"
            assert error == {"response": SLVERR, "channel": 1}
            assert (run.held() == before).all(), "nothing may be written after a read error"
        else:  # the burst it was in
            assert where <= at < where + run.axi.burst_beats * size, f"error at {where:#x}, must be near {at:#x}"
            assert error == {"response": SLVERR, "channel": 3}
        # a stopped port takes no command, and says so
        last = REGISTERS["command"].offset + 4 * (REGISTERS["command"].count - 1)
        assert await run.host.write(last, 0) == SLVERR
        await run.write("interrupt", 1 << REGISTERS["interrupt"].low(bit))
        await bench.cycles(2)
        assert not int(bench.dut.o_interrupt.value)
        await run.control("clear_errors", "soft_reset")
        await run.idle()
        assert await run.status() == ROOM
        assert (await run.read("completed"), await run.error_address(), await run.read("error")) == (0, 0, 0)
        run.memory.bad = range(0)
        await run.prepare()
        await run.give()
        await run.idle()
        run.check()
        run.task.cancel()


@bench_test(timeout_cycles=2_000_000)
async def a_soft_reset_at_any_time_drains_and_leaves_a_clean_core(bench: Bench) -> None:
    """Abort after each number of cycles given; the memory goes on, the same program then is right."""
    _complete(bench, small=True)
    for case in bench.parameters["cases"]:
        for after in bench.parameters["aborts"]:
            run = _Run(bench, case)
            await run.start()
            await run.write("interrupt_enable", 1 << REGISTERS["interrupt"].low("reset_done"))
            await run.give()
            await bench.cycles(after)
            await run.control("soft_reset")
            while not int(bench.dut.o_interrupt.value):
                await bench.edge
            assert run.memory.unanswered == 0, f"{run.memory.unanswered} bursts are in flight after a drain"
            assert await run.status() == ROOM
            assert await run.read("completed") == 0
            assert not any((await run.counters()).values())
            run.memory.data[:] = run.expected.external.tobytes()
            await run.prepare()
            await run.give()
            await run.idle()
            run.check()
            run.task.cancel()


@bench_test(timeout_cycles=200_000)
async def a_command_has_completed_when_its_writes_are_answered(bench: Bench) -> None:
    """`completed` reaches the length of the program only when the memory holds everything, late as it is."""
    _complete(bench, small=True)
    run = _Run(bench, bench.parameters["cases"][0], latency=150)
    await run.start()
    await run.give()
    seen = []
    while not seen or seen[-1] < len(run.case.program):
        seen.append(await run.read("completed"))
    run.check()
    assert seen == sorted(seen)
    await run.idle()
    assert await run.read("completed") == len(run.case.program)
    run.task.cancel()


@bench_test(timeout_cycles=100_000)
async def responses_that_nobody_waits_for_are_dropped(bench: Bench) -> None:
    """R and B on an idle port, of every ID, as after a reset of the core alone; a program afterwards is right."""
    _complete(bench, small=True)
    run = _Run(bench, bench.parameters["cases"][0])
    await run.start()
    run.task.cancel()
    dut, layout = bench.dut, run.memory.read_layout
    for identity in range(4):
        dut.axi_r__payload.value = layout.const({"id": identity, "data": 0, "resp": 0, "last": 1}).as_bits()
        dut.axi_r__valid.value = 1
        dut.axi_b__valid.value = 1
        await bench.edge
        assert int(dut.axi_r__ready.value)
        assert int(dut.axi_b__ready.value)
    dut.axi_r__valid.value = dut.axi_b__valid.value = 0
    await bench.cycles(4)
    assert await run.status() == ROOM | {"orphan": 1}
    await run.control("clear_errors")
    assert await run.status() == ROOM
    run.task = run.memory.start()
    await run.give()
    await run.idle()
    run.check()
    run.task.cancel()


@bench_test(timeout_cycles=100_000)
async def registers_answer_as_documented(bench: Bench) -> None:
    """Constants, access, refusals, what is not there and what cannot be written."""
    _complete(bench, small=True)
    run = _Run(bench, bench.parameters["cases"][0])
    host = run.host
    await run.start()
    for name, word in capabilities(run.core, run.axi).items():
        assert await run.read(name) == word, name
    known = {offset for register in REGISTER_MAP for _, offset in register.spans}
    for offset in (*range(0, 0x100, 4), 0x800, 0xFFC):
        if offset not in known:
            assert await host.read(offset) == (0, SLVERR)
            assert await host.write(offset, 1) == SLVERR
    for register in REGISTER_MAP:
        offset = register.offset
        value, response = await host.read(offset + 1)  # the low address bits do not matter
        assert response == OKAY, register.name
        assert await host.write(offset, 0, strobes=7) == SLVERR, register.name
        if register.access == "read":
            assert await host.write(offset, ~value & 0xFFFFFFFF) == SLVERR, register.name
            if register.name != "counter":
                assert await host.read(offset) == (value, OKAY), register.name
        if register.access == "both" and register.name != "command":
            whole = (1 << len(register.fields)) - 1 if register.fields else 0xFFFFFFFF
            for pattern in (0xA5A5F00F, 0x5A5A0FF0, 0):
                assert await host.write(offset, pattern) == OKAY, register.name
                assert await host.read(offset) == (pattern & whole, OKAY), register.name
    assert await host.read(REGISTERS["control"].offset) == (0, OKAY)
    # no opcode: refused with code 1, nothing else happens
    await run.write("interrupt_enable", 1 << REGISTERS["interrupt"].low("refused"))
    await run.control("clear_counters")
    await host.command(0)
    await bench.cycles(8)
    assert await run.status() == ROOM | {"refusal": 1}
    assert fields(REGISTERS["interrupt"], await run.read("interrupt")).get("refused") == 1
    assert int(bench.dut.o_interrupt.value)
    assert (await run.read("refused"), await run.read("completed")) == (1, 0)
    counted = await run.counters()
    assert counted["command.accept"] == counted["command.refuse"] == 1
    await run.control("clear_counters")
    assert not any((await run.counters()).values())
    run.task.cancel()


@bench_test(timeout_cycles=100_000)
async def a_full_queue_never_blocks_the_host(bench: Bench) -> None:
    """With a memory that never answers, commands beyond the queue are refused at once and the abort gets through."""
    _complete(bench, small=True)
    run = _Run(bench, bench.parameters["cases"][0])
    run.memory.stalls = {"r": 1.0}
    await run.start()
    last = REGISTERS["command"].offset + 4 * (REGISTERS["command"].count - 1)
    answers = []
    for item in [*run.case.program] * 8:
        for index in range(REGISTERS["command"].count):
            answers.append(
                await run.host.write(REGISTERS["command"].offset + 4 * index, item.pack() >> 32 * index & 0xFFFFFFFF)
            )
    assert SLVERR in answers, "the queue must fill up"
    assert await run.host.write(last, 0) == SLVERR
    assert (await run.status()).get("room") is None
    assert await run.host.write(REGISTERS["base_low"].offset, 0) == SLVERR  # not while bursts are in flight
    await run.control("soft_reset")
    assert (await run.status()).get("draining") == 1
    run.memory.stalls = {}
    await run.idle()
    assert await run.status() == ROOM
    run.task.cancel()
