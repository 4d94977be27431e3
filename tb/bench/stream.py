"""Drivers and monitors of valid/ready streams; payloads are packed by Amaranth layouts.

All of them sleep on edges: none is woken in a cycle in which its stream does not move.
"""

import random
from collections import deque
from typing import Any

from amaranth.hdl import Shape
from amaranth.lib import data
from cocotb.triggers import Event, RisingEdge

from tb.bench.bench import Bench


def pack(shape: Any, value: Any) -> int:
    """`value` (integer, or what `layout.const` takes) as the integer of the bits of `shape`."""
    if isinstance(shape, data.Layout):
        return shape.const(value).as_bits()
    return int(value) & ((1 << Shape.cast(shape).width) - 1)


def unpack(shape: Any, bits: int) -> Any:
    """The inverse of `pack`; a layout gives an `amaranth.lib.data.Const`."""
    if isinstance(shape, data.Layout):
        return shape.from_bits(bits)
    plain = Shape.cast(shape)
    return bits - (1 << plain.width) if plain.signed and bits >> (plain.width - 1) & 1 else bits


class _Stream:
    def __init__(self, bench: Bench, name: str, shape: Any) -> None:
        self.bench = bench
        self.name = name
        self.shape = shape
        self.payload = getattr(bench.dut, f"{name}__payload")
        self.valid = getattr(bench.dut, f"{name}__valid")
        self.ready = getattr(bench.dut, f"{name}__ready")
        self._valid_rises = RisingEdge(self.valid)
        self._ready_rises = RisingEdge(self.ready)

    async def _transfer(self) -> None:
        """Return after the next edge at which valid and ready are both high."""
        edge = self.bench.edge
        while True:
            await edge
            if not int(self.valid.value):
                await self._valid_rises
            elif not int(self.ready.value):
                await self._ready_rises
            else:
                return


class StreamDriver(_Stream):
    """Sends values into an input stream of the design.

    `pause` is the probability of an idle cycle before each value; it draws from `source`.
    """

    def __init__(
        self, bench: Bench, name: str, shape: Any, *, pause: float = 0.0, source: random.Random | None = None
    ) -> None:
        super().__init__(bench, name, shape)
        self.pause = pause
        self.source = source or bench.random
        self.sent = 0

    async def send(self, *values: Any) -> None:
        """Send `values` in order; returns after the last was taken, with valid low."""
        for value in values:
            while self.pause and self.source.random() < self.pause:
                self.valid.value = 0
                await self.bench.edge
            self.payload.value = pack(self.shape, value)
            self.valid.value = 1
            await self._taken()
            self.sent += 1
        self.valid.value = 0

    async def _taken(self) -> None:
        # Our own valid is high from the coming write phase on: only ready decides.
        while True:
            await self.bench.edge
            if int(self.ready.value):
                return
            await self._ready_rises


class StreamMonitor(_Stream):
    """Records every value that passes a stream, with its cycle. Passive.

    `values` and `cycles` grow in order; `wait(count)` returns when `count` have passed.
    """

    def __init__(self, bench: Bench, name: str, shape: Any) -> None:
        super().__init__(bench, name, shape)
        self.values: list[Any] = []
        self.cycles: list[int] = []
        self._waiting: deque[tuple[int, Event]] = deque()
        import cocotb

        cocotb.start_soon(self._watch())

    async def wait(self, count: int) -> None:
        """Return when `count` values have passed since the start."""
        if len(self.values) < count:
            event = Event()
            self._waiting.append((count, event))
            await event.wait()

    async def _watch(self) -> None:
        while True:
            await self._transfer()
            self.values.append(unpack(self.shape, int(self.payload.value)))
            self.cycles.append(self.bench.cycle)
            for item in [w for w in self._waiting if w[0] <= len(self.values)]:
                self._waiting.remove(item)
                item[1].set()


class StreamSink:
    """Drives the ready of an output stream: always high, or low with probability `pause` in each cycle."""

    def __init__(self, bench: Bench, name: str, *, pause: float = 0.0, source: random.Random | None = None) -> None:
        self.ready = getattr(bench.dut, f"{name}__ready")
        if not pause:
            self.ready.value = 1
            return
        import cocotb

        cocotb.start_soon(self._drive(bench, pause, source or bench.random))

    async def _drive(self, bench: Bench, pause: float, source: random.Random) -> None:
        while True:
            self.ready.value = int(source.random() >= pause)
            await bench.edge
