"""The Python side of a played stream: load it, run it, read everything back. Knows nothing of a model."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cocotb.triggers import RisingEdge
from cocotb.types import LogicArray

from tb.bench.bench import Bench
from tb.dram_pim.player import DATA_WORDS, STREAM_WORDS, entry_layout, log_layout


@dataclass(frozen=True, slots=True)
class Played:
    """One command to play.

    Parameters
    ----------
    cycle : int
        When it is at the channel's port; cycle 0 is the first of the stream.
    name : str
        Name of one of the channel's command kinds.
    bank : int
        Bank of the channel, from 0.
    row : int
        Row of the bank.
    column : int
        Column of the row; a column is one data word.
    data : int or None
        The data word it carries, lane 0 in the low bits; None: it carries none and the channel sees 0.
    accumulator : int
        Index, 0 to 31, of the accumulator or activation register a command of AiM works on; 0 in HBM-PIM.
    paired : bool
        MAC16 of AiM alone: units of even banks take the odd bank's word in place of the global buffer's, others rest.
    """

    cycle: int
    name: str
    bank: int = 0
    row: int = 0
    column: int = 0
    data: int | None = None
    accumulator: int = 0
    paired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a stream.

    Parameters
    ----------
    reasons : list of int
        By command, in order: the code in `hw.spec.pim.ERRORS` it was refused with, 0 if it was accepted.
    modes : list of int
        By command, in order: index into the spec's modes of the one it met.
    words : list of int
        Data words read, in order, lane 0 in the low bits.
    counts : dict of str to int
        Event -> the channel's counter of it after the stream.
    error : int
        The sticky status after the stream: code of the first refused command, 0 if none was.
    mode : int
        Index into the spec's modes of the one after the stream.
    finish : int
        Cycle, from the stream's cycle 0, by which the data of all accepted commands had moved at the interface.
    """

    reasons: list[int]
    modes: list[int]
    words: list[int]
    counts: dict[str, int]
    error: int
    mode: int
    finish: int


def played(commands: Iterable[Any]) -> list[Played]:
    """Commands of the model's schedule (cycle, name, address, data lanes) as they are played; zeros need no word."""
    return [
        Played(c.cycle, c.name, c.bank, c.row, c.column, word_of(c.data) if any(c.data) else None, c.accumulator)
        for c in commands
    ]


def word_of(lanes: Iterable[int]) -> int:
    """16-bit lanes, lane 0 in the low bits, as one integer."""
    return sum(int(lane) << 16 * i for i, lane in enumerate(lanes))


def lanes_of(word: int, count: int) -> list[int]:
    """The inverse of `word_of`."""
    return [word >> 16 * i & 0xFFFF for i in range(count)]


class PimDriver:
    """Plays streams on the bench's channel. `player` is an equal `PimPlayer`, for its layouts."""

    def __init__(self, bench: Bench, player: Any) -> None:
        self.bench, self.player = bench, player
        self.entry = entry_layout(player.channel)
        self.log = log_layout(player.channel)
        self.kinds = {kind.name: kind.value for kind in player.channel.kinds}
        self.width = len(player.channel.i_data)
        self.dut = bench.dut.dut
        self._offsets = {name: field.offset for name, field in self.entry}
        self._inner = {name: field.offset for name, field in player.channel.layout}

    def pack(self, c: Played) -> int:
        """The entry's bits."""
        inner = self._inner
        command = (
            self.kinds[c.name] << inner["kind"]
            | c.bank << inner["bank"]
            | c.row << inner["row"]
            | c.column << inner["column"]
            | c.accumulator << inner["accumulator"]
            | (c.paired << inner["paired"] if c.paired else 0)
        )
        return (
            c.cycle << self._offsets["cycle"]
            | (c.data is not None) << self._offsets["has_data"]
            | command << self._offsets["command"]
        )

    async def play(self, stream: Sequence[Played], *, reset: bool = True) -> Answer:
        """Reset the channel (cells keep their contents) and play; commands in order of their cycles."""
        bench, top = self.bench, self.bench.dut
        words = [c.data for c in stream if c.data is not None]
        if len(stream) > STREAM_WORDS or len(words) >= DATA_WORDS:
            raise ValueError(
                f"a stream must have at most {STREAM_WORDS} commands and {DATA_WORDS - 1} data words, "
                f"not {len(stream)} and {len(words)}"
            )
        top.i_run.value = 0
        if reset:
            await bench.reset()
        self.store(self.dut.stream, [self.pack(c) for c in stream], self.entry.size)
        self.store(self.dut.words, words, self.width)
        top.i_count.value = len(stream)
        await bench.edge
        top.i_run.value = 1
        await bench.edge
        if not int(top.o_done.value):
            await RisingEdge(top.o_done)
        await bench.cycles(12)  # units finish, counters settle
        top.i_run.value = 0
        raw = [self.dut.log[i].value.to_unsigned() for i in range(len(stream))]
        bits = self.log["reason"].width
        return Answer(
            reasons=[word & ((1 << bits) - 1) for word in raw],
            modes=[word >> bits for word in raw],
            words=[self.dut.answers[i].value.to_unsigned() for i in range(int(top.o_answers.value))],
            counts={
                n.removeprefix("o_count_"): int(getattr(top, n).value)
                for n in self.player.outputs
                if n.startswith("o_count_")
            },
            error=int(top.o_error.value),
            mode=int(top.o_mode.value),
            finish=int(top.o_finish.value),
        )

    async def stopped(self, cycles: int) -> None:
        """Play the stream that is loaded once more from a reset, and reset the channel after so many cycles."""
        top = self.bench.dut
        top.i_run.value = 0
        await self.bench.reset()
        await self.bench.edge
        top.i_run.value = 1
        await self.bench.cycles(cycles)
        top.i_run.value = 0
        await self.bench.reset()

    def store(self, target: Any, words: Sequence[int], width: int) -> None:
        """Write `words` into a memory from its start, in no simulated time."""
        for i, word in enumerate(words):
            target[i].value = LogicArray.from_unsigned(word, width)

    def cells(self, bank: int) -> Any:
        """The cell array of a bank, by row x columns + column."""
        return getattr(self.dut.channel.banks, f"bank_{bank}").cells
