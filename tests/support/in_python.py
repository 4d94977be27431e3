"""A bench's own coroutine on its design in Amaranth's simulator: nothing is emitted, nothing is compiled.

Slower a cycle than Verilator by a hundred times, ready in seconds: for a few short programs in every run of the tests,
and for mistakes planted in the RTL, which would each need a simulator of their own. What the bench does to the design,
and all that it compares, are the same.
"""

import random
import sys
from collections.abc import Callable, Generator, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import ClockDomain, Fragment, Module, Value
from amaranth.lib import wiring
from amaranth.sim import Simulator

from tb.bench.protocol import Checked


class Word(int):
    """A value read, as benches take cocotb's: a number, its bits by `len`."""

    bits: int
    is_resolvable = True

    def __new__(cls, value: int, bits: int) -> "Word":
        word = super().__new__(cls, value)
        word.bits = bits
        return word

    def __len__(self) -> int:
        return self.bits

    def to_unsigned(self) -> int:
        return int(self)


class Handle:
    """A signal, or a word of a memory: read as it is, written after the next edge, both as a simulator would."""

    def __init__(self, bench: "PythonBench", name: str, place: Any) -> None:
        self._bench, self._name, self._place = bench, name, place

    def __len__(self) -> int:
        return len(Value.cast(self._place))

    @property
    def value(self) -> Word:
        """What it holds now; unsigned."""
        held = self._bench.ctx.get(Value.cast(self._place))
        return Word(held & (1 << len(self)) - 1, len(self))

    @value.setter
    def value(self, value: Any) -> None:
        unsigned = int(value if isinstance(value, int) else value.to_unsigned())
        self._bench.written.append((Value.cast(self._place), unsigned))


class Words:
    """A memory, word by word."""

    def __init__(self, bench: "PythonBench", name: str, held: Any) -> None:
        self._bench, self._name, self._held = bench, name, held

    def __len__(self) -> int:
        return self._held.depth

    def __getitem__(self, index: int) -> Handle:
        return Handle(self._bench, f"{self._name}[{index}]", self._held[index])


class Inside:
    """The inside of a module: submodules, memories and signals by their names in the Verilog."""

    def __init__(self, bench: "PythonBench", fragment: Any) -> None:
        self._bench, self._fragment = bench, fragment

    def __getattr__(self, name: str) -> Any:
        for fragment, called, _ in self._fragment.subfragments:
            if called == name:
                held = getattr(fragment, "_data", None)
                return Inside(self._bench, fragment) if held is None else Words(self._bench, name, held)
        for statements in self._fragment.statements.values():
            for signal in statements._lhs_signals():
                if signal.name == name:
                    return Handle(self._bench, name, signal)
        raise AttributeError(f"no {name!r} is driven or placed here")


class Top:
    """The ports of the top, by their names in the Verilog, and `dut`, the inside of the design."""

    def __init__(self, bench: "PythonBench", checked: Checked, inside: Inside) -> None:
        self._bench, self._checked, self.dut = bench, checked, inside

    def __getattr__(self, name: str) -> Handle:
        if name == "rst":
            return Handle(self._bench, name, self._bench.domain.rst)
        place: Any = self._checked
        for part in name.split("__"):
            place = getattr(place, part)
        return Handle(self._bench, name, place)

    def __iter__(self) -> Iterator[Handle]:
        """The ports."""
        for path, _, place in self._checked.signature.flatten(self._checked):
            yield Handle(self._bench, "__".join(map(str, path)), place)


class Edge:
    """The clock's next edge, to be awaited as often as wanted."""

    def __init__(self, bench: "PythonBench") -> None:
        self._bench = bench

    def __await__(self) -> Generator[Any, Any, None]:
        bench = self._bench
        yield from bench.ctx.tick().__await__()
        bench.cycle += 1
        assert bench.cycle < bench.most_cycles, f"the test did not end within {bench.most_cycles} cycles"
        if bench.written:  # all at once: the simulator would settle after each
            engine = bench.ctx._engine
            for place, value in bench.written:
                engine.set_value(place, value)
            engine.step_design()
            bench.written.clear()


class Rise:
    """The edge after which a signal has risen."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def __await__(self) -> Generator[Any, Any, None]:
        before = True
        while before or not self._handle.value:
            before = bool(self._handle.value)
            yield from self._handle._bench.edge.__await__()


class PythonBench:
    """What a test takes for its `Bench`. `data` is what it reports."""

    def __init__(self, parameters: dict[str, Any], seed: int, most_cycles: int) -> None:
        self.parameters, self.seed, self.most_cycles = parameters, seed, most_cycles
        self.rng, self.random = np.random.default_rng(seed), random.Random(seed)
        self.domain: Any = ClockDomain("sync")
        self.written: list[tuple[Value, int]] = []
        self.data: dict[str, Any] = {}
        self.cycle = 0
        self.edge = Edge(self)
        self.ctx: Any = None
        self.dut: Any = None
        self._checks: list[Callable[[], None]] = []

    async def reset(self) -> None:
        """As `Bench.reset`."""
        self.dut.rst.value = 1
        await self.edge
        await self.edge
        self.dut.rst.value = 0

    async def cycles(self, count: int) -> None:
        """As `Bench.cycles`: its timer ends just before an edge, which then counts."""
        for _ in range(max(count - 1, 1)):
            await self.edge

    async def until(self, signal: Handle, *, timeout_cycles: int = 1_000_000) -> None:
        """As `Bench.until`."""
        for _ in range(timeout_cycles):
            if signal.value:
                return
            await self.edge
        raise AssertionError(f"{signal._name} stayed low for {timeout_cycles} cycles")

    def at_end(self, check: Callable[[], None]) -> None:
        """As `Bench.at_end`."""
        self._checks.append(check)

    def report(self, **data: Any) -> None:
        """As `Bench.report`."""
        self.data |= data

    def finish(self) -> None:
        """As `Bench.finish`."""
        for check in self._checks:
            check()
        assert not self.dut.protocol_errors.value, "a stream rule is broken"


def play(
    design: wiring.Component,
    module: ModuleType,
    test: str,
    parameters: dict[str, Any],
    *,
    seed: int = 1,
    most_cycles: int = 100_000,
) -> dict[str, Any]:
    """Run `test` of a bench's module on `design`; what it reports. AssertionError where the bench raises one.

    Tests that start tasks of their own beside the clock cannot be run so.
    """
    bench = PythonBench(parameters, seed, most_cycles)
    checked = Checked(design)
    m = Module()
    m.domains.sync = bench.domain
    m.submodules.top = checked
    fragment = Fragment.get(m, None)
    top = next(inner for inner, name, _ in fragment.subfragments if name == "top")
    inside = next(inner for inner, name, _ in top.subfragments if name == "dut")
    bench.dut = Top(bench, checked, Inside(bench, inside))
    body = getattr(module, test).func.__wrapped__
    ended: list[bool] = []

    async def drive(ctx: Any) -> None:
        bench.ctx = ctx
        await bench.reset()
        await body(bench)
        bench.finish()
        ended.append(True)

    simulator = Simulator(fragment)
    simulator.add_clock(1e-9)
    simulator.add_testbench(drive)
    with pytest.MonkeyPatch.context() as patch:
        for used in [used for name, used in sys.modules.items() if name.startswith("tb.")]:
            if hasattr(used, "RisingEdge"):
                patch.setattr(used, "RisingEdge", Rise)
        simulator.run()
    assert ended, "the test did not end"
    return bench.data
