"""Arithmetic blocks beside Horowitz's figures."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One arithmetic block beside its published figure, pJ per operation.

    `random_pj`: random operands every cycle with glitches at the library's voltage; `modest_pj`: each operand bit
    moving in one cycle of five, no glitches, at 0.9 V, which is what the published figures correspond to.
    """

    name: str
    area_um2: float
    critical_ns: float
    random_pj: float
    glitch: float
    modest_pj: float
    published_pj: float


def operators(process: Process, build: Path, seed: int) -> list[Operator]:
    """The five arithmetic blocks of Horowitz's table."""
    made = {"8-bit add": lambda: Adder(8), "32-bit add": lambda: Adder(32), "8-bit multiply": lambda: Multiplier(8),
            "FP16 multiply": lambda: FpMul("fp16", latency=0), "FP16 add": lambda: FpAdd("fp16", latency=0)}
    found = []
    for name, make in made.items():
        block = Block(make(), name.replace(" ", "_").lower(), process, build)
        rng = np.random.default_rng(seed)
        random, modest = {}, {}
        for port, bits in block.netlist.inputs.items():
            random[port] = rng.integers(0, 1 << len(bits), (400, 64))
            flips = (rng.random((400, 64, len(bits))) < 0.2).astype(np.int64) << np.arange(len(bits))
            modest[port] = np.bitwise_xor.accumulate(flips.sum(axis=2), axis=0)
        energy, glitches = block.measure(random, build)
        low = block.energy(modest, 20)
        square = (0.9 / process.library.voltage_v) ** 2
        found.append(Operator(
            name=name, area_um2=block.netlist.area_um2, critical_ns=block.timing.critical_ns,
            random_pj=energy.dynamic_fj * glitches.mean / 1000, glitch=glitches.mean,
            modest_pj=low.dynamic_fj * square / 1000, published_pj=HOROWITZ_PJ[name]))
    return found
