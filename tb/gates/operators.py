"""Arithmetic blocks beside Horowitz's figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hw.gates import timing
from hw.gates.block import Block
from hw.gates.blocks import Adder, Multiplier
from hw.gates.library import Process, Wire
from hw.gates.power import Coefficients
from hw.rtl.arithmetic.fp_add import FpAdd
from hw.rtl.arithmetic.fp_mul import FpMul

HOROWITZ_PJ = {"8-bit multiply": 0.2, "8-bit add": 0.03, "32-bit add": 0.1, "FP16 multiply": 1.1, "FP16 add": 0.4}
"""M. Horowitz, Computing's energy problem, ISSCC 2014: 45 nm, 0.9 V."""


RATES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
"""Parts of the cycles in which an operand bit moves; one half is random operands."""
MODEST = 0.2
"""A usual rate of operands that are not random; Horowitz does not give his."""
VOLTS = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One arithmetic block beside its published figure, pJ per operation.

    `random_pj`: random operands every cycle, glitches, operand nets and wires, at the library's voltage. From there to
    the published figure go four causes, each as a factor: `glitch`, `voltage`, `activity` (random operands over
    `MODEST`) and `wires` (wires and operand nets, which belong to what drives the block). `bare_pj`: by toggle rate,
    none of the four.

    Parameters
    ----------
    name : str
        A key of `HOROWITZ_PJ`.
    area_um2 : float
        Sum of the cell areas, um2.
    critical_ns : float
        Longest path from input to output, wires included, ns.
    published_pj : float
        Horowitz's energy of one operation, pJ.
    """

    name: str
    area_um2: float
    critical_ns: float
    random_pj: float
    glitch: float
    voltage: float
    activity: float
    wires: float
    bare_pj: tuple[float, ...]
    published_pj: float

    @property
    def implied_rate(self) -> float:
        """The toggle rate at which the bare block costs what was published."""
        return float(np.interp(self.published_pj, self.bare_pj, RATES))

    def at(self, rate: float) -> float:
        """pJ of the bare block at a toggle rate."""
        return float(np.interp(rate, RATES, self.bare_pj))


def common_rate(found: Sequence[Operator]) -> float:
    """The median of the rates the published figures imply: one rate for all of them."""
    return float(np.median([o.implied_rate for o in found]))


def operators(process: Process, build: Path, seed: int) -> list[Operator]:
    """The five arithmetic blocks of Horowitz's table."""
    made = {
        "8-bit add": lambda: Adder(8),
        "32-bit add": lambda: Adder(32),
        "8-bit multiply": lambda: Multiplier(8),
        "FP16 multiply": lambda: FpMul("fp16", latency=0),
        "FP16 add": lambda: FpAdd("fp16", latency=0),
    }
    found = []
    for name, make in made.items():
        block = Block(make(), name.replace(" ", "_").lower(), process, build)
        no_wires = timing.analyse(block.netlist, Wire(base_ff=0.0, per_fanout_ff=0.0), process.input_slew_ns)
        bare = Coefficients(block.netlist, process, no_wires, inputs=False)
        rng = np.random.default_rng(seed)
        random = {port: rng.integers(0, 1 << len(bits), (400, 64)) for port, bits in block.netlist.inputs.items()}
        energy, glitches = block.measure(random, build)
        square = (VOLTS / process.library.voltage_v) ** 2
        moved = [block.simulator.run(_moving(block, rate, seed), 20)[0] for rate in RATES]
        bare_pj = [bare.energy(activity).dynamic_fj * square / 1000 for activity in moved]
        modest = block.coefficients.energy(moved[RATES.index(MODEST)]).dynamic_fj
        found.append(
            Operator(
                name=name,
                area_um2=block.netlist.area_um2,
                critical_ns=block.timing.critical_ns,
                random_pj=energy.dynamic_fj * glitches.mean / 1000,
                glitch=glitches.mean,
                voltage=1 / square,
                activity=energy.dynamic_fj / modest,
                wires=modest * square / 1000 / bare_pj[RATES.index(MODEST)],
                bare_pj=tuple(bare_pj),
                published_pj=HOROWITZ_PJ[name],
            )
        )
    return found


def text(found: Sequence[Operator]) -> str:
    """The table: random operands, the causes that lie between, the bare block, the published figure."""
    rate = common_rate(found)
    lines = [
        f"{'operator, pJ':16}{'um2':>6}{'ns':>6}{'random':>8}{'glitch':>8}{'volt':>6}{'active':>8}{'wires':>7}"
        f"{f'bare {MODEST:.0%}':>10}{'Horowitz':>10}{'ratio':>7}{'implied':>9}{f'at {rate:.0%}':>8}{'ratio':>7}"
    ]
    for o in found:
        bare = o.at(MODEST)
        lines.append(
            f"{o.name:16}{o.area_um2:6.0f}{o.critical_ns:6.2f}{o.random_pj:8.3f}{f'/{o.glitch:.2f}':>8}"
            f"{f'/{o.voltage:.2f}':>6}{f'/{o.activity:.2f}':>8}{f'/{o.wires:.2f}':>7}{bare:10.3f}{o.published_pj:10.2f}"
            f"{bare / o.published_pj:7.2f}{o.implied_rate:9.1%}{o.at(rate):8.3f}{o.at(rate) / o.published_pj:7.2f}"
        )
    ratios = [o.at(MODEST) / o.published_pj for o in found]
    lines += [
        f"bare at {MODEST:.0%}: {min(ratios):.2f} to {max(ratios):.2f} times what was published",
        f"random: every operand new each cycle (half of the bits move), glitches, wires, 1.0 V; divided by the "
        f"causes\nthat Horowitz's figures do not hold: glitches, {VOLTS} V, {MODEST:.0%} of the operand bits "
        "moving, operand nets and wires.\nimplied: the rate at which the bare block costs what was published; "
        "then all five at the median of these rates",
    ]
    return "\n".join(lines)


def _moving(block: Block, rate: float, seed: int) -> dict[str, np.ndarray]:
    """Operands of which every bit moves in a part `rate` of the cycles."""
    rng = np.random.default_rng(seed)
    streams = {}
    for port, bits in block.netlist.inputs.items():
        flips = (rng.random((200, 64, len(bits))) < rate).astype(np.int64) << np.arange(len(bits))
        streams[port] = np.bitwise_xor.accumulate(flips.sum(axis=2), axis=0)
    return streams
