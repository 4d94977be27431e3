"""Energies from tables beside the same blocks as transistors in ngspice: the check of the glitch rule."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hw.base.file import write_atomically
from hw.gates import synthesis, timing, transistor
from hw.gates.activity import Simulator
from hw.gates.blocks import Adder, MacSlice, Multiplier
from hw.gates.library import Process
from hw.gates.power import Coefficients
from hw.gates.timed import TimedSimulator

BLOCKS = {
    "8-bit adder": (lambda: Adder(8), 40),
    "8-bit multiplier": (lambda: Multiplier(8), 10),
    "multiply-add of one cell": (MacSlice, 6),
}
"""Block and vectors. None of them was used to find the rule, which follows from the tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """fJ per vector without glitches, with glitches by the rule, and of the transistors.

    Parameters
    ----------
    name : str
        A key of `BLOCKS`.
    cells : int
        Library cells of the block.
    vectors : int
        Random operands counted, after a first one that only settles the nets.
    settled_fj : float
        From the tables, every net moving at most once per vector.
    glitched_fj : float
        From the tables, with gate delays.
    transistors_fj : float
        Drawn from the supply by the same cells as transistors in ngspice, leakage taken off.
    """

    name: str
    cells: int
    vectors: int
    settled_fj: float
    glitched_fj: float
    transistors_fj: float


def check(process: Process, build: Path, seed: int = 1) -> Iterator[Checked]:
    """Every block of `BLOCKS` on random vectors, one after the other; minutes for the larger ones, each kept."""
    for name, (make, vectors) in BLOCKS.items():
        netlist = synthesis.synthesise(make(), name.replace(" ", "_"), process, build, synthesis.UNBUFFERED).netlist
        times = timing.analyse(netlist, process.wire, process.input_slew_ns)
        rng = np.random.default_rng(seed)
        streams = {p: rng.integers(0, 1 << len(b), (vectors + 1, 1)) for p, b in netlist.inputs.items()}
        prices = Coefficients(netlist, process, times, inputs=False)
        period = round(times.critical_ns * 1.5 + 1.0, 2)
        text = transistor.deck(netlist, times, streams, period, process.input_slew_ns)
        path = build / "gates" / "transistors" / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
        if not path.exists():
            energy = transistor.energy_fj(netlist, times, streams, period, process.input_slew_ns)
            write_atomically(path, json.dumps(energy))
        yield Checked(
            name=name,
            cells=len(netlist.instances),
            vectors=vectors,
            settled_fj=prices.energy(Simulator(netlist, build).run(streams)[0]).dynamic_fj,
            glitched_fj=prices.energy(TimedSimulator(netlist, times, build).run(streams)).dynamic_fj,
            transistors_fj=json.loads(path.read_text()),
        )
