"""Energy of an NPU core at the gates: which blocks it has, their operand streams, and what each event costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hw.gates import streams as operands
from hw.gates.activity import Streams
from hw.gates.block import Block, Glitches
from hw.gates.blocks import Adder, Delay, Multiplier
from hw.gates.library import Process
from hw.gates.power import BlockEnergy
from hw.rtl.cell import Cell
from hw.rtl.fp_add import FpAdd
from hw.rtl.fp_mul import FpMul
from hw.rtl.output_stage import OutputStage
from hw.rtl.signature import parameter_layout
from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from hw.spec.error import InputError
from hw.spec.mac_array import MacArraySpec
from model import reference
from model.workload import GemmJob, Workload

LIBRARY_ERROR = 0.25
"""Of a total: no layout (wires, sizing, clock tree), and up to 18 % between tables and transistors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A block on one set of operands: pJ per cycle of one instance at `clock_ghz`, glitches included.

    `low_pj` and `high_pj` take the glitch factor at the ends of its spread.
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


def core_of(chip: Chip, name: str) -> CoreSpec:
    """The chip's core, or `InputError` if it has none with integer cells."""
    if chip.core is None:
        raise InputError(f"energy at the gates needs a chip with a core that can be built, {name} has none; try npu_16")
    if chip.core.array.is_floating_point or chip.core.array.dataflow != "ws":
        raise InputError(f"energy at the gates covers integer weight-stationary cores, not that of {name}; try npu_16")
    return chip.core


def operands_of(workload: Workload, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Activations and weights of every GEMM of the workload, in order."""
    jobs: list[GemmJob] = workload.jobs(seed)
    outputs = reference.run(jobs)
    return [(reference.activations_of(job, outputs), job.weights) for job in jobs]


def with_reset(block: Block, streams: Streams) -> Streams:
    """`streams` with every port the netlist has and the stream lacks (reset) held at zero."""
    shape = next(iter(streams.values())).shape
    return {port: streams.get(port, np.zeros(shape, np.int64)) for port in block.netlist.inputs}


class Core:
    """The synthesised blocks of one INT8 core."""

    def __init__(self, core: CoreSpec, process: Process, build: Path, clock_ghz: float) -> None:
        self.spec, self.build, self.clock_ghz = core, build, clock_ghz
        array = core.array
        narrow = MacArraySpec(rows=array.rows, columns=2, activation_format=array.activation_format,
                              weight_format=array.weight_format, mac_latency=array.mac_latency)
        lanes = CoreSpec(array=narrow, activation_words=core.activation_words, weight_words=core.weight_words,
                         accumulator_rows=core.accumulator_rows, output_words=core.output_words,
                         rounding_mode=core.rounding_mode)
        self.output_spec = lanes
        self.cell = Block(Cell(array), f"cell_{array.activation_format}", process, build)
        self.operand_delay = Block(Delay(8), "delay8", process, build)
        self.sum_delay = Block(Delay(array.partial_sum_bits), f"delay{array.partial_sum_bits}", process, build)
        self.accumulate = Block(Adder(32), "add32", process, build)
        self.output = Block(OutputStage(lanes), "output_stage_2", process, build)

    @property
    def blocks(self) -> tuple[tuple[str, Block, float], ...]:
        """(component, block, instances in the core)."""
        r, c = self.spec.array.rows, self.spec.array.columns
        return (("cells", self.cell, r * c),
                ("operand skew", self.operand_delay, (r * (r - 1) + c * (c - 1)) / 2),
                ("sum skew", self.sum_delay, c * (c - 1) / 2), ("accumulate", self.accumulate, c),
                ("requantise", self.output, c / 2))

    def measure(self, gemms: Sequence[tuple[np.ndarray, np.ndarray]]) -> list[Measured]:
        """Every component on the operands of `gemms`, per cycle in which one activation row streams."""
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
            "cells": cell, "operand skew": {"i": operands.lanes_of(cell, left)["i_activation"]},
            "sum skew": {"i": sums}, "accumulate": {"a": np.roll(running, 1, axis=0) & 0xFFFF, "b": sums},
            "requantise": self._output_streams(gemms),
        }
        found = []
        # Of the rows that stream, those of the last block of K leave through the output stage.
        rows = [(a.shape[0] * -(-w.shape[1] // c), -(-w.shape[0] // r)) for a, w in gemms]
        duty = sum(m for m, _ in rows) / sum(m * k for m, k in rows)
        for name, block, instances in self.blocks:
            energy, glitches = block.measure(with_reset(block, streams[name]), self.build)
            found.append(Measured(block=name, instances=instances, energy=energy, glitches=glitches,
                                  clock_ghz=self.clock_ghz, duty=duty if name == "requantise" else 1.0))
        return found

    def _result(self, given: Streams) -> np.ndarray:
        _, outputs = self.cell.simulator.run(with_reset(self.cell, given))
        bits = self.spec.array.partial_sum_bits
        value = outputs["o_partial_sum"]
        return (value ^ (1 << (bits - 1))) - (1 << (bits - 1))

    def _output_streams(self, gemms: Sequence[tuple[np.ndarray, np.ndarray]]) -> Streams:
        """Finished sums of neighbouring columns, and one usual set of parameters (multiplier 0.7, shift 8)."""
        rows = min(256, *(a.shape[0] for a, _ in gemms)) if len(gemms) > 1 else min(256, gemms[0][0].shape[0])
        sums = np.concatenate([a[:rows].astype(np.int64) @ w.astype(np.int64)[:, : w.shape[1] // 2 * 2]
                               for a, w in gemms if w.shape[1] > 1], axis=1)[:, :64] & 0xFFFFFFFF
        pairs = sums.reshape(rows, -1, 2)
        bits = (pairs[..., None] >> np.arange(32)) & 1
        layout = parameter_layout(self.output_spec)
        lane = {"bias": 100, "multiplier": 0x5A82799A, "shift": 8}
        constant = layout.const({"zero_point": 0, "low": -128, "high": 127, "lanes": [lane, lane]}).as_bits()
        width = len(self.output.netlist.inputs["i_parameters"])
        parameters = (constant >> np.arange(width).astype(object)) & 1
        shape = pairs.shape[:2]
        return {"i_valid": np.ones(shape, np.int64), "i_sums": bits.reshape(*shape, 64),
                "i_parameters": np.broadcast_to(parameters.astype(np.int64), (*shape, width))}


def events(core: Core, gemms: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[dict[str, float], float]:
    """fJ of a cell's events {"mac", "weight_load", "idle"} without glitches, and the relative error on other streams.

    Fitted on the first half of the activation rows in several arrangements (short and long tiles, idle gaps); the
    error is the worst over the same arrangements of the second half.
    """
    array = core.spec.array

    def arrangements(half: int) -> tuple[list[list[float]], list[float]]:
        rows, totals = [], []
        r = array.rows
        for length, idle in ((r, 0), (4 * r, 0), (r, 2 * r), (8 * r, r)):
            parts = []
            for activations, weights in gemms:
                middle = activations.shape[0] // 2
                a = activations[:middle] if half == 0 else activations[middle:]
                starts = range(0, a.shape[0], length)
                parts += [(a[s : s + length], weights) for s in list(starts)[:6]]
            streams = operands.cell_streams(array, parts, idle=idle)
            energy = core.cell.energy(with_reset(core.cell, streams), 1)
            cycles = streams["i_load"].shape[0] - 1
            loads = float(streams["i_load"][1:].sum()) / streams["i_load"].shape[1]
            tiles = float(streams["i_swap"][:, 0].sum())
            macs = sum(a.shape[0] * -(-w.shape[0] // array.rows) * -(-w.shape[1] // array.columns) for a, w in parts)
            rows.append([macs, loads, cycles - macs])
            totals.append(energy.dynamic_fj * cycles)
            assert tiles > 0
        return rows, totals

    matrix, totals = arrangements(0)
    weights = 1 / np.array(totals)
    solution = np.linalg.lstsq(np.array(matrix) * weights[:, None], np.ones(len(totals)), rcond=None)[0]
    matrix, totals = arrangements(1)
    error = np.abs(np.array(matrix) @ solution / np.array(totals) - 1).max()
    return dict(zip(("mac", "weight_load", "idle"), (float(x) for x in solution), strict=True)), float(error)


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
