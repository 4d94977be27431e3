"""Energy of an NPU core at the gates: which blocks it has, their operand streams, and what each event costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hw import chips
from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.gates import streams as operands
from hw.gates import synthesis
from hw.gates.activity import Streams
from hw.gates.block import Block, Glitches
from hw.gates.blocks import Adder, Delay
from hw.gates.library import Process
from hw.gates.power import BlockEnergy
from hw.rtl.npu.cell import Cell
from hw.rtl.npu.output_stage import OutputStage
from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from model.reference import npu as reference
from model.work.workload import GemmJob, Workload
from tb.gates.capture import output_streams

LIBRARY_ERROR = 0.25
"""Of a total: no layout (wires, sizing, clock tree), and up to 18 % between tables and transistors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A block on one set of operands: pJ per cycle of one instance at `clock_ghz`, glitches included.

    `low_pj` and `high_pj` take the glitch factor at the ends of its spread.

    Parameters
    ----------
    block : str
        The component of the core, as "cells" or "requantise".
    instances : float
        How many of the block the core has; not always whole, as an output stage serves two columns.
    energy : BlockEnergy
        Of one instance per cycle, fJ, without glitches.
    glitches : Glitches
        Factor on switching and internal energy.
    """

    block: str
    instances: float
    energy: BlockEnergy
    glitches: Glitches
    clock_ghz: float
    duty: float = 1.0
    """Part of the cycles in which operands move; the clock runs in all."""

    def pj(self, factor: float | None = None) -> float:
        """pJ per cycle of one instance."""
        moving = self.energy.switching_fj + self.energy.internal_fj
        leakage = self.energy.leakage_nw * 1e-3 / self.clock_ghz
        glitch = self.glitches.mean if factor is None else factor
        return (moving * glitch * self.duty + self.energy.clock_fj + leakage) / 1000

    @property
    def low_pj(self) -> float:
        """At the lowest glitch factor seen."""
        return self.pj(self.glitches.low)

    @property
    def high_pj(self) -> float:
        """At the highest glitch factor seen."""
        return self.pj(self.glitches.high)


def core_of(chip: Chip) -> CoreSpec:
    """The chip's core, or `InputError` if it has none."""
    return chips.machine(chip, CoreSpec, "energy at the gates")


def operands_of(workload: Workload, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Activations and weights of every GEMM of the workload, in order."""
    jobs: list[GemmJob] = workload.jobs(seed)
    outputs = reference.run(jobs)
    return [(reference.activations_of(job, outputs), job.weights) for job in jobs]


def with_reset(block: Block, streams: Streams) -> Streams:
    """`streams` with every port the netlist has and the stream lacks (reset) held at zero."""
    shape = next(iter(streams.values())).shape
    return {port: streams.get(port, np.zeros(shape, np.int64)) for port in block.netlist.inputs}


def two_columns(core: CoreSpec) -> CoreSpec:
    """`core` with two columns, for an output stage of two: columns are alike."""
    return replace(core, array=replace(core.array, columns=2), dma=None, convolution=False)


def finished_sums(gemms: Sequence[tuple[np.ndarray, np.ndarray]]) -> Streams:
    """Streams of an output stage: sums of neighbouring columns, one usual set of parameters (multiplier 0.7, shift
    8)."""
    if all(w.shape[1] == 1 for _, w in gemms):
        raise InputError("a GEMM must have at least two columns for the output stage, none has; choose another one")
    rows = min(256, *(a.shape[0] for a, _ in gemms)) if len(gemms) > 1 else min(256, gemms[0][0].shape[0])
    sums = (
        np.concatenate(
            [
                a[:rows].astype(np.int64) @ w.astype(np.int64)[:, : w.shape[1] // 2 * 2]
                for a, w in gemms
                if w.shape[1] > 1
            ],
            axis=1,
        )[:, :64]
        & 0xFFFFFFFF
    )
    # few rows come again, so that a stream is longer than its warm-up
    rows, columns = max(rows, 64), sums.shape[1]
    sums = sums[np.arange(rows) % len(sums)]
    lanes = {"bias": 100, "multiplier": 0x5A82799A, "shift": 8}
    common = {"zero_point": 0, "low": -128, "high": 127}
    values = {name: np.full(rows, value & 0xFF) for name, value in common.items()}
    values |= {name: np.full((rows, columns), value) for name, value in lanes.items()}
    return output_streams({**values, "valid": np.ones(rows, np.int64), "sums": sums}, columns)


def measured(
    blocks: Sequence[tuple[str, Block, float]],
    streams: Mapping[str, Streams],
    build: Path,
    clock_ghz: float,
    duty: float,
) -> list[Measured]:
    """Every block (name, netlist, instances) on its streams, per cycle; `duty` is that of requantisation."""
    found = []
    for name, block, instances in blocks:
        energy, glitches = block.measure(with_reset(block, streams[name]), build)
        found.append(
            Measured(
                block=name,
                instances=instances,
                energy=energy,
                glitches=glitches,
                clock_ghz=clock_ghz,
                duty=duty if name == "requantise" else 1.0,
            )
        )
    return found


class Core:
    """The synthesised blocks of one integer weight-stationary core."""

    def __init__(
        self, core: CoreSpec, process: Process, build: Path, clock_ghz: float, recipe: str = synthesis.RECIPE
    ) -> None:
        self.spec, self.build, self.clock_ghz = core, build, clock_ghz
        array = core.array
        self.cell = Block(Cell(array), f"cell_{array.activation_format}", process, build, recipe)
        self.operand_delay = Block(Delay(8), "delay8", process, build, recipe)
        self.sum_delay = Block(Delay(array.partial_sum_bits), f"delay{array.partial_sum_bits}", process, build, recipe)
        self.accumulate = Block(Adder(32), "add32", process, build, recipe)
        self.output = Block(OutputStage(two_columns(core)), "output_stage_2", process, build, recipe)

    @property
    def blocks(self) -> tuple[tuple[str, Block, float], ...]:
        """(component, block, instances in the core)."""
        r, c = self.spec.array.rows, self.spec.array.columns
        return (
            ("cells", self.cell, r * c),
            ("operand skew", self.operand_delay, (r * (r - 1) + c * (c - 1)) / 2),
            ("sum skew", self.sum_delay, c * (c - 1) / 2),
            ("accumulate", self.accumulate, c),
            ("requantise", self.output, c / 2),
        )

    def measure(self, streams: Mapping[str, Streams], duty: float = 1.0) -> list[Measured]:
        """Every component on its streams, per cycle; `duty`: part of the cycles in which rows are requantised, for
        streams that hold those cycles only."""
        return measured(self.blocks, streams, self.build, self.clock_ghz, duty)

    def duty(self, gemms: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
        """Part of the streaming rows, those of the last block of K, that leave through the output stage."""
        array = self.spec.array
        rows = [
            (a.shape[0] * ceil_div(w.shape[1], array.columns), ceil_div(w.shape[0], array.k_per_block))
            for a, w in gemms
        ]
        return sum(m for m, _ in rows) / sum(m * k for m, k in rows)

    def synthetic(self, gemms: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict[str, Streams]:
        """Streams of every component for operands that no RTL run moved, rows back to back."""
        array = self.spec.array
        cell = operands.cell_streams(array, gemms)
        r, c = array.rows, array.columns
        bottom = [(r - 1) * c + k for k in range(c)]
        left = [k * c for k in range(r)]
        given = operands.lanes_of(cell, bottom)
        # What leaves the array is what enters the bottom cell plus its own product.
        sums = self._result(given)
        running = np.cumsum(sums, axis=0)
        streams: dict[str, Streams] = {
            "cells": cell,
            "operand skew": {"i": operands.lanes_of(cell, left)["i_activation"]},
            "sum skew": {"i": sums},
            "accumulate": {"a": np.roll(running, 1, axis=0) & 0xFFFF, "b": sums},
            "requantise": finished_sums(gemms),
        }
        return streams

    def _result(self, given: Streams) -> np.ndarray:
        _, outputs = self.cell.simulator.run(with_reset(self.cell, given))
        bits = self.spec.array.partial_sum_bits
        value = outputs["o_partial_sum"]
        return (value ^ (1 << (bits - 1))) - (1 << (bits - 1))
