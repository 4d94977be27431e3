"""Plays a stream of DRAM commands from a memory into a channel: thousands of commands without Python in any cycle."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from amaranth.hdl import Array, Const, Module, Mux, Signal, Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

CYCLE_BITS = 28
STREAM_WORDS = 65_536
DATA_WORDS = 16_384
ANSWER_WORDS = 16_384


def entry_layout(channel: Any) -> data.StructLayout:
    """One entry of the stream: the cycle it is played in, whether it carries a data word, the command."""
    return data.StructLayout({"cycle": CYCLE_BITS, "has_data": 1, "command": channel.layout})


def log_layout(channel: Any) -> data.StructLayout:
    """What became of an entry: the reason it was refused, or 0, and the mode it met."""
    return data.StructLayout({"reason": len(channel.o_reason), "mode": len(channel.o_mode)})


class PimPlayer(wiring.Component):
    """`channel` with a player before its port.

    Memories, reached by back door: `stream` (entry_layout), `words` (data words in order of the entries that carry
    one), `log` (log_layout, one word per entry), `answers` (data words read, in order).

    Parameters
    ----------
    channel : CommandPort
    tails : dict of str to int
        Command -> cycles from it until its data has moved at the interface.

    Members
    -------
    i_run : In(1)
        High while the stream is played; cycle 0 is the first in which it is.
    i_count : In
        Entries to play.
    o_done : Out(1)
    o_finish : Out(CYCLE_BITS)
        Cycles until the data of the last accepted command has moved.
    o_answers : Out
        Words in `answers`.
    o_error, o_mode, o_count_<event> : Out
        Of the channel.
    """

    if TYPE_CHECKING:
        i_run: Any
        i_count: Any
        o_done: Any
        o_finish: Any
        o_answers: Any

    def __init__(self, channel: Any, tails: Mapping[str, int]) -> None:
        self.channel = channel
        self.tails = [tails.get(kind.name, 1) for kind in channel.kinds]
        self.outputs = [n for n in channel.signature.members if n in ("o_error", "o_mode") or n.startswith("o_count_")]
        self.inputs = [n for n in channel.signature.members if n.startswith("i_config_")]
        self.entry = entry_layout(channel)
        self.stream = memory.Memory(shape=self.entry.size, depth=STREAM_WORDS, init=[])
        self.words = memory.Memory(shape=len(channel.i_data), depth=DATA_WORDS, init=[])
        self.log = memory.Memory(shape=log_layout(channel).size, depth=STREAM_WORDS, init=[])
        self.answers = memory.Memory(shape=len(channel.o_data), depth=ANSWER_WORDS, init=[])
        members = channel.signature.members
        super().__init__(
            {
                "i_run": In(1),
                "i_count": In(range(STREAM_WORDS + 1)),
                "o_done": Out(1),
                "o_finish": Out(CYCLE_BITS),
                "o_answers": Out(range(ANSWER_WORDS + 1)),
                **{name: members[name] for name in [*self.outputs, *self.inputs]},
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.channel = channel = self.channel
        m.submodules.stream, m.submodules.words = self.stream, self.words
        m.submodules.log, m.submodules.answers = self.log, self.answers
        stream, words = self.stream.read_port(domain="comb"), self.words.read_port(domain="comb")
        log, answers = self.log.write_port(), self.answers.write_port()
        time = Signal(CYCLE_BITS)
        place = Signal.like(self.i_count)
        word_place = Signal(range(DATA_WORDS))
        answer_place = Signal.like(self.o_answers)
        entry = Signal(self.entry)
        fire = Signal()
        m.d.comb += [
            stream.addr.eq(place),
            entry.eq(stream.data),
            words.addr.eq(word_place),
            fire.eq(self.i_run & (place != self.i_count) & (entry.cycle == time)),
            channel.i_valid.eq(fire),
            channel.i_command.eq(entry.command),
            channel.i_data.eq(Mux(entry.has_data, words.data, 0)),
            log.addr.eq(place),
            log.en.eq(fire),
            log.data.eq(Value.cast(channel.o_reason) | Value.cast(channel.o_mode) << len(channel.o_reason)),
            answers.addr.eq(answer_place),
            answers.data.eq(channel.o_data),
            answers.en.eq(channel.o_data_valid),
            self.o_done.eq(place == self.i_count),
            self.o_answers.eq(answer_place),
        ]
        m.d.comb += [getattr(self, name).eq(getattr(channel, name)) for name in self.outputs]
        m.d.comb += [getattr(channel, name).eq(getattr(self, name)) for name in self.inputs]
        tail = Array([Const(t, 16) for t in self.tails])[entry.command.kind]
        end = time + tail
        with m.If(self.i_run):
            m.d.sync += time.eq(time + 1)
        with m.If(fire):
            m.d.sync += [place.eq(place + 1), word_place.eq(word_place + entry.has_data)]
        with m.If(fire & ~Value.cast(channel.o_reason).any() & (end > self.o_finish)):
            m.d.sync += self.o_finish.eq(end)
        with m.If(channel.o_data_valid):
            m.d.sync += answer_place.eq(answer_place + 1)
        return m
