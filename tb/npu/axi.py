"""AXI agents that look at every cycle: a memory behind an AXI4 master, a host before AXI4-Lite registers.

Both judge what they see and stall at random; valid and payload of every stream are watched by
`tb.bench.protocol.Checked`.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import cocotb

from hw.rtl.npu.memory_side.axi_signature import ADDRESS, INCR, OKAY, SLVERR, WRITTEN, read_layout, write_layout
from hw.spec.axi import PAGE_BYTES, AxiSpec
from hw.spec.dma import DmaSpec
from hw.spec.register import COMMAND_WORDS, REGISTERS
from tb.bench.bench import Bench
from tb.bench.stream import pack, unpack

Habit = Literal["free", "together", "address first", "data first"]
"""When a slave takes writes: whenever it likes; an address and its first beat only together, when both are offered;
beats only after their address; an address only after its beats. All are legal (AXI4 A3.3.1)."""
HABITS: tuple[Habit, ...] = get_args(Habit)


@dataclass(slots=True)
class _Burst:
    id: int
    address: int
    beats: int
    due: int
    done: int = 0


@dataclass(kw_only=True)
class AxiMemory:
    """A slave on `data`. Reads of different IDs are answered in any order, interleaved; writes take effect with B.

    Parameters
    ----------
    bench : Bench
        Its design has the master's channels as ports `axi_<channel>__*`; its `random` draws stalls and orders.
    dma, axi : DmaSpec, AxiSpec
        Of the master.
    data : bytearray
        The memory, from byte address `base` on.
    latency : int
        Cycles from an address to its first beat or, after the last beat of a write, to its response.
    stalls : dict
        Channel ("ar", "r", "aw", "w", "b") -> probability of a cycle in which it does not move.
    habit : Habit
        When it takes addresses and beats of writes, one of `HABITS`.
    mixed : bool
        Interleave reads at random; else one burst after the other in the order of their addresses.
    bad : range of int
        Byte addresses that answer with an error.
    read_bursts, write_bursts : int
        Addresses of reads, and of writes, that were taken so far.
    """

    bench: Bench
    dma: DmaSpec
    axi: AxiSpec
    data: bytearray
    base: int = 0
    latency: int = 1
    stalls: dict[str, float] = field(default_factory=dict)
    habit: Habit = "free"
    mixed: bool = True
    bad: range = range(0)
    read_bursts: int = 0
    write_bursts: int = 0
    unanswered: int = 0
    """Bursts, of either kind, whose address was taken and whose last response was not."""

    def __post_init__(self) -> None:
        self._size = self.dma.bytes_per_cycle
        self.read_layout, self._write = read_layout(self.dma), write_layout(self.dma)

    def _move(self, channel: str) -> bool:
        chance = self.stalls.get(channel, 0.0)
        return not chance or self.bench.random.random() >= chance

    def _address(self, bits: int, cycle: int) -> _Burst:
        """A legal burst, or AssertionError."""
        given = unpack(ADDRESS, bits)
        beats, address = given.len + 1, int(given.addr)
        assert given.burst == INCR, f"burst type {given.burst}, must be INCR"
        assert 1 << given.size == self._size, f"size {given.size} of a bus of {self._size} bytes"
        assert beats <= self.axi.burst_beats, f"{beats} beats, at most {self.axi.burst_beats}"
        assert address % self._size == 0, f"address {address:#x} is not aligned to the bus"
        last = address + beats * self._size - 1
        assert address // PAGE_BYTES == last // PAGE_BYTES, f"burst {address:#x} to {last:#x} crosses a page"
        assert 0 <= address - self.base <= len(self.data) - beats * self._size, f"{address:#x} is outside of the memory"
        return _Burst(id=int(given.id), address=address, beats=beats, due=cycle + self.latency)

    def start(self) -> Any:
        """Run until the test ends; the task, to be cancelled before another memory is put in place."""
        return cocotb.start_soon(self._run())

    async def _run(self) -> None:
        dut, random = self.bench.dut, self.bench.random
        port = {
            name: [getattr(dut, f"axi_{name}__{part}") for part in ("valid", "ready", "payload")]
            for name in ("ar", "r", "aw", "w", "b")
        }
        reads: deque[_Burst] = deque()
        writes: deque[_Burst] = deque()
        beats: deque[Any] = deque()  # whose address may not have come yet
        whole = 0  # of the bursts in there
        answers: deque[tuple[int, list[tuple[int, int]], int]] = deque()  # due, words to write, response
        words: list[tuple[int, int]] = []
        offered: _Burst | None = None
        answering = False
        for name in ("r", "b"):
            port[name][0].value = 0
        for name in ("ar", "aw", "w"):
            port[name][1].value = 0
        cycle = 0
        while True:
            await self.bench.edge
            cycle += 1
            moved = {name: int(valid.value) and int(ready.value) for name, (valid, ready, _) in port.items()}
            if moved["ar"]:
                reads.append(self._address(int(port["ar"][2].value), cycle))
                self.read_bursts += 1
            if moved["aw"]:
                writes.append(self._address(int(port["aw"][2].value), cycle))
                assert writes[-1].id == 0, f"write ID {writes[-1].id}, must be 0 as that of every response"
                self.write_bursts += 1
            if moved["w"]:
                beats.append(unpack(self._write, int(port["w"][2].value)))
                whole += beats[-1].last
            while writes and beats:
                burst, beat = writes[0], beats.popleft()
                assert beat.strb == (1 << self._size) - 1, f"strobes {beat.strb:#x} of a whole beat"
                words.append((burst.address + burst.done * self._size, int(beat.data)))
                burst.done += 1
                assert beat.last == (burst.done == burst.beats), (
                    f"WLAST is {beat.last} in beat {burst.done} of {burst.beats}"
                )
                if burst.done == burst.beats:
                    bad = any(address in self.bad for address, _ in words)
                    answers.append((cycle + self.latency, words, SLVERR if bad else OKAY))
                    words, whole = [], whole - 1
                    writes.popleft()
            if moved["r"]:
                assert offered is not None
                offered.done += 1
                if offered.done == offered.beats:
                    reads.remove(offered)
                offered = None
            if moved["b"]:
                answers.popleft()
                answering = False

            # offers stay until they are taken
            if offered is None:
                heads = {}
                for burst in reads:
                    heads.setdefault(burst.id, burst)
                ready = [burst for burst in heads.values() if burst.due <= cycle + 1]
                if not self.mixed:
                    ready = [burst for burst in ready if burst is reads[0]]
                if ready and self._move("r"):
                    offered = burst = random.choice(ready)
                    at = burst.address + burst.done * self._size
                    data = int.from_bytes(self.data[at - self.base : at - self.base + self._size], "little")
                    port["r"][2].value = pack(
                        self.read_layout,
                        {
                            "id": burst.id,
                            "data": data,
                            "resp": SLVERR if at in self.bad else OKAY,
                            "last": int(burst.done + 1 == burst.beats),
                        },
                    )
                port["r"][0].value = int(offered is not None)
            if not answering:
                if answers and answers[0][0] <= cycle + 1 and self._move("b"):
                    answering = True
                    _, done, response = answers[0]
                    for at, value in done:
                        self.data[at - self.base : at - self.base + self._size] = value.to_bytes(self._size, "little")
                    port["b"][2].value = pack(WRITTEN, {"id": 0, "resp": response})
                port["b"][0].value = int(answering)
            self.unanswered = len(reads) + len(writes) + len(answers)
            take = {name: self._move(name) for name in ("ar", "aw", "w")}
            if self.habit == "together" and not (writes or beats):  # an address and its first beat
                both = all(int(port[name][0].value) and not moved[name] for name in ("aw", "w"))
                take["aw"] = take["w"] = take["aw"] and both
            elif self.habit == "together":  # the other beats
                take["aw"] = False
            elif self.habit == "address first":
                take["w"] = take["w"] and bool(writes)
            elif self.habit == "data first":
                take["aw"] = take["aw"] and whole > 0
            for name, ready in take.items():
                port[name][1].value = int(ready)


class AxiHost:
    """A master of the AXI4-Lite registers; address and data of a write come in any order."""

    def __init__(self, bench: Bench, stall: float = 0.0) -> None:
        self.bench, self.stall = bench, stall
        self.dut = bench.dut
        for name in ("aw", "w", "ar"):
            self._valid(name).value = 0
        for name in ("b", "r"):
            self._ready(name).value = 0

    def _valid(self, name: str) -> Any:
        return getattr(self.dut, f"lite_{name}__valid")

    def _ready(self, name: str) -> Any:
        return getattr(self.dut, f"lite_{name}__ready")

    async def write(self, address: int, value: int, strobes: int = 15) -> int:
        """The response to one write."""
        await self._send({"aw": address, "w": value | strobes << 32})
        return await self._receive("b")

    async def read(self, address: int) -> tuple[int, int]:
        """Value and response of one read."""
        await self._send({"ar": address})
        bits = await self._receive("r")
        return bits & 0xFFFFFFFF, bits >> 32

    async def command(self, descriptor: int) -> bool:
        """Hand a packed descriptor over, its last word again while the queue is full; False if the port has stopped."""
        for index in range(COMMAND_WORDS):
            address, word = REGISTERS["command"].offset + 4 * index, descriptor >> 32 * index & 0xFFFFFFFF
            response = await self.write(address, word)
            while response != OKAY and index == COMMAND_WORDS - 1:
                status, _ = await self.read(REGISTERS["status"].offset)
                if status >> REGISTERS["status"].low("stopped") & 1:
                    return False
                response = await self.write(address, word)
            assert response == OKAY, f"response {response} to word {index} of a command"
        return True

    async def _send(self, payloads: dict[str, int]) -> None:
        open_ = dict(payloads)
        offered: set[str] = set()
        while open_:
            for name in open_:
                if name not in offered and self.bench.random.random() >= self.stall:
                    getattr(self.dut, f"lite_{name}__payload").value = open_[name]
                    self._valid(name).value = 1
                    offered.add(name)
            await self.bench.edge
            for name in list(offered):
                if int(self._ready(name).value):
                    self._valid(name).value = 0
                    offered.remove(name)
                    del open_[name]

    async def _receive(self, name: str) -> int:
        while True:
            ready = self.bench.random.random() >= self.stall
            self._ready(name).value = int(ready)
            await self.bench.edge
            if ready and int(self._valid(name).value):
                self._ready(name).value = 0
                return int(getattr(self.dut, f"lite_{name}__payload").value)
