"""A memory controller before its channel: random programs, every command in the cycle of the stepped model.

Before some programs the one before runs once more and is reset on the way: what comes after a reset in any phase is as
after any other. Rows that no program has filled are what the cells hold (`tb.dram_pim.held`).
"""

# pyright: reportAttributeAccessIssue=false

from collections import Counter
from typing import Any

import numpy as np
from cocotb.types import LogicArray

from hw.rtl.dram_pim.signature import command_kinds
from hw.spec.dram import Timing
from hw.spec.memory_controller import DESCRIPTOR_BITS, ControllerSpec
from hw.spec.pim import PimSpec
from model.cycle.system.contents import Contents
from model.cycle.system.controller import Issued
from model.cycle.system.kinds import contents_of, controller_of
from model.number.codec import encode
from tb.bench.bench import Bench, bench_test
from tb.dram_pim.held import Held
from tb.dram_pim.random import to_integer
from tb.system.controller_player import CYCLE_BITS, ControllerPlayer
from tb.system.devices import controller
from tb.system.random_descriptors import ROWS_USED, descriptors_of

DESCRIPTORS = 12
"""Descriptors of one program."""


def random_words(rng: np.random.Generator, shape: tuple[int, ...], pim: PimSpec) -> np.ndarray:
    """Codes of the device's format: most of them of ordinary numbers, some of any kind."""
    usual = encode(rng.standard_normal(shape).astype(np.float32), pim.number)
    return np.where(rng.random(shape) < 0.02, rng.integers(0, 1 << 16, shape), usual).astype(np.uint16)


class Player:
    """The bench's design, reached by back door."""

    def __init__(self, bench: Bench, spec: ControllerSpec, timing: Timing) -> None:
        self.bench, self.top = bench, bench.dut
        self.dut: Any = bench.dut.dut
        self.spec, self.timing = spec, timing
        self.columns = self.spec.pim.dram.organisation.columns
        self.banks = [
            getattr(self.dut.channel.banks, f"bank_{b}").cells for b in range(self.spec.pim.dram.organisation.banks)
        ]
        self.command = ControllerPlayer(self.spec, self.timing).channel.layout
        self.kinds = {kind.value: kind.name for kind in command_kinds(self.spec.pim)}

    def store(self, memory: Any, start: int, words: list[int], width: int) -> None:
        """Write `words` into a memory, in no simulated time."""
        for i, word in enumerate(words):
            memory[start + i].value = LogicArray.from_unsigned(word, width)

    def fill(self, contents: Contents) -> None:
        """Shared memory and rows as the model has them."""
        self.store(self.dut.shared, 0, [to_integer(w) for w in contents.shared], 256)
        for (bank, row), words in contents.device.rows.items():
            self.store(self.banks[bank], row * self.columns, [to_integer(w) for w in words], 256)

    async def reset(self) -> None:
        """Two edges of reset, with nothing to offer then."""
        self.top.i_count.value = 0
        self.top.rst.value = 1
        await self.bench.edge
        await self.bench.edge
        self.top.rst.value = 0

    async def stopped(self, cycles: int) -> None:
        """Begin the program that is there from a reset, and reset after so many cycles."""
        await self.reset()
        self.top.i_count.value = DESCRIPTORS
        await self.bench.cycles(cycles)
        await self.reset()

    def commands(self, count: int) -> list[tuple[int, str, int, int, int, int]]:
        """Cycle, name, bank, row, column, accumulator of every command that was on the port."""
        found = []
        for i in range(count):
            word = self.dut.trace[i].value.to_unsigned()
            fields = word >> CYCLE_BITS
            value = {name: fields >> f.offset & ((1 << f.width) - 1) for name, f in self.command}
            found.append(
                (
                    word & ((1 << CYCLE_BITS) - 1),
                    self.kinds[value["kind"]],
                    value["bank"],
                    value["row"],
                    value["column"],
                    value.get("accumulator", 0),
                )
            )
        return found


def same_trace(where: str, got: list[tuple[int, str, int, int, int, int]], issued: list[Issued]) -> None:
    """Every command in its cycle, with the addresses it uses."""
    for have, want in zip(got, issued, strict=False):
        assert have[:2] == (want.cycle, want.name), f"{where}: {have} was issued, not {want}"
        if want.bank >= 0:
            assert have[2] == want.bank, f"{where}: {have} must address bank {want.bank}"
        if want.name.startswith("ACT"):
            assert have[3] == want.row, f"{where}: {have} must open row {want.row}"
        if want.need is not None:
            column, accumulator = want.need.column, want.need.accumulator
            if want.name in ("RD", "WR", "WRGB", "MAC16"):
                assert have[4] == column, f"{where}: {have} must use column {column}"
            if want.name in ("MAC16", "WRMAC16", "RDMAC16"):
                assert have[5] == accumulator, f"{where}: {have} must use accumulator {accumulator}"
    assert len(got) == len(issued), f"{where}: {len(got)} commands were issued, not {len(issued)}"


@bench_test(timeout_cycles=100_000_000)
async def random_programs_do_what_the_model_does_when_it_does_it(bench: Bench) -> None:
    spec, timing = controller(bench.parameters["device"])
    player = Player(bench, spec, timing)
    top, dut = bench.dut, player.dut
    draw = descriptors_of(spec, bench.rng)
    totals: Counter[str] = Counter()
    codes: Counter[int] = Counter()
    commands: Counter[str] = Counter()
    stopped: Counter[str] = Counter()
    resets, last, issued = np.random.default_rng(bench.seed), 0, list[Issued]()
    for number in range(int(bench.parameters["programs"])):
        if number and resets.random() < 0.5:
            cycles = reset_cycle(issued, last, resets)
            await player.stopped(cycles)
            stopped[phase(issued, cycles)] += 1
        contents, issued = contents_of(spec, timing), list[Issued]()
        contents.device.rows = Held(spec.pim, player.banks, bench.rng)
        contents.shared[:] = random_words(bench.rng, contents.shared.shape, spec.pim)
        contents.shared[: draw.pointers, 0] = bench.rng.integers(0, 3, draw.pointers)
        for bank in range(len(player.banks)):
            for row in range(2 * ROWS_USED):
                words = random_words(bench.rng, (player.columns, spec.pim.lanes), spec.pim)
                contents.device.rows[bank, row] = words
        player.fill(contents)

        def watch(command: Issued, contents: Contents = contents, issued: list[Issued] = issued) -> None:
            contents.take(command)
            issued.append(command)

        model = controller_of(spec, timing, watch)
        program, ends, ready, offered = [], [], 0, int(bench.rng.integers(0, 900))
        for _ in range(DESCRIPTORS):
            word = draw.draw().pack()
            program.append(word | offered << DESCRIPTOR_BITS)
            end, code = model.run(word, offered, contents.pointed)
            ends.append((end, code))
            codes[code] += 1
            ready = end + 1
            offered = max(offered, ready) + draw.gap() if bench.rng.random() < 0.8 else offered
        top.i_count.value = 0
        player.store(dut.program, 0, program, DESCRIPTOR_BITS + CYCLE_BITS)
        await bench.edge
        await player.reset()
        top.i_count.value = DESCRIPTORS
        model.elapse(ready + 30, "idle")
        last = model.now  # no refresh is under way
        await bench.cycles(last + 2)  # the first edge ends the reset; values are those before the last
        where = f"program {number}"
        ended = int(top.o_ended.value)
        assert ended == DESCRIPTORS, f"{where}: {ended} of {DESCRIPTORS} descriptors ended within {last} cycles"
        count = int(top.o_commands.value)
        same_trace(where, player.commands(count), issued)
        for i, want in enumerate(ends):
            word = dut.log[i].value.to_unsigned()
            have = word & ((1 << CYCLE_BITS) - 1), word >> CYCLE_BITS
            assert have == want, f"{where}: descriptor {i} ended at {have}, not {want}"
        assert int(top.o_error.value) == 0, f"{where}: the channel refused a command: {int(top.o_error.value)}"
        labels = {name: int(getattr(top, f"o_count_{name}").value) for name in model.labels}
        assert labels == model.labels, f"{where}: labels {labels}, not {model.labels}"
        assert sum(labels.values()) == last, f"{where}: the labels sum to {sum(labels.values())}, not {last}"
        same_contents(where, player, contents)
        totals.update(labels)
        commands.update(i.name for i in issued)
    bench.report(
        labels=dict(totals),
        codes={str(k): v for k, v in codes.items()},
        commands=dict(commands),
        stopped=dict(stopped),
    )


def reset_cycle(issued: list[Issued], last: int, rng: np.random.Generator) -> int:
    """A cycle in a phase drawn from those of the program, each as likely; drawn from all cycles alike, a reset would
    seldom fall into short ones, as reads of HBM-PIM are.
    """
    starts = [1, *(command.cycle + 1 for command in issued)]
    ends = [*(command.cycle for command in issued), last]
    names = ["", *(phase([command], command.cycle + 1) for command in issued)]
    spans: dict[str, list[tuple[int, int]]] = {}
    for name, start, end in zip(names, starts, ends, strict=True):
        if start <= end:
            spans.setdefault(name, []).append((start, end))
    found = spans[str(rng.choice(sorted(spans)))]
    first, end = found[rng.integers(len(found))]
    return int(rng.integers(first, end, endpoint=True))


def phase(issued: list[Issued], cycle: int) -> str:
    """What the last command before `cycle` was for, its name if for nothing of a descriptor's; "" before the first."""
    past = [command for command in issued if command.cycle < cycle]
    return "" if not past else past[-1].name if past[-1].need is None else past[-1].need.label


def same_contents(where: str, player: Player, contents: Contents) -> None:
    """Shared memory and every row that was touched."""
    for i, word in enumerate(contents.shared):
        got = player.dut.shared[i].value.to_unsigned()
        assert got == to_integer(word), f"{where}: shared word {i} is {got:#x}, not {to_integer(word):#x}"
    for (bank, row), words in contents.device.rows.items():
        for column, word in enumerate(words):
            got = player.banks[bank][row * player.columns + column].value.to_unsigned()
            assert got == to_integer(word), f"{where}: bank {bank} row {row} column {column} is {got:#x}"
