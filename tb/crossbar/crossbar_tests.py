"""A crossbar core on a workload: weights in its cells, commands by its queue, results and counters back.

Digital arrays are part of the design; analogue ones are seeded cells of the bench, ideal here, that answer each tile's
port.
"""

# pyright: reportAttributeAccessIssue=false
from typing import Any

import numpy as np
from amaranth.lib import wiring
from cocotb.types import LogicArray

from hw import chips
from hw.rtl.crossbar.signature import cell_layout, counter_names, layer_layout, stage_core
from hw.rtl.crossbar.top import top as machine_top
from hw.rtl.npu.signature import parameter_layout
from hw.spec.chip import Chip
from hw.spec.crossbar import CrossbarSpec
from hw.spec.crossbar_event import EVENTS, LABELS
from model import workloads
from model.functional import crossbar_score
from model.lowering.crossbar import (
    PlacedLayer,
    cell_words,
    input_words,
    output_matrix,
    output_stage,
    parameter_fields,
    place,
    tile_weights,
)
from model.reference.crossbar import cell_levels
from model.reference.npu import activations_of
from model.work.workload import GemmJob, Workload
from tb.bench.bench import Bench, bench_test
from tb.bench.scoreboard import first_mismatch
from tb.bench.stream import StreamDriver
from tb.crossbar.answer import Answerer
from tb.crossbar.cell_array import CellArray

MEASURES = True
MACHINE = CrossbarSpec

PUBLIC_IF_THERE = (
    "core.buffer.ram_words",
    "core.drain.parameter_memory.ram_words",
    "array_0.cells",
    "buffer.ram_words",
    "drain.parameter_memory.ram_words",
)
"""Memories reached by back door: of a core with arrays in RTL, and of one with ports."""

COMPONENTS = {
    "core.sequencer": "control", "core.tile": "digital", "core.drain": "output_stage", "core.buffer": "buffer",
    "core.programming": "control", "core.queue": "command", "core.loader": "buffer", "core": "control",
    "array": "array", "sequencer": "control", "tile": "digital", "drain": "output_stage", "buffer": "buffer",
}  # fmt: skip
"""Instance below the top's `dut` -> component its toggles belong to; the longest match decides."""


REGRESSION_CELLS = 1 << 14
"""Products of a core's tiles up to which a regression builds it; larger ones are run by name."""


def suits(machine: CrossbarSpec) -> bool:
    """Cores that are built in minutes."""
    return machine.tiles * machine.rows * machine.columns <= REGRESSION_CELLS


def top(chip: Chip) -> wiring.Component:
    """The core of `chip`."""
    return machine_top(_spec(chip))


def _spec(chip: Chip) -> CrossbarSpec:
    return chips.machine(chip, CrossbarSpec, "the crossbar bench")


def check(chip: Chip, workload: Workload, seed: int) -> None:
    """Raise `InputError` unless the core of `chip` can run `workload`."""
    spec, jobs = _spec(chip), workload.jobs(seed)
    crossbar_score.check(spec, jobs)
    place(spec, [job.gemm for job in jobs])


class CrossbarBench:
    """The core's side of a test: memories, cells, commands, counters."""

    def __init__(self, bench: Bench, spec: CrossbarSpec, *, switching: float = 1.0) -> None:
        """`switching`: chance that a programming pulse switches a cell of the bench."""
        self.bench, self.spec = bench, spec
        dut = bench.dut.dut
        self.core = dut.core if spec.array == "digital" else dut
        self.commands = StreamDriver(bench, "i_command", layer_layout())
        self.cells = StreamDriver(bench, "i_cell", cell_layout())
        for name in ("i__valid", "i_cell__valid", "i_buffer__enable", "i_parameter__enable", "o__ready"):
            getattr(bench.dut, name).value = 0
        self.arrays: list[list[CellArray]] = []
        if spec.array == "analogue":
            self.arrays = [
                [
                    CellArray(spec, seed=bench.seed + t * spec.arrays + a, switching=switching)
                    for a in range(spec.arrays)
                ]
                for t in range(spec.tiles)
            ]
            Answerer(bench, spec, self.arrays)

    def store(self, memory: Any, address: int, words: list[int]) -> None:
        """Write `words` from `address` on, in no simulated time."""
        width = len(memory[0])
        for offset, word in enumerate(words):
            memory[address + offset].value = LogicArray.from_unsigned(word, width)

    def write_cells(self, tile: int, array: int, weights: np.ndarray) -> None:
        """Weights (N, K) into the cells of an array of a tile, in no simulated time."""
        spec = self.spec
        levels = cell_levels(spec, weights)
        if self.arrays:
            self.arrays[tile][array].load(levels)
            return
        cells = getattr(self.bench.dut.dut, f"array_{tile}").cells
        self.store(cells, array * spec.steps, cell_words(spec, levels))

    async def program(self, tile: int, array: int, weights: np.ndarray) -> int:
        """Weights (N, K) into the cells of an array of a tile by the programming controller; how many cells."""
        levels = cell_levels(self.spec, weights)
        for (row, column), level in np.ndenumerate(levels):
            await self.cells.send({"tile": tile, "array": array, "row": row, "column": column, "level": int(level)})
        await self.bench.until(self.bench.dut.status__idle)
        return levels.size

    def place(self, layer: PlacedLayer, job: GemmJob) -> None:
        """Weights and parameters of a layer."""
        spec, first = self.spec, layer.commands[0]
        for offset, weights in enumerate(tile_weights(spec, job.weights)):
            self.write_cells(first.first_tile + offset, first.array, weights)
        self.place_parameters(layer, job)

    def place_parameters(self, layer: PlacedLayer, job: GemmJob) -> None:
        """Parameters of a layer, in no simulated time."""
        spec, first = self.spec, layer.commands[0]
        core = stage_core(spec)
        layout = parameter_layout(core)
        fields: list[Any] = parameter_fields(spec, output_stage(spec, job), core.array.columns)
        words = [layout.const(field).as_bits() for field in fields]
        self.store(self.core.drain.parameter_memory.ram_words, first.parameter_address, words)

    async def run(self, layer: PlacedLayer, inputs: np.ndarray) -> np.ndarray:
        """INT8 results (m, n) of a layer on `inputs` (m, k), batch by batch through the buffer."""
        spec, found, first = self.spec, [], 0
        for command in layer.commands:
            part = inputs[first : first + command.vectors]
            first += command.vectors
            self.store(self.core.buffer.ram_words, command.input_address, input_words(spec, part))
            await self.commands.send(command.fields)
            await self.bench.cycles(2)
            await self.bench.until(self.bench.dut.status__idle)
            await self.bench.cycles(2)
            count = command.vectors * command.output_stride
            words = [self.core.buffer.ram_words[command.output_address + i].value.to_unsigned() for i in range(count)]
            found.append(output_matrix(spec, words, command.vectors, layer.gemm.n))
        return np.concatenate(found)

    def counters(self) -> dict[str, int]:
        """All counters by the label or event they count."""
        return {
            meaning: int(getattr(self.bench.dut, f"counters__{port}").value)
            for port, meaning in counter_names().items()
        }


@bench_test(timeout_cycles=100_000_000)
async def every_output_element_is_the_reference(bench: Bench) -> None:
    chip = chips.load(bench.parameters["chip"])
    workload = workloads.load(bench.parameters["workload"])
    spec = _spec(chip)
    unit = CrossbarBench(bench, spec)
    jobs = workload.jobs(bench.seed)
    expected = crossbar_score.run(spec, jobs)
    placed = place(spec, [job.gemm for job in jobs])
    for layer, job in zip(placed, jobs, strict=True):
        unit.place(layer, job)
    outputs: list[np.ndarray] = []
    layer_cycles, before = [], 0
    for layer, job in zip(placed, jobs, strict=True):
        outputs.append(await unit.run(layer, activations_of(job, outputs)))
        total = unit.counters()["busy"]
        layer_cycles.append(total - before)
        before = total
    counts = unit.counters()
    bench.report(
        cycles=counts["busy"],
        phases={label: counts[label] for label in LABELS},
        counts={event: counts[event] for event in EVENTS},
        figures={
            "macs": sum(job.gemm.macs for job in jobs),
            "commands": sum(len(layer.commands) for layer in placed),
            **workload.score(outputs),
        },
        layers=[
            {"name": job.gemm.name, "cycles": cycles, "macs": job.gemm.macs, "m": job.gemm.m, "n": job.gemm.n,
             "k": job.gemm.k}
            for job, cycles in zip(jobs, layer_cycles, strict=True)
        ],
        simulated_cycles=bench.cycle,
    )  # fmt: skip
    assert sum(counts[label] for label in LABELS) == counts["busy"], "every busy cycle has exactly one label"
    assert not int(bench.dut.status__missed.value), "a code did not come when it was due"
    for job, want, got in zip(jobs, expected, outputs, strict=True):
        mismatch = first_mismatch(job.gemm.name, want, got)
        assert mismatch is None, str(mismatch)
    wanted = crossbar_score.events(spec, jobs, expected)
    found = {event: counts[event] for event in wanted}
    assert found == dict(wanted), f"operands' events counted {found}, must be {dict(wanted)}"
