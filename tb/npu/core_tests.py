"""The NPU core on a workload: operands by back door, commands by its queue, results and counters back.

The core owns the loop: Python sleeps between the last command and the end of the batch.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import cocotb
import numpy as np
from amaranth.lib import wiring
from cocotb.triggers import ValueChange
from cocotb.types import LogicArray

from hw import chips
from hw.rtl.npu.core_top import CoreTop
from hw.rtl.npu.signature import command_layout, counter_names
from hw.spec.chip import Chip
from hw.spec.command import (
    COMMAND_FIELDS,
    OPCODE_CONFIG,
    OPCODE_CONV,
    OPCODE_COPY,
    OPCODE_FENCE,
    OPCODE_GEMM,
    REFUSALS,
)
from hw.spec.core import CoreSpec
from hw.spec.npu_event import EVENTS, LABELS, VALUE_EVENTS
from hw.spec.number import OPERAND_CODES
from model import workloads
from model.count import Counts
from model.cycle.npu.core import closed_form
from model.cycle.npu.predict import shape_of
from model.functional.value_counts import job_counts
from model.lowering import lower
from model.lowering.schedule import Step, schedule
from model.reference import npu as reference
from model.work.workload import GemmJob
from tb.bench.bench import Bench, bench_test
from tb.bench.scoreboard import first_mismatch
from tb.bench.stream import StreamDriver
from tb.npu.check import check as check

MEASURES = True
MACHINE = CoreSpec
NAMES = {
    "opcode": {
        OPCODE_GEMM: "GEMM",
        OPCODE_CONV: "CONV",
        OPCODE_COPY: "COPY",
        OPCODE_CONFIG: "CONFIG",
        OPCODE_FENCE: "FENCE",
    },
    "activation_format": {0: "not said", **{code: name for name, code in OPERAND_CODES.items()}},
    "weight_format": {0: "not said", **{code: name for name, code in OPERAND_CODES.items()}},
    "error": {0: "none", **REFUSALS},
}
"""Texts for values in waveforms, by the last part of a signal's name."""
PROGRAMS = "network"
"""The bench that runs workloads that are programs."""

SPEED = "tb.npu.speed"
PUBLIC = (
    "core.activation_memory.memory.ram_words",
    "core.weight_memory.memory.ram_words",
    "core.drain.parameter_memory.ram_words",
    "output_memory.ram_words",
)

COMPONENTS = {
    "core.dataflow.array": "mac_array",
    "core.activation_memory": "activation_memory",
    "core.weight_memory": "weight_memory",
    "core.accumulator": "accumulator",
    "core.drain": "output_stage",
    "output_memory": "output_memory",
    "core.queue": "command",
    "core.dataflow.sequencer": "command",
    "core": "control",
    "core.counters": "counters",
}
"""Instance below the top's `dut` -> component its toggles belong to; the longest match decides."""


def top(chip: Chip) -> wiring.Component:
    """The core of `chip` with its output memory."""
    return CoreTop(_core(chip))


def _core(chip: Chip) -> CoreSpec:
    return chips.machine(chip, CoreSpec, "the core bench")


class CoreBench:
    """The core's side of a test: memories, commands, counters."""

    def __init__(self, bench: Bench, core: CoreSpec) -> None:
        self.bench = bench
        self.core = core
        dut = bench.dut.dut
        self.activation_memory = dut.core.activation_memory.memory.ram_words
        self.weight_memory = dut.core.weight_memory.memory.ram_words
        self.parameter_memory = dut.core.drain.parameter_memory.ram_words
        self.output_memory = dut.output_memory.ram_words
        self.completed = bench.dut.status__completed
        self.idle = bench.dut.status__idle
        self.commands = StreamDriver(bench, "i_command", command_layout())

    def store(self, memory: Any, address: int, words: list[int]) -> None:
        """Write `words` from `address` on, in no simulated time."""
        width = len(memory[0])
        for offset, word in enumerate(words):
            memory[address + offset].value = LogicArray.from_unsigned(word, width)

    def preload(self, step: Step, job: GemmJob, activations: np.ndarray) -> None:
        """Put the operands of one command where it expects them."""
        tile, command = step.tile, step.tile.command
        rows = lower.activation_words(self.core, activations[tile.m0 : tile.m1])
        weights = lower.weight_words(self.core, job.weights[:, tile.n0 : tile.n1])
        parameters = lower.parameter_words(self.core, lower.part(job.output, tile.n0, tile.n1))
        array = self.core.array
        self.store(self.activation_memory, command.activation_address, lower.integers(rows, array.activation_lane_bits))
        self.store(self.weight_memory, command.weight_address, lower.integers(weights, array.weight_lane_bits))
        self.store(self.parameter_memory, command.parameter_address, parameters)

    def result(self, step: Step) -> np.ndarray:
        """The output of one command, (m, n)."""
        command, columns = step.tile.command, self.core.array.columns
        first = command.output_address
        words = [
            self.output_memory[address].value.to_unsigned()
            for address in range(first, first + command.n_blocks * command.m)
        ]
        return lower.output_matrix(
            self.core, lower.lanes_of(words, columns, lower.output_type(self.core)), step.tile.m, step.tile.n
        )

    async def run(self, steps: list[Step]) -> list[int]:
        """Queue the commands of one batch and wait until the core is idle; busy cycles at each completion."""
        base = int(self.completed.value)
        done: list[int] = []
        watcher = cocotb.start_soon(self._watch(base + len(steps), done))
        await self.commands.send(*({name: getattr(s.tile.command, name) for name in COMMAND_FIELDS} for s in steps))
        await watcher
        await self.bench.until(self.idle)
        await self.bench.cycles(2)  # the last counters
        return done

    async def _watch(self, last: int, done: list[int]) -> None:
        change = ValueChange(self.completed)
        while int(self.completed.value) < last:
            await change
            done.append(self.bench.cycle)

    def counters(self) -> dict[str, int]:
        """All counters by the label or event they count."""
        return {
            meaning: int(getattr(self.bench.dut, f"counters__{port}").value)
            for port, meaning in counter_names().items()
        }


@bench_test(timeout_cycles=2_000_000_000)
async def every_output_element_is_the_reference(bench: Bench) -> None:
    chip = chips.load(bench.parameters["chip"])
    workload = workloads.load(bench.parameters["workload"])
    core = _core(chip)
    unit = CoreBench(bench, core)
    jobs = workload.jobs(bench.seed)
    lower.check_formats(core, jobs)
    expected = reference.run(jobs, core)
    batches = schedule(
        core,
        [job.gemm for job in jobs],
        queued=getattr(workload, "queued", False),
        sources=[job.source for job in jobs],
    )

    outputs = [np.zeros((job.gemm.m, job.gemm.n), lower.output_type(core)) for job in jobs]
    layer_cycles = [0] * len(jobs)
    busy = 0
    for batch in batches:
        for step in batch:
            unit.preload(step, jobs[step.gemm], reference.activations_of(jobs[step.gemm], outputs))
        done = await unit.run(batch)
        ends = [done[-1] - time for time in done]  # cycles before the end of the batch
        total = unit.counters()["busy"]
        previous = busy
        for step, before in zip(batch, ends, strict=True):
            layer_cycles[step.gemm] += total - before - previous
            previous = total - before
            tile = step.tile
            outputs[step.gemm][tile.m0 : tile.m1, tile.n0 : tile.n1] = unit.result(step)
        busy = total

    counts = unit.counters()
    macs = sum(job.gemm.macs for job in jobs)
    bench.report(
        cycles=busy,
        phases={label: counts[label] for label in LABELS},
        counts={event: counts[event] for event in EVENTS},
        figures={"macs": macs, "commands": sum(map(len, batches)), "batches": len(batches), **workload.score(outputs)},
        layers=[
            {
                "name": job.gemm.name,
                "cycles": cycles,
                "macs": job.gemm.macs,
                "m": job.gemm.m,
                "n": job.gemm.n,
                "k": job.gemm.k,
            }
            for job, cycles in zip(jobs, layer_cycles, strict=True)
        ],
        simulated_cycles=bench.cycle,
    )
    assert sum(counts[label] for label in LABELS) == busy, "every busy cycle has exactly one label"
    assert min(layer_cycles) > 0, f"every layer takes cycles of its own, these take {layer_cycles}"
    for index, (job, want, got) in enumerate(zip(jobs, expected, outputs, strict=True)):
        mismatch = first_mismatch(job.gemm.name, want, got)
        if mismatch is not None:
            batch = next(
                batch for batch in batches for step in batch if _holds(step, index, mismatch.row, mismatch.column)
            )
            time = await _time_of(unit, batch, jobs, outputs, index, mismatch.row, mismatch.column)
            raise AssertionError(f"{replace(mismatch, time_ns=time)}; {_suspect(core, batches, counts, busy)}")
    found, wanted = {event: counts[event] for event in VALUE_EVENTS}, dict(job_counts(core, jobs, batches, expected))
    assert found == wanted, f"values counted {found}, must be {wanted}"


def _suspect(core: CoreSpec, batches: list[list[Step]], counts: Mapping[str, int], busy: int) -> str:
    """Where wrong values come from, as far as cycles and the events that no operand decides tell."""
    cycles, wanted = 0, Counts()
    for batch in batches:
        timing = closed_form(core, [shape_of(core, step) for step in batch])
        cycles, wanted = cycles + timing.cycles, wanted + timing.counts
    wrong = [e for e in EVENTS if e not in VALUE_EVENTS and counts[e] != wanted.get(e, 0)]
    if wrong:
        event, times = wrong[0], wanted.get(wrong[0], 0)
        return f"look at {event.split('.')[0]} first: {event} was counted {counts[event]} times, not {times}"
    if busy != cycles:
        return f"it took {busy} cycles, not {cycles}, with all events right: look at the sequencer and the engines"
    return "cycles and events are the model's: look at the arithmetic, cells and output stage"


def _holds(step: Step, gemm: int, row: int, column: int) -> bool:
    tile = step.tile
    return step.gemm == gemm and tile.m0 <= row < tile.m1 and tile.n0 <= column < tile.n1


async def _time_of(
    unit: CoreBench, batch: list[Step], jobs: list[GemmJob], outputs: list[np.ndarray], gemm: int, row: int, column: int
) -> int:
    """When the output row with an element is written: the batch is run again and every written row is timed.

    The waveform of the same seed holds this second run too. Only a failed test pays for it.
    """
    position, holder = next((i, step) for i, step in enumerate(batch) if _holds(step, gemm, row, column))
    before = sum(step.tile.command.m * step.tile.command.n_blocks for step in batch[:position])
    command, local = holder.tile.command, row - holder.tile.m0
    block = local // unit.core.block_rows * unit.core.block_rows  # rows are written block of rows by block of columns
    height = min(unit.core.block_rows, command.m - block)
    block_column = (column - holder.tile.n0) // unit.core.array.columns
    order, array = local - block, unit.core.array
    if array.dataflow == "os" and array.drain == "columns":
        order = height - 1 - order  # the bottom row leaves first
    wanted = before + block * command.n_blocks + block_column * height + order
    await unit.bench.reset()
    for step in batch:
        unit.preload(step, jobs[step.gemm], reference.activations_of(jobs[step.gemm], outputs))
    times: list[int] = []
    written = unit.bench.dut.counters__event_output_memory_write

    async def watch() -> None:
        change = ValueChange(written)
        while True:
            await change
            times.append(unit.bench.cycle)

    watcher = cocotb.start_soon(watch())
    await unit.run(batch)
    watcher.cancel()
    return times[wanted] if wanted < len(times) else -1
