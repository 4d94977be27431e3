"""A core behind AXI: programs from and to an AXI memory, register map, error responses. Runs inside the simulator."""

from typing import Any

import numpy as np

from hw.rtl.axi_signature import OKAY, SLVERR
from hw.rtl.signature import counter_names
from hw.spec.axi import CONTROL_BITS, IDENTITY, REGISTERS, STATUS_BITS, AxiSpec
from tb.axi import AxiHost, AxiMemory
from tb.bench import Bench, bench_test
from tb.memory_tests import Case, core_of, unpacked

BASE = 0x1_2345_0000
"""Byte address of the external memory: above 4 GB."""


class _Run:
    """One reset core, its memory and its host."""

    def __init__(self, bench: Bench, case: Case, **memory: Any) -> None:
        self.bench, self.case = bench, case
        self.core = core_of(bench.parameters["core"])
        assert self.core.dma is not None
        self.expected = case.memories(self.core)
        self.memory = AxiMemory(
            bench=bench, dma=self.core.dma, axi=AxiSpec(**bench.parameters["axi"]), base=BASE,
            data=bytearray(self.expected.external.tobytes()), stalls=case.held, **memory)
        self.host = AxiHost(bench, case.held.get("lite", 0.0))
        self.task: Any = None

    async def program(self) -> None:
        """Reset, set the base, give all commands; returns when the core is idle."""
        await self.bench.reset()
        self.task = self.memory.start()
        for name, value in (("base_low", BASE & 0xFFFFFFFF), ("base_high", BASE >> 32)):
            assert await self.host.write(REGISTERS[name], value) == OKAY
        await self.host.write(REGISTERS["control"], 1 << CONTROL_BITS["clear_counters"])
        for item in self.case.program:
            await self.host.command(item.pack())
        while await self.status() >> STATUS_BITS["busy"] & 1:
            pass

    async def status(self) -> int:
        """The status register."""
        value, response = await self.host.read(REGISTERS["status"])
        assert response == OKAY
        return value

    async def counters(self) -> dict[str, int]:
        """All counters by the registers."""
        counted = {}
        for index, meaning in enumerate(counter_names().values()):
            low, first = await self.host.read(REGISTERS["counters"] + 8 * index)
            high, second = await self.host.read(REGISTERS["counters"] + 8 * index + 4)
            assert (first, second) == (OKAY, OKAY)
            counted[meaning] = high << 32 | low
        return counted

    def check(self) -> None:
        """The AXI memory holds what the reference says."""
        self.expected.run(self.case.program)
        got = np.frombuffer(bytes(self.memory.data), np.uint8).reshape(self.expected.external.shape)
        wrong = np.flatnonzero((got != self.expected.external).any(1))
        assert not len(wrong), f"seed {self.case.seed}: {len(wrong)} beats differ, the first is {wrong[0]}"


@bench_test(timeout_cycles=2_000_000)
async def programs_run_from_and_to_an_axi_memory(bench: Bench) -> None:
    """Every case under its stalls; reports `counters` and `bursts` of each."""
    counters, bursts = [], []
    for data in bench.parameters["cases"]:
        case = unpacked(data["case"])
        run = _Run(bench, case, latency=data["latency"], mixed=data["mixed"])
        await run.program()
        counters.append(await run.counters())
        bursts.append([run.memory.read_bursts, run.memory.write_bursts])
        assert await run.status() >> STATUS_BITS["read_error"] == 0
        run.check()
        run.task.cancel()
    bench.report(counters=counters, bursts=bursts)


@bench_test(timeout_cycles=100_000)
async def error_responses_are_kept_in_the_status_until_cleared(bench: Bench) -> None:
    """A read and a write that are answered with SLVERR, one at a time; the program ends all the same."""
    case = unpacked(bench.parameters["cases"][0]["case"])
    for place, bit in ((bench.parameters["read_at"], "read_error"), (bench.parameters["write_at"], "write_error")):
        size = core_of(bench.parameters["core"]).dma.bytes_per_cycle    # type: ignore[union-attr]
        at = BASE + place * size
        run = _Run(bench, case, bad=range(at, at + size))
        await run.program()
        assert await run.status() == 1 << STATUS_BITS["room"] | 1 << STATUS_BITS[bit]
        await run.host.write(REGISTERS["control"], 1 << CONTROL_BITS["clear_errors"])
        assert await run.status() == 1 << STATUS_BITS["room"]
        run.task.cancel()


@bench_test(timeout_cycles=100_000)
async def registers_answer_as_documented(bench: Bench) -> None:
    """Identity, base, refusals, what is not there and what cannot be written."""
    case = unpacked(bench.parameters["cases"][0]["case"])
    run = _Run(bench, case)
    host = run.host
    await bench.reset()
    assert await host.read(REGISTERS["identity"]) == (IDENTITY, OKAY)
    for name, value in (("base_low", 0xDEADB000), ("base_high", 0x12)):
        assert await host.write(REGISTERS[name], value) == OKAY
        assert await host.read(REGISTERS[name]) == (value, OKAY)
        assert await host.write(REGISTERS[name], 0, strobes=7) == SLVERR
        assert await host.read(REGISTERS[name]) == (value, OKAY)
    for address in (0x14, 0x34, 0xFFC, REGISTERS["counters"] + 8 * len(counter_names())):
        assert await host.read(address) == (0, SLVERR)
        assert await host.write(address, 1) == SLVERR
    for name in ("identity", "status", "completed", "counters"):
        assert await host.write(REGISTERS[name], 1) == SLVERR
    # no opcode: refused with code 1, nothing else happens
    await host.command(0)
    await bench.cycles(4)
    assert await run.status() == 1 << STATUS_BITS["room"] | 1 << STATUS_BITS["refusal"]
    assert await host.read(REGISTERS["refused"]) == (1, OKAY)
    assert await host.read(REGISTERS["completed"]) == (0, OKAY)
    counted = await run.counters()
    assert counted["command.accept"] == counted["command.refuse"] == 1
    assert await host.write(REGISTERS["control"], 1 << CONTROL_BITS["clear_counters"]) == OKAY
    assert not any((await run.counters()).values())
