"""NPU core, vector unit and DRAM-PIM channel in one: random programs, every cycle, label and word the model's.

Before some programs the one before runs once more and is reset on the way. Rows that no program has filled are what the
cells hold (`tb.dram_pim.held`).
"""

# pyright: reportAttributeAccessIssue=false

from collections import Counter
from itertools import product
from typing import Any

import numpy as np
from cocotb.types import LogicArray

from hw.spec.command import parameter_word_bits
from hw.spec.crossbar_event import VALUE_EVENTS as CROSSBAR_VALUE_EVENTS
from hw.spec.npu_event import LABELS, VALUE_EVENTS
from hw.spec.system import SystemSpec, wait_labels
from hw.spec.vector import VectorSpec
from model.cycle.crossbar.unit import CrossbarPort
from model.cycle.system.controller import Issued
from model.cycle.system.run import SystemRun, SystemTiming
from model.functional.npu import beats_of
from model.functional.system import SystemMemories
from model.functional.vector_unit import SystemVectorUnit
from model.lowering import lower
from model.work.workload import OutputStage
from tb.bench.bench import Bench, bench_test
from tb.dram_pim.held import Held
from tb.dram_pim.random import to_integer
from tb.system.controller_tests import random_words
from tb.system.devices import system
from tb.system.random_crossbars import RandomCrossbars
from tb.system.random_descriptors import ROWS_USED
from tb.system.random_programs import PARAMETER_START, RandomPrograms

DESCRIPTORS = 40
"""Descriptors of one program at least."""

WORD_BITS = 256


class SystemBench:
    """The top, reached by back door."""

    def __init__(self, bench: Bench, spec: SystemSpec) -> None:
        self.bench, self.spec, self.top = bench, spec, bench.dut
        self.dut: Any = bench.dut.dut
        self.columns = spec.pim.dram.organisation.columns
        self.shared = self.dut.core.external.memory
        # the first channel's name is that of a system with one
        channels = {unit: getattr(self.dut, unit.replace("memory", "channel")) for unit in spec.memory_units}
        self.banks = {
            unit: [getattr(channel.banks, f"bank_{b}").cells for b in range(spec.pim.dram.organisation.banks)]
            for unit, channel in channels.items()
        }

    def load(self, memories: SystemMemories, words: list[int]) -> None:
        """Program, shared memory and rows, in no simulated time."""
        size = len(self.dut.program[0].value)
        for i, word in enumerate(words):
            self.dut.program[i].value = LogicArray.from_unsigned(word, size)
        for i, word in enumerate(memories.shared):
            self.shared[i].value = LogicArray.from_unsigned(to_integer(word), WORD_BITS)
        for unit, contents in memories.channels.items():
            for (bank, row), cells in contents.device.rows.items():
                for column, word in enumerate(cells):
                    self.banks[unit][bank][row * self.columns + column].value = LogicArray.from_unsigned(
                        to_integer(word), WORD_BITS
                    )

    def load_crossbars(self, crossbars: RandomCrossbars) -> None:
        """Weights and exponents, in no simulated time."""
        unit = self.dut.crossbar
        for i, word in enumerate(crossbars.scale_words()):
            unit.scales[i].value = LogicArray.from_unsigned(word, len(unit.scales[0].value))
        for tile, first, words in crossbars.cells():
            cells = getattr(unit.core, f"array_{tile}").cells
            for offset, word in enumerate(words):
                cells[first + offset].value = LogicArray.from_unsigned(word, len(cells[0].value))

    async def start(self, cycles: int) -> None:
        """Reset, and run for so many cycles."""
        await self.reset()
        self.top.i_run.value = 1
        await self.bench.cycles(cycles)

    async def reset(self) -> None:
        """Two edges of reset; nothing runs then."""
        self.top.i_run.value = 0
        self.top.rst.value = 1
        await self.bench.edge
        await self.bench.edge
        self.top.rst.value = 0

    async def run(self, cycles: int) -> None:
        """Reset, and run for so many cycles; AssertionError unless the program is finished then and not before."""
        top = self.top
        await self.start(cycles + 1)
        assert not int(top.o_finished.value), f"the program ended before cycle {cycles}"
        await self.bench.edge
        assert int(top.o_finished.value), f"the program did not end in cycle {cycles}: {self.ended()}"

    def ended(self) -> dict[str, int]:
        """Unit -> descriptors ended."""
        return {unit: int(getattr(self.top, f"o_ended_{unit}").value) for unit in self.spec.units}

    def counts(self, prefix: str, names: tuple[str, ...]) -> dict[str, int]:
        """Counters of the top whose names are `prefix` and one of `names`."""
        return {name: int(getattr(self.top, prefix + name).value) for name in names}


def same_timing(where: str, bench: SystemBench, timing: SystemTiming) -> None:
    """Labels of router, controller and core, events of the core, refusals."""
    units = bench.spec.units
    for unit in units:
        waits = bench.counts(f"o_count_{unit}_", tuple(wait_labels(units)))
        assert waits == timing.waits[unit], f"{where}: {unit} {waits}, not {timing.waits[unit]}"
        assert sum(waits.values()) == timing.cycles, f"{where}: labels of {unit} sum to {sum(waits.values())}"
    for unit, want in timing.controllers.items():
        labels = bench.counts(f"o_count_{unit.replace('memory', 'controller')}_", tuple(want))
        assert labels == want, f"{where}: controller of {unit} {labels}, not {want}"
    core = bench.counts("core_counters__label_", tuple(LABELS))
    assert core == timing.core.budget, f"{where}: core {core}, not {timing.core.budget}"
    for event, count in timing.core.counts.items():
        if event not in VALUE_EVENTS:
            got = int(getattr(bench.top, f"core_counters__event_{event.replace('.', '_')}").value)
            assert got == count, f"{where}: {event} {got}, not {count}"
    for unit, codes in timing.codes.items():
        assert int(getattr(bench.top, f"o_refused_{unit}").value) == len(codes), f"{where}: refusals of {unit}"
        last = codes[-1] if codes else 0
        assert int(getattr(bench.top, f"o_code_{unit}").value) == last, f"{where}: code of {unit}, must be {last}"
    if timing.crossbar is not None:
        _same_crossbars(where, bench, timing.crossbar)
    assert int(bench.top.o_error.value) == 0, f"{where}: the channel refused a command"


def _same_crossbars(where: str, bench: SystemBench, port: CrossbarPort) -> None:
    """Labels and events of the crossbar unit and of its tiles, but those that operands decide."""
    for prefix, want in (
        ("o_label_count_crossbar_unit_", {name: n for name, n in port.labels.items() if name != "idle"}),
        ("o_count_crossbar_unit_", port.events),
        ("crossbar_counters__label_", port.core_labels),
    ):
        got = bench.counts(prefix, tuple(want))
        assert got == want, f"{where}: {prefix} {got}, not {want}"
    for event, count in port.core_events.items():
        if event not in CROSSBAR_VALUE_EVENTS:
            got = int(getattr(bench.top, f"crossbar_counters__event_{event.replace('.', '_')}").value)
            assert got == count, f"{where}: {event} {got}, not {count}"
    assert not int(bench.top.o_missed.value), f"{where}: a code did not come when it was due"


def same_memories(where: str, bench: SystemBench, memories: SystemMemories) -> None:
    """Shared memory and every row that was touched."""
    for i, word in enumerate(memories.shared):
        got = bench.shared[i].value.to_unsigned()
        assert got == to_integer(word), f"{where}: shared word {i} is {got:#x}, not {to_integer(word):#x}"
    for unit, contents in memories.channels.items():
        for (bank, row), words in contents.device.rows.items():
            for column, word in enumerate(words):
                got = bench.banks[unit][bank][row * bench.columns + column].value.to_unsigned()
                assert got == to_integer(word), f"{where}: {unit} bank {bank} row {row} column {column} is {got:#x}"


def fill_shared(memories: SystemMemories, programs: RandomPrograms) -> None:
    """Ordinary numbers in the shared memory, parameters of the output stage, small integers at pointers."""
    spec, rng = programs.spec, programs.rng
    memories.shared[:] = random_words(rng, memories.shared.shape, spec.pim)
    columns = spec.core.array.columns
    bias = rng.standard_normal(columns).astype(np.float32).view(np.int32)
    stage = OutputStage(
        bias=bias, multiplier=np.ones(columns, np.float32).view(np.int32), shift=np.zeros(columns, np.int32)
    )
    beats = beats_of(spec.core, lower.parameter_words(spec.core, stage), parameter_word_bits(spec.core)).view("<u2")
    memories.shared[PARAMETER_START : PARAMETER_START + len(beats)] = beats
    memories.shared[PARAMETER_START + len(beats) : programs.low, 0] = rng.integers(0, 9, programs.low - len(beats))


def fill(memories: SystemMemories, programs: RandomPrograms) -> None:
    """Ordinary numbers in the rows too."""
    spec, rng = programs.spec, programs.rng
    fill_shared(memories, programs)
    for contents, bank, row in product(
        memories.channels.values(), range(spec.pim.dram.organisation.banks), range(2 * ROWS_USED)
    ):
        words = random_words(rng, (spec.pim.dram.organisation.columns, spec.pim.lanes), spec.pim)
        contents.device.rows[bank, row] = words


@bench_test(timeout_cycles=1_000_000_000)
async def random_programs_take_the_cycles_and_leave_the_words_of_the_model(bench: Bench) -> None:
    spec, timing = system(bench.parameters["system"])
    top = SystemBench(bench, spec)
    vector = VectorSpec(memory_words=spec.shared_words)
    crossbars = None if spec.crossbar is None else RandomCrossbars(spec.crossbar_unit, bench.rng)
    programs = RandomPrograms(spec=spec, rng=bench.rng, vector=vector, crossbars=crossbars)
    totals: Counter[str] = Counter()
    together = 0
    refreshes: Counter[str] = Counter()
    after = ["idle"]
    resets, last, stops = np.random.default_rng(bench.seed), 0, 0

    def watch(issued: Issued) -> None:
        """Which phase each refresh falls into: what the command before it was for."""
        if issued.name == "REF":
            refreshes[after[0]] += 1
        elif issued.need is not None:
            after[0] = issued.need.label

    for number in range(int(bench.parameters["programs"])):
        where = f"program {number}"
        if number and resets.random() < 0.5:
            await top.start(int(resets.integers(1, last)))
            await top.reset()
            stops += 1
        program = programs.draw(DESCRIPTORS)
        memories = SystemMemories(spec, timing, SystemVectorUnit(vector), crossbars)
        for unit, contents in memories.channels.items():
            contents.device.rows = Held(spec.pim, top.banks[unit], bench.rng)
        fill(memories, programs)
        if crossbars is not None and number == 0:
            top.load_crossbars(crossbars)
        top.load(memories, program.pack())
        memories.run(program)
        after[0] = "idle"
        want = SystemRun(
            spec, timing, program, vector=SystemVectorUnit(vector), pointed=memories.replay(), watch=watch
        ).run()
        await top.run(want.cycles)
        same_timing(where, top, want)
        same_memories(where, top, memories)
        last = want.cycles
        for unit, waits in want.waits.items():
            totals.update({f"{unit}.{label}": cycles for label, cycles in waits.items()})
        totals.update({f"controller.{label}": cycles for label, cycles in want.controller.items()})
        totals.update({f"core.{label}": cycles for label, cycles in want.core.budget.items()})
        totals.update({f"full.{unit}": cycles for unit, cycles in want.full.items()})
        if want.crossbar is not None:
            totals.update({f"crossbar_unit.{event}": count for event, count in want.crossbar.events.items()})
        together += want.cycles
    bench.report(labels=dict(totals), cycles=together, refreshes=dict(refreshes), stops=stops)
