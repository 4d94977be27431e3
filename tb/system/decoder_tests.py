"""A language model on NPU core, vector unit and DRAM-PIM channel: prompt in, text out, every tensor compared."""

# pyright: reportAttributeAccessIssue=false

import time

import numpy as np
from cocotb.triggers import ValueChange
from cocotb.types import LogicArray

from hw.rtl.npu.vector_unit.unit import VectorUnit
from hw.rtl.system.top import SystemTop
from hw.spec.event import LABELS
from hw.spec.memory_controller import CONTROLLER_LABELS
from hw.spec.system import UNITS, WAIT_LABELS, SystemSpec
from model.functional.decoding import ReferenceRun, differences
from model.lowering.decoder.lower import Lowered, lower
from model.reference.decoder import store_weights
from model.work.decoding import small_llm, timing_of, vector_spec
from tb.bench.bench import Bench, bench_test

WORD_BITS = 256
PUBLIC = ("program", "core.external.memory", *(f"channel.banks.bank_{b}.cells" for b in range(16)))


def system_top(spec: SystemSpec) -> SystemTop:
    """The top of a system with its vector unit."""
    return SystemTop(spec, timing_of(spec), vector=VectorUnit(vector_spec(spec)))


class DecoderBench:
    """The top, loaded by back door, then only watched."""

    def __init__(self, bench: Bench, lowered: Lowered) -> None:
        self.bench, self.lowered, self.top = bench, lowered, bench.dut
        self.dut = bench.dut.dut
        self.shared = self.dut.core.external.memory

    def load(self) -> None:
        """Program, weights and prompt, in no simulated time."""
        spec, channel = self.lowered.spec, self.lowered.channel
        size = len(self.dut.program[0].value)
        for i, word in enumerate(self.lowered.program.pack()):
            self.dut.program[i].value = LogicArray.from_unsigned(word, size)
        for i in range(spec.shared_words):
            self.shared[i].value = LogicArray.from_unsigned(0, WORD_BITS)
        for i, token in enumerate(self.lowered.prompt):
            self.shared[self.lowered.ids + i].value = LogicArray.from_unsigned(token, WORD_BITS)
        cells = [getattr(self.dut.channel.banks, f"bank_{b}").cells for b in range(channel.banks)]
        for (bank, row), columns in channel.bank_rows().items():
            for column, codes in enumerate(columns):
                word = int.from_bytes(codes.astype("<u2").tobytes(), "little")
                cells[bank][row * channel.columns + column].value = LogicArray.from_unsigned(word, WORD_BITS)

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

    async def until_ended(self, vector_descriptors: int) -> None:
        """Wait until so many descriptors of the vector unit have ended."""
        ended = self.top.o_ended_vector
        change = ValueChange(ended)
        while int(ended.value) < vector_descriptors:
            await change


def labels_of(top: object) -> dict[str, dict[str, int]]:
    """Every counter of labels: of each unit in the run, and of the units by their own labels."""

    def read(prefix: str, names: object) -> dict[str, int]:
        return {name: int(getattr(top, prefix + name).value) for name in names}  # pyright: ignore[reportGeneralTypeIssues]

    found = {unit: read(f"o_count_{unit}_", WAIT_LABELS) for unit in UNITS}
    found["controller"] = read("o_count_controller_", CONTROLLER_LABELS)
    found["core_labels"] = read("core_counters__label_", LABELS)
    return found


@bench_test(timeout_cycles=1_000_000_000)
async def every_tensor_of_every_token_is_the_references(bench: Bench) -> None:
    work = small_llm(int(bench.parameters["count"]))
    from tb.system.decoder_system import decoder_system

    spec = decoder_system(bench.parameters["device"])
    weights = store_weights(work.config, work.weights, spec.pim.number)
    lowered = lower(spec, work.config, weights, work.prompt, work.count, bench.parameters["pim"])
    reference = ReferenceRun(lowered, work, weights)
    watched = DecoderBench(bench, lowered)
    begun = time.process_time()
    watched.load()
    await watched.start()
    started = bench.cycle
    print("loaded", time.process_time() - begun, flush=True)
    ends = []
    for step in lowered.steps:
        await watched.until_ended(step.ended.count)
        ends.append(bench.cycle - started)
        expected = reference.step(step)
        found = next(differences(step, watched.words, expected), None)
        assert found is None, str(found)
        print(step.first, ends[-1], time.process_time() - begun, flush=True)
    for _ in range(10_000):
        if int(bench.dut.o_finished.value):
            break
        await bench.edge
    assert int(bench.dut.o_finished.value), "the program did not end"
    print(labels_of(bench.dut), work.text(reference.answer), flush=True)
    bench.report(ends=ends, tokens=reference.answer, text=work.text(reference.answer), labels=labels_of(bench.dut))
