"""What every testbench needs: clock, reset, seed, timeout, checks at the end, data for the record.

Runs inside the simulator. A test is a coroutine of one `Bench`, marked with `@bench_test`::

    @bench_test(timeout_cycles=10_000)
    async def words_leave_in_order(bench: Bench) -> None:
        ...

The clock runs in the simulator's interface layer: a cycle in which the test awaits nothing costs no Python.
"""

import functools
import json
import os
import random
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, SimTimeoutError, Timer, with_timeout
from cocotb.utils import get_sim_time

from hw.base.file import write_atomically

PERIOD_PS = 1000
"""One cycle is one nanosecond of simulated time, so waveform times read as cycles."""


class Bench:
    """One test on one design.

    Parameters
    ----------
    dut : handle of the top
        With `clk` and `rst`, or `ACLK` and `ARESETN`, and, if streams are checked, `protocol_errors`.

    Attributes
    ----------
    parameters : dict
        As given to `tb.bench.run.run`.
    seed : int
    rng : numpy.random.Generator
        Seeded with `seed`.
    random_start : bool
        Registers and memories began with values drawn from the seed, not as zeros.
    edge : RisingEdge
        The clock's rising edge; values read after awaiting it are those before the edge.
    """

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.parameters = parameters()
        self.seed = int(os.environ.get("COCOTB_RANDOM_SEED", "1"))
        self.rng = np.random.default_rng(self.seed)
        self.random = random.Random(self.seed)
        self.random_start = os.environ.get("KCLOUD_RANDOM_START") == "1"
        standard = any(handle._name == "ACLK" for handle in dut)
        self.clock = dut.ACLK if standard else dut.clk
        self._reset, self._active = (dut.ARESETN, 0) if standard else (dut.rst, 1)
        self.edge = RisingEdge(self.clock)
        self._checks: list[Callable[[], None]] = []

    async def start(self) -> None:
        """Start the clock and reset the design: two cycles. Inputs that nobody has driven are low, not unknown."""
        for handle in self.dut:
            name, drawn = handle._name, self.random_start  # two values: what nobody has driven is drawn, too
            if name.startswith("i_") and not name.endswith("__ready") and (drawn or not handle.value.is_resolvable):
                handle.value = 0
        Clock(self.clock, PERIOD_PS, unit="ps", impl="gpi").start()
        await self.reset()

    async def reset(self) -> None:
        """Hold reset for two edges; returns right after reset is low again."""
        self._reset.value = self._active
        await self.edge
        await self.edge
        self._reset.value = 1 - self._active

    @property
    def cycle(self) -> int:
        """Cycles since the start of simulation; also the time in a waveform, in nanoseconds."""
        return int(get_sim_time("step")) // PERIOD_PS

    async def cycles(self, count: int) -> None:
        """Wait `count` cycles without being woken in between."""
        if count > 1:
            await Timer((count - 1) * PERIOD_PS, unit="ps")
        await self.edge

    async def until(self, signal: Any) -> None:
        """Wait until the one-bit `signal` is high; returns at once if it is. The test's own limit of cycles ends it."""
        if not int(signal.value):
            await RisingEdge(signal)

    def at_end(self, check: Callable[[], None]) -> None:
        """Have `check` called when the test's coroutine has returned; it raises AssertionError if not content."""
        self._checks.append(check)

    def report(self, **data: Any) -> None:
        """Hand JSON data out of the simulator; later values replace earlier ones of the same name."""
        path = Path(os.environ["KCLOUD_DATA"])
        held = json.loads(path.read_text()) if path.is_file() else {}
        write_atomically(path, json.dumps(held | data))

    def finish(self) -> None:
        """Run the checks at the end: those of the test, then the sticky error bits of the stream checkers."""
        for check in self._checks:
            check()
        errors = getattr(self.dut, "protocol_errors", None)
        if errors is not None and int(errors.value):
            broken = [name for bit, name in enumerate(streams(self.dut)) if int(errors.value) >> bit & 1]
            raise AssertionError(
                f"stream rule broken on {', '.join(broken)}: valid fell or payload changed before ready"
            )


def streams(dut: Any) -> list[str]:
    """Names of the checked streams in the order of the bits of `protocol_errors`: those with all three ports."""
    names = [handle._name for handle in dut]
    found = [n.removesuffix("__payload") for n in names if n.endswith("__payload")]
    return sorted(n for n in found if f"{n}__valid" in names and f"{n}__ready" in names)


def parameters() -> dict[str, Any]:
    """The run's parameters; {} outside of `tb.bench.run`."""
    path = os.environ.get("KCLOUD_PARAMETERS")
    return json.loads(Path(path).read_text()) if path else {}


def bench_test(*, timeout_cycles: int = 1_000_000) -> Callable[[Callable[[Bench], Awaitable[None]]], Any]:
    """Make a coroutine of a `Bench` a cocotb test: clock and reset before, checks after, a limit in cycles."""

    def decorate(body: Callable[[Bench], Awaitable[None]]) -> Any:
        @functools.wraps(body)
        async def test(dut: Any) -> None:
            bench = Bench(dut)
            await bench.start()
            work: Coroutine[Any, Any, None] = _call(body, bench)
            try:
                await with_timeout(work, timeout_cycles * PERIOD_PS, "ps")
            except SimTimeoutError:
                raise AssertionError(f"the test did not end within {timeout_cycles} cycles") from None
            bench.finish()

        # cocotb asks the code where the test is: it is where its body is
        placed: Any = test
        code = body.__code__  # pyright: ignore[reportFunctionMemberAccess]
        placed.__code__ = placed.__code__.replace(co_filename=code.co_filename, co_firstlineno=code.co_firstlineno)
        return cocotb.test()(placed)

    return decorate


async def _call(body: Callable[[Bench], Awaitable[None]], bench: Bench) -> None:
    await body(bench)
