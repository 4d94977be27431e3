"""Arithmetic and bank control of the DRAM PIM devices at the gates: area, clock, energy of an operation."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hw import chips
from hw.gates.activity import Streams
from hw.gates.block import Block
from hw.gates.library import Process
from hw.rtl.arithmetic.fp_add import FpAdd
from hw.rtl.arithmetic.fp_mul import FpMul
from hw.rtl.dram_pim.hbm_pim.sequencer import PimSequencer
from hw.spec.pim import PimSpec
from tb.gates.core import with_reset
from tb.gates.pim_device import bank_control

_CYCLES, _LANES = 120, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One block: gates, highest clock, and what an operation costs with glitches and clock.

    Parameters
    ----------
    name : str
        Device and block, for people.
    cells : int
        Library cells, flip-flops among them.
    area_um2 : float
        Sum of their areas, um2.
    clock_ghz : float
        Highest clock the critical path allows, GHz.
    operation : str
        What one cycle of the operands holds: an arithmetic operation, or a cycle in which one in four does something.
    operation_pj : float
        pJ of one such cycle, glitches and clock included, leakage not.
    glitch : float
        Energy with gate delays over energy without, the mean; applied to all but the clock.
    """

    name: str
    cells: int
    area_um2: float
    clock_ghz: float
    operation: str
    operation_pj: float
    glitch: float


def spec_of(chip: str) -> PimSpec:
    """The PIM device of a chip; raises `InputError` if it has none."""
    return chips.machine(chips.load(chip), PimSpec, "a PIM unit at the gates")


def units(process: Process, build: Path, seed: int) -> Iterator[Unit]:
    """FP16 multiplier and adder (16 of each in an HBM-PIM unit), instruction memory and sequencer of its channel,
    and the timing check of every bank of one channel of both devices."""
    rng = np.random.default_rng(seed)
    spec = spec_of("hbm_pim")
    for name, made in (("FP16 multiply", FpMul(spec.number, latency=0)), ("FP16 add", FpAdd(spec.number, latency=0))):
        block = Block(made, name.replace(" ", "_").lower(), process, build)
        yield measured(block, f"HBM-PIM {name}", name, _random(block, rng))
    sequencer = Block(PimSequencer(spec), "pim_sequencer", process, build)
    yield measured(sequencer, "HBM-PIM sequencer, CRF", "cycle, 1 in 4 triggers", _program(spec))
    for label, device in (("HBM-PIM", spec), ("AiM", spec_of("aim"))):
        block = Block(bank_control(device), f"bank_timing_{label.lower()}", process, build)
        yield measured(block, f"{label} bank control", "cycle, 1 in 4 issued", _random(block, rng))


def measured(block: Block, name: str, operation: str, streams: Streams) -> Unit:
    """A block on streams of operands, one operation a cycle."""
    energy, glitches = block.measure(with_reset(block, streams), block.build)
    moving = energy.switching_fj + energy.internal_fj
    return Unit(
        name=name,
        cells=len(block.netlist.instances),
        area_um2=block.netlist.area_um2,
        clock_ghz=block.timing.clock_ghz,
        operation=operation,
        operation_pj=(moving * glitches.mean + energy.clock_fj) / 1000,
        glitch=glitches.mean,
    )


def _random(block: Block, rng: np.random.Generator) -> Streams:
    """Random bits at every data port; one command in four issued, to one bank."""

    def values(port: str, width: int) -> NDArray[np.int64]:
        if port == "i_issue":
            return (rng.random((_CYCLES, _LANES)) < 0.25).astype(np.int64)
        if port in ("i_banks", "i_groups"):
            return np.int64(1) << rng.integers(0, width, (_CYCLES, _LANES))
        return rng.integers(0, 2, (_CYCLES, _LANES, width))

    return {port: values(port, len(bits)) for port, bits in block.netlist.inputs.items() if port != "rst"}


def _program(spec: PimSpec) -> Streams:
    """A loop of eight aligned MACs and a JUMP, loaded in one column a cycle and then triggered every fourth cycle."""
    kinds, commands = spec.commands.operands, spec.commands
    mac = commands.encode(
        "MAC", {"destination": kinds["GRF_B"], "source_0": kinds["EVEN_BANK"], "source_1": kinds["GRF_A"], "aligned": 1}
    )
    words = [mac, commands.encode("JUMP", {"iterations": 7, "offset": 2})] * 4
    cycles = np.arange(_CYCLES)
    loads, data = np.zeros((_CYCLES, 1), np.int64), np.zeros((_CYCLES, 1, 32 * len(words)), np.int64)
    loads[0], data[0, 0] = 1, (np.array(words)[:, None] >> np.arange(32) & 1).reshape(-1)
    return {
        "i_write": loads,
        "i_entry": np.zeros_like(loads),
        "i_data": data,
        "i_start": (cycles == 1).astype(np.int64)[:, None],
        "i_trigger": ((cycles > 4) & (cycles % 4 == 0)).astype(np.int64)[:, None],
    }
