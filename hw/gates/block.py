"""A block ready to be priced: netlist, timing, energy coefficients and simulator together."""

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.hdl import Elaboratable

from hw.base.error import InputError
from hw.base.file import write_atomically
from hw.gates import synthesis, timing
from hw.gates.activity import Simulator, Streams
from hw.gates.library import Process
from hw.gates.power import BlockEnergy, Coefficients
from hw.gates.timed import TimedSimulator
from hw.gates.timing import Timing

_RULES = 7
"""Raised when the roll-up or the glitch rule changes, so that kept figures are not mixed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glitches:
    """Energy with gate delays over energy without, on the same vectors: mean and range over the lanes tried.

    Applies to switching and internal energy, not to clock and leakage.

    Parameters
    ----------
    low : float
        Smallest factor of one lane, among lanes that spend more than 1 fJ per cycle.
    mean : float
        Energy of all lanes tried with gate delays over that without.
    high : float
        Largest factor of one lane, among the same lanes as `low`.
    vectors : int
        Lanes behind `low` and `high` times the cycles counted of each, as asked for (shorter streams give fewer than
        this says). 0: no lane spent enough, and all three factors are 1.
    """

    low: float
    mean: float
    high: float
    vectors: int


class Block:
    """A synthesised component with what is needed to price its operand streams."""

    def __init__(
        self,
        component: Elaboratable,
        name: str,
        process: Process,
        build: Path = Path("build"),
        recipe: str = synthesis.RECIPE,
        by_module: bool = False,
    ) -> None:
        self.name, self.process, self.build = name, process, build
        made = synthesis.synthesise(component, name, process, build, recipe, by_module)
        self.netlist, self.folder = made.netlist, made.folder
        self.timing: Timing = timing.analyse(self.netlist, process.wire, process.input_slew_ns)
        self.coefficients = Coefficients(self.netlist, process, self.timing)
        self.simulator = Simulator(self.netlist, build)

    @cached_property
    def timed(self) -> TimedSimulator:
        """Made when glitches are measured: a kept measurement needs none."""
        return TimedSimulator(self.netlist, self.timing, self.build)

    def energy(self, streams: Streams, warm_up: int = 1) -> BlockEnergy:
        """Energy per cycle without glitches, over any number of lanes (in parts of 64)."""
        lanes = next(iter(streams.values())).shape[1]
        parts = []
        for first in range(0, lanes, 64):
            part = {p: v[:, first : first + 64] for p, v in streams.items()}
            activity, _ = self.simulator.run(part, warm_up)
            parts.append((self.coefficients.energy(activity), activity.samples))
        total = sum(n for _, n in parts)
        return BlockEnergy(
            switching_fj=sum(e.switching_fj * n for e, n in parts) / total,
            internal_fj=sum(e.internal_fj * n for e, n in parts) / total,
            clock_fj=sum(e.clock_fj * n for e, n in parts) / total,
            leakage_nw=parts[0][0].leakage_nw,
        )

    def by_window(self, streams: Streams, edges: Sequence[int]) -> list[float]:
        """Switching and internal energy of all lanes between neighbouring `edges` in fJ, without glitches; kept by
        content. Cycles before the first edge only settle the registers."""
        content = hashlib.sha256(f"{self.netlist.digest} {self.process.library.digest} {list(edges)} {_RULES}".encode())
        for port in sorted(self.netlist.inputs):
            content.update(port.encode() + np.ascontiguousarray(streams[port]).tobytes())
        path = self.build / "gates" / "measured" / f"{self.name}.windows.{content.hexdigest()[:16]}.json"
        if path.exists():
            return json.loads(path.read_text())
        sums = [0.0] * (len(edges) - 1)
        for first in range(0, next(iter(streams.values())).shape[1], 64):
            state = self.simulator.start()
            lanes = {p: v[:, first : first + 64] for p, v in streams.items()}
            if edges[0]:
                self.simulator.run({p: v[: edges[0]] for p, v in lanes.items()}, 0, state)
            for k, (begin, end) in enumerate(itertools.pairwise(edges)):
                activity, _ = self.simulator.run({p: v[begin:end] for p, v in lanes.items()}, 0, state)
                energy = self.coefficients.energy(activity)
                sums[k] += (energy.switching_fj + energy.internal_fj) * activity.samples
        _keep(path, sums)
        return sums

    def measure(self, streams: Streams, build: Path = Path("build")) -> tuple[BlockEnergy, Glitches]:
        """`energy` and `glitches` after 20 cycles; kept in a file by netlist, library and streams."""
        content = hashlib.sha256(f"{self.netlist.digest} {self.process.library.digest} {_RULES}".encode())
        for port in sorted(self.netlist.inputs):
            content.update(f"{port} {streams[port].shape}".encode() + np.ascontiguousarray(streams[port]).tobytes())
        path = build / "gates" / "measured" / f"{self.name}.{content.hexdigest()[:16]}.json"
        if path.exists():
            kept = json.loads(path.read_text())
            return BlockEnergy(**kept["energy"]), Glitches(**kept["glitches"])
        # An event-driven run of a large block is slow, and its many nets average anyway.
        lanes = 24 if len(self.netlist.instances) < 2000 else 6
        energy, glitches = self.energy(streams, 20), self.glitches(streams, lanes)
        _keep(path, {"energy": dataclasses.asdict(energy), "glitches": dataclasses.asdict(glitches)})
        return energy, glitches

    def glitches(self, streams: Streams, lanes: int = 12, cycles: int = 200, warm_up: int = 20) -> Glitches:
        """The glitch factor on `cycles` vectors of each of `lanes` lanes spread over the streams."""
        available, length = next(iter(streams.values())).shape[1], next(iter(streams.values())).shape[0]
        if length <= warm_up:
            raise InputError(
                f"a stream must be longer than its warm-up of {warm_up} cycles, not {length}; give more cycles"
            )
        factors, quiet, busy = [], 0.0, 0.0
        chosen = np.linspace(0, available - 1, min(lanes, available)).astype(int)
        # Windows where energy is spent: at even steps of the energy summed up over the stream.
        edges = list(range(0, length - cycles + 1, cycles)) if length >= 2 * cycles else [0, length]
        spent = np.cumsum(self.by_window(streams, edges))
        steps = (np.arange(len(chosen)) + 0.5) / len(chosen) * max(spent[-1], 1e-9)
        starts = [edges[min(int(k), len(edges) - 2)] for k in np.searchsorted(spent, steps)]
        # A co-prime stride spreads lanes over windows: not all late ones in the last row of cells.
        for count, lane in enumerate(chosen):
            start = starts[count * 7 % len(starts)]
            lead = {p: v[:start, lane : lane + 1] for p, v in streams.items()}
            part = {p: v[start : start + cycles, lane : lane + 1] for p, v in streams.items()}
            # The registers hold what the stream before has left in them: a weight is loaded long before it is used.
            state = self.simulator.start()
            if start:
                self.simulator.run(lead, 0, state)
            registers = [int(word) & 1 for word in state.registers]
            settled = self.coefficients.energy(self.simulator.run(part, warm_up, state)[0])
            glitched = self.coefficients.energy(self.timed.run(part, warm_up, registers))
            before = settled.switching_fj + settled.internal_fj
            after = glitched.switching_fj + glitched.internal_fj
            quiet, busy = quiet + before, busy + after
            if before > 1.0:  # fJ per cycle; below it, a ratio says nothing
                factors.append(after / before)
        if not factors:
            return Glitches(low=1.0, mean=1.0, high=1.0, vectors=0)
        # The mean is weighed by energy; one lane alone may lie on either side of it.
        return Glitches(
            low=min(factors), mean=busy / quiet, high=max(factors), vectors=(cycles - warm_up) * len(factors)
        )


def _keep(path: Path, value: Any) -> None:
    write_atomically(path, json.dumps(value))
