"""Arithmetic blocks beside Horowitz's figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hw.gates.block import Block
from hw.gates.blocks import Adder, Multiplier
from hw.gates.library import Process
from hw.rtl.fp_add import FpAdd
from hw.rtl.fp_mul import FpMul

HOROWITZ_PJ = {"8-bit multiply": 0.2, "8-bit add": 0.03, "32-bit add": 0.1, "FP16 multiply": 1.1, "FP16 add": 0.4}
"""M. Horowitz, Computing's energy problem, ISSCC 2014: 45 nm, 0.9 V."""


RATES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
"""Parts of the cycles in which an operand bit moves; one half is random operands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One arithmetic block beside its published figure, pJ per operation.

    `random_pj`: random operands every cycle with glitches at the library's voltage. `modest_pj`: by toggle rate of the
    operand bits, no glitches, at 0.9 V.
    """

    name: str
    area_um2: float
    critical_ns: float
    random_pj: float
    glitch: float
    modest_pj: tuple[float, ...]
    published_pj: float

    @property
    def implied_rate(self) -> float:
        """The toggle rate at which the block costs what was published."""
        return float(np.interp(self.published_pj, self.modest_pj, RATES))

    def at(self, rate: float) -> float:
        """pJ at a toggle rate, no glitches, 0.9 V."""
        return float(np.interp(rate, RATES, self.modest_pj))


def common_rate(found: Sequence[Operator]) -> float:
    """The median of the rates the published figures imply: one rate for all of them."""
    return float(np.median([o.implied_rate for o in found]))


def operators(process: Process, build: Path, seed: int) -> list[Operator]:
    """The five arithmetic blocks of Horowitz's table."""
    made = {"8-bit add": lambda: Adder(8), "32-bit add": lambda: Adder(32), "8-bit multiply": lambda: Multiplier(8),
            "FP16 multiply": lambda: FpMul("fp16", latency=0), "FP16 add": lambda: FpAdd("fp16", latency=0)}
    found = []
    for name, make in made.items():
        block = Block(make(), name.replace(" ", "_").lower(), process, build)
        rng = np.random.default_rng(seed)
        random = {port: rng.integers(0, 1 << len(bits), (400, 64)) for port, bits in block.netlist.inputs.items()}
        energy, glitches = block.measure(random, build)
        square = (0.9 / process.library.voltage_v) ** 2
        modest = [block.energy(_moving(block, rate, seed), 20).dynamic_fj * square / 1000 for rate in RATES]
        found.append(Operator(
            name=name, area_um2=block.netlist.area_um2, critical_ns=block.timing.critical_ns,
            random_pj=energy.dynamic_fj * glitches.mean / 1000, glitch=glitches.mean, modest_pj=tuple(modest),
            published_pj=HOROWITZ_PJ[name]))
    return found


def _moving(block: Block, rate: float, seed: int) -> dict[str, np.ndarray]:
    """Operands of which every bit moves in a part `rate` of the cycles."""
    rng = np.random.default_rng(seed)
    streams = {}
    for port, bits in block.netlist.inputs.items():
        flips = (rng.random((200, 64, len(bits))) < rate).astype(np.int64) << np.arange(len(bits))
        streams[port] = np.bitwise_xor.accumulate(flips.sum(axis=2), axis=0)
    return streams
