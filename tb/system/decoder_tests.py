"""A language model on NPU core, vector unit, channel and crossbars if any: text, with every tensor compared."""

# pyright: reportAttributeAccessIssue=false

import functools
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from cocotb.triggers import ValueChange
from cocotb.types import LogicArray

from hw import chips
from hw.rtl.system.top import SystemTop
from hw.rtl.system.top import top as machine_top
from hw.spec.chip import Chip
from hw.spec.crossbar_event import EVENTS as CROSSBAR_EVENTS
from hw.spec.crossbar_event import LABELS as CROSSBAR_LABELS
from hw.spec.crossbar_unit import UNIT_EVENTS, UNIT_LABELS
from hw.spec.npu_event import EVENTS as CORE_EVENTS
from hw.spec.npu_event import LABELS as CORE_LABELS
from hw.spec.system import MOST_CHANNELS, SystemSpec, memory_units, wait_labels
from hw.spec.vector_micro import EVENTS as VECTOR_EVENTS
from model import workloads
from model.cycle.system.pim_share import lowered_of, share_of
from model.cycle.system.predict import counts_of, decoder_of
from model.functional.decoding import Difference, ReferenceRun, differences
from model.language.run_record import all_channels
from model.lowering.crossbar import cell_words
from model.lowering.decoder.lowered import Lowered
from model.reference.crossbar import cell_levels
from model.work.workload import Workload
from tb.bench.bench import Bench, bench_test
from tb.bench.build import Built
from tb.bench.measure import Case
from tb.bench.run import Outcome
from tb.crossbar.answer import Answerer
from tb.crossbar.cell_array import CellArray
from tb.system.image import image

MEASURES = True
MACHINE = SystemSpec
TIMEOUT_S = 3600
SPEED = "tb.system.speed"

PUBLIC = ("program",)
PUBLIC_IF_THERE = (
    *(
        f"{unit.replace('memory', 'channel')}.banks.bank_{bank}.cells"
        for unit in memory_units(MOST_CHANNELS)
        for bank in range(64)
    ),
    "crossbar.scales",
    *(f"crossbar.core.array_{tile}.cells" for tile in range(64)),
)
"""Memories below the top that are loaded by back door."""

WATCHED = ("core.external.memory",)
"""The shared memory, only read: a simulator works out twice a cycle what hangs on a memory that a bench may write."""


def top(chip: Chip) -> SystemTop:
    """The system of `chip`."""
    return machine_top(chips.machine(chip, SystemSpec, "the decoder bench"))


def check(chip: Chip, workload: Workload, seed: int) -> None:
    """Raise `InputError` unless the system of `chip` can run `workload`."""
    spec = chips.machine(chip, SystemSpec, "the decoder bench")
    lowered_of(spec, decoder_of(workload))


def beside(chip: Chip, workload: str) -> list[str]:
    """What is run beside a workload, to be compared with it: the same without the channel, unless a share was
    asked for."""
    asked = decoder_of(workloads.load(workload))
    off = share_of(chips.machine(chip, SystemSpec, "the decoder bench"), asked) == "off"
    return [] if asked.pim or off else [workloads.variant(workload, "pim=off")]


def recorded(workload: str) -> str:
    """What waveforms are of: the first tokens, unless so many were asked for."""
    return workload if workloads.VARIANT in workload else workloads.variant(workload, "tokens=2", "prompt=4")


def save_file(case: Case, built: Built, outcome: Outcome) -> Path | None:
    """The save file of waveforms, with tokens and layers as markers."""
    from tb.system.decode import save_file

    return save_file(case, built, outcome)


def finish(case: Case, built: Built, outcome: Outcome) -> Path | None:
    """Write what is recorded of a language run beside the measurement; the file."""
    from tb.system.decode import write_run

    return write_run(case, built, outcome)


class DecoderBench:
    """The top, loaded by back door, then only watched."""

    def __init__(self, bench: Bench, lowered: Lowered) -> None:
        self.bench, self.lowered, self.top = bench, lowered, bench.dut
        self.dut = bench.dut.dut
        self.shared = self.dut.core.external.memory

    def load(self) -> None:
        """Program, weights and prompt, in no simulated time."""
        held: dict[str, tuple[Any, int]] = {}
        for path, address, word in image(self.lowered, whole=self.bench.random_start):
            if path not in held:
                memory = functools.reduce(getattr, path.split("."), self.dut)
                held[path] = memory, len(memory[0].value)
            memory, size = held[path]
            memory[address].value = LogicArray.from_unsigned(word, size)
        self._load_crossbars()

    def _load_crossbars(self) -> None:
        """Weights into the arrays, exponents into their memory."""
        held, spec = self.lowered.crossbars, self.lowered.spec.crossbar
        if held is None or spec is None:
            return
        unit, analogue = self.dut.crossbar, spec.array == "analogue"
        for i, word in enumerate(held.scale_words()):
            unit.scales[i].value = LogicArray.from_unsigned(word, len(unit.scales[0].value))
        arrays: list[list[CellArray]] = [[] for _ in range(spec.tiles)]
        if analogue:
            arrays = [[CellArray(spec) for _ in range(held.used_arrays)] for _ in range(spec.tiles)]
            Answerer(self.bench, spec, arrays)
        for tile, array, weights in held.tiles():
            levels = cell_levels(spec, weights)
            if analogue:
                arrays[tile][array].load(levels)
                continue
            cells = getattr(unit.core, f"array_{tile}").cells
            for step, word in enumerate(cell_words(spec, levels)):
                cells[array * spec.steps + step].value = LogicArray.from_unsigned(word, len(cells[0].value))

    def words(self, first: int, count: int) -> np.ndarray:
        """Words of the shared memory, uint16 (count, 16)."""
        held = b"".join(self.shared[first + i].value.to_unsigned().to_bytes(32, "little") for i in range(count))
        return np.frombuffer(held, "<u2").reshape(count, 16)

    async def start(self) -> None:
        """Reset with everything loaded, and run."""
        top = self.top
        top.i_run.value = 0
        top.rst.value = 1
        await self.bench.edge
        await self.bench.edge
        top.rst.value = 0
        top.i_run.value = 1
        await self.bench.edge

    async def until_ended(self, vector_descriptors: int) -> None:
        """Wait until so many descriptors of the vector unit have ended."""
        ended = self.top.o_ended_vector
        change = ValueChange(ended)
        while int(ended.value) < vector_descriptors:
            await change

    def counts(self, prefix: str, names: Iterable[str]) -> dict[str, int]:
        """Counters of the top whose names are `prefix` and one of `names`."""
        return {name: int(getattr(self.top, prefix + name.replace(".", "_")).value) for name in names}

    def labels(self) -> dict[str, dict[str, int]]:
        """Counters of labels and events: of each unit in the run, and of the units by their own."""
        units = self.lowered.spec.units
        found: dict[str, dict[str, int]] = {unit: self.counts(f"o_count_{unit}_", wait_labels(units)) for unit in units}
        suffixes = [unit.removeprefix("memory") for unit in self.lowered.spec.memory_units]
        for part, key in (("controller", "controller"), ("channel", "channel_events")):
            names = self._names(f"o_count_{part}_")
            found |= {key + suffix: self.counts(f"o_count_{part}{suffix}_", names) for suffix in suffixes}
        found["core_labels"] = self.counts("core_counters__label_", CORE_LABELS)
        found["core_events"] = self.counts("core_counters__event_", CORE_EVENTS)
        found["vector_events"] = self.counts("o_count_vector_unit_", VECTOR_EVENTS)
        if self.lowered.crossbars is not None:
            found["crossbar_labels"] = self.counts("crossbar_counters__label_", CROSSBAR_LABELS)
            found["crossbar_events"] = self.counts("crossbar_counters__event_", CROSSBAR_EVENTS)
            found["crossbar_unit_events"] = self.counts("o_count_crossbar_unit_", UNIT_EVENTS)
            found["crossbar_unit_labels"] = self.counts("o_label_count_crossbar_unit_", UNIT_LABELS)
        return found

    def events(self, cycles: int) -> dict[str, int]:
        """Events of core, vector unit and channel by the names of the system's list, after so many cycles."""
        labels = self.labels()
        counted = counts_of(
            self.lowered.spec,
            core=labels["core_events"],
            vector=labels["vector_events"],
            channel=all_channels(labels, "channel_events"),
            crossbar=labels.get("crossbar_events", {}),
            crossbar_unit=labels.get("crossbar_unit_events", {}),
            cycles=cycles,
        )
        return dict(counted)

    def _names(self, prefix: str) -> list[str]:
        """What follows `prefix` in the names of ports of the first channel; those of others go on with a number."""
        found = [handle._name.removeprefix(prefix) for handle in self.top if handle._name.startswith(prefix)]
        return [name for name in found if not name[0].isdecimal()]


@bench_test(timeout_cycles=1_000_000_000)
async def every_tensor_of_every_token_is_the_references(bench: Bench) -> None:
    spec = chips.machine(chips.load(bench.parameters["chip"]), SystemSpec, "the decoder bench")
    workload = decoder_of(workloads.load(bench.parameters["workload"]))
    work = workload.decoding()
    lowered, weights = lowered_of(spec, workload)
    reference = ReferenceRun(lowered, work, weights)
    watched = DecoderBench(bench, lowered)
    clock = time.perf_counter()
    watched.load()
    loaded = time.perf_counter() - clock
    await watched.start()
    begun = bench.cycle
    ends: list[int] = []
    wrong: Difference | None = None
    tensors = compared = 0
    before: dict[str, Any] = {}
    comparing = 0.0
    for step in lowered.steps:
        await watched.until_ended(step.ended.count)
        ends.append(bench.cycle - begun)
        mark = time.perf_counter()
        expected = reference.step(step)
        tensors += len(step.places)
        compared += sum(place.region.rows * place.region.length for place in step.places)
        wrong = wrong or next(differences(step, watched.words, expected), None)
        comparing += time.perf_counter() - mark
        if step.first + step.tokens == len(lowered.prompt):
            before = watched.labels()
        if wrong is not None:
            break
    if wrong is None:
        for _ in range(100_000):
            if int(bench.dut.o_finished.value):
                break
            await bench.edge
    cycles, labels = bench.cycle - begun + 1, watched.labels()
    equal = wrong is None and len(ends) == len(lowered.steps)
    macs = sum(gemm.macs for gemm in workload.gemms())
    prompt_ends = [end for end, step in zip(ends, lowered.steps, strict=False) if step.first < len(lowered.prompt)]
    answer = {
        "prompt": lowered.prompt,
        "tokens": reference.answer,
        "text": work.text(reference.answer),
        "pim": lowered.pim,
        "cycles_per_token": (ends[-1] - prompt_ends[-1]) / max(1, len(ends) - len(prompt_ends)),
        "equal": equal,
        "tensors": tensors,
        "elements": compared,
        "labels": labels,
    }
    bench.report(
        phases=labels["controller"],
        counts=watched.events(cycles),
        figures={
            **workload.work,
            "macs": macs,
            "macs_per_cycle": spec.macs_per_cycle,
            "devices": 1,
            "utilisation": macs / (cycles * spec.macs_per_cycle),
        },
        layers=[],
        simulated_cycles=bench.cycle,
        answer=answer,
        ends=ends,
        begun=begun,
        cycles=cycles,
        tokens=reference.answer,
        equal=equal,
        tensors=tensors,
        elements=compared,
        labels_after_prompt=before,
        labels=labels,
        seconds={"load": loaded, "compare": comparing, "all": time.perf_counter() - clock},
    )
    assert wrong is None, str(wrong)
    assert int(bench.dut.o_finished.value), "the program did not end"
    refused = {unit: int(getattr(bench.dut, f"o_refused_{unit}").value) for unit in lowered.spec.units}
    assert not any(refused.values()), f"descriptors were refused: {refused}"
    assert not int(bench.dut.o_error.value), "the channel refused a command of the controller"
    if lowered.crossbars is not None:
        assert not int(bench.dut.o_missed.value), "a code did not come when it was due"
