"""The vector unit on programs of descriptors: values, cycles, labels, events."""

# pyright: reportAttributeAccessIssue=false

from collections import Counter

import numpy as np
from amaranth.hdl import Module, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from cocotb.triggers import RisingEdge

from hw.rtl.npu.vector_unit.unit import COUNTER_BITS, VectorUnit
from hw.spec.chip import Chip
from hw.spec.vector import DESCRIPTOR_BITS, WORD_BITS, VectorSpec
from hw.spec.vector_micro import EVENTS, LABELS
from model.functional.vector_unit import VectorMachine
from model.work.random_vector import random_program, random_words
from tb.bench.bench import Bench, bench_test

SPEC = VectorSpec(memory_words=512)
PROGRAM_WORDS = 512
PUBLIC = ("program", "words")


def suits(chip: Chip) -> bool:
    """Chips with a vector unit."""
    return getattr(chip, "system", None) is not None


def top(chip: Chip) -> "VectorPlayer":
    """The unit with a memory and a program; the same for every chip."""
    return VectorPlayer(SPEC)


class VectorPlayer(wiring.Component):
    """A vector unit, a shared memory and a program memory that offers descriptors by itself.

    An entry is a descriptor and the cycles to wait before it is offered. `o_finished` rises when all have ended.
    """

    def __init__(self, spec: VectorSpec) -> None:
        self.unit = VectorUnit(spec)
        self.spec = spec
        self.entry = data.StructLayout({"descriptor": DESCRIPTOR_BITS, "gap": 8})
        self.program = memory.Memory(shape=self.entry, depth=PROGRAM_WORDS, init=[])
        self.words = memory.Memory(shape=WORD_BITS, depth=spec.memory_words, init=[])
        super().__init__(
            {
                "i_run": In(1),
                "i_count": In(16),
                "o_finished": Out(1),
                "o_refusals": Out(64),
                **{f"o_count_{event.replace('.', '_')}": Out(COUNTER_BITS) for event in EVENTS},
                **{f"o_label_count_{label}": Out(COUNTER_BITS) for label in LABELS},
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.unit, m.submodules.program, m.submodules.words = unit, _, _ = self.unit, self.program, self.words
        entry = self.program.read_port(domain="comb")
        read, write = self.words.read_port(domain="comb"), self.words.write_port()
        place, waited, ended = Signal(16), Signal(8), Signal(16)
        offers = Signal()
        m.d.comb += [
            entry.addr.eq(place),
            read.addr.eq(unit.o_read_address_0),
            unit.i_read_data_0.eq(read.data),
            write.addr.eq(unit.o_write_address),
            write.data.eq(unit.o_write_data),
            write.en.eq(unit.o_write_enable),
            offers.eq(self.i_run & (place != self.i_count) & (waited == entry.data.gap)),
            unit.i_descriptor.payload.eq(entry.data.descriptor),
            unit.i_descriptor.valid.eq(offers),
            unit.i_clear.eq(~self.i_run),
            self.o_finished.eq(self.i_run & (ended == self.i_count)),
        ]
        with m.If(self.i_run & ~self.o_finished):
            m.d.sync += ended.eq(ended + (unit.o_done | unit.o_refused))
            with m.If(offers & unit.i_descriptor.ready):
                m.d.sync += [place.eq(place + 1), waited.eq(0)]
            with m.Elif(unit.i_descriptor.ready):
                m.d.sync += waited.eq(waited + (place != self.i_count))
            with m.If(unit.o_refused):  # a checksum of the codes, in order
                m.d.sync += self.o_refusals.eq((self.o_refusals * 5 + unit.o_code)[:64])
        counts = [name for name in self.signature.members if name.startswith(("o_count_", "o_label_count_"))]
        last = Signal()
        m.d.sync += last.eq(self.o_finished)
        for name in counts:
            with m.If(~last):
                m.d.sync += getattr(self, name).eq(getattr(unit, name))
        with m.If(~self.i_run):
            m.d.sync += [place.eq(0), waited.eq(0), ended.eq(0), self.o_refusals.eq(0)]
        return m


@bench_test(timeout_cycles=100_000_000)
async def random_programs_leave_the_words_and_counts_of_the_model(bench: Bench) -> None:
    for case in range(int(bench.parameters.get("programs", 8))):
        rng = np.random.default_rng((bench.seed, case))
        before = random_words(rng, SPEC.memory_words)
        commands = random_program(rng, SPEC, 24)
        gaps = [int(g) for g in rng.integers(0, 4, len(commands)) * rng.integers(0, 2)]
        expected = before.copy()
        machine = VectorMachine(SPEC, expected)
        labels, events, refusals = Counter(), Counter(), 0
        for descriptor in commands:
            cost = machine.run(descriptor)
            labels += cost.labels
            events += cost.events
            if cost.refused:
                refusals = (refusals * 5 + cost.refused) & (1 << 64) - 1
        labels["idle"] += sum(gaps)
        found = await _play(bench, before, commands, gaps)
        where = f"program {case}"
        assert int(bench.dut.o_refusals.value) == refusals, f"{where}: refusals differ"
        wrong = np.argwhere(found != expected)
        assert not len(wrong), (
            f"{where}: word and lane {wrong[0].tolist()}: {found[tuple(wrong[0])]:#x} is not "
            f"{expected[tuple(wrong[0])]:#x}; {len(wrong)} differ"
        )
        for label in LABELS:
            counted = int(getattr(bench.dut, f"o_label_count_{label}").value)
            assert counted == labels[label], f"{where}: {counted} cycles of {label}, the model has {labels[label]}"
        for event in EVENTS:
            counted = int(getattr(bench.dut, f"o_count_{event.replace('.', '_')}").value)
            assert counted == events[event], f"{where}: {counted} of {event}, the model has {events[event]}"


async def _play(bench: Bench, words: np.ndarray, commands: list[int], gaps: list[int]) -> np.ndarray:
    """The memory after the program."""
    inner = bench.dut.dut
    bench.dut.i_run.value = 0
    await bench.reset()
    for i, row in enumerate(words):
        inner.words[i].value = int.from_bytes(row.astype("<u2").tobytes(), "little")
    for i, (descriptor, gap) in enumerate(zip(commands, gaps, strict=True)):
        inner.program[i].value = descriptor | gap << DESCRIPTOR_BITS
    bench.dut.i_count.value = len(commands)
    await bench.edge
    bench.dut.i_run.value = 1
    await bench.edge
    if not int(bench.dut.o_finished.value):
        await RisingEdge(bench.dut.o_finished)
    await bench.cycles(4)
    rows = [int(inner.words[i].value).to_bytes(WORD_BITS // 8, "little") for i in range(len(words))]
    return np.frombuffer(b"".join(rows), "<u2").reshape(len(words), -1)
