"""Brings input vectors into the drivers: from the buffer or from a stream, one word a cycle."""

from amaranth.hdl import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.rtl.crossbar.signature import layer_layout
from hw.spec.crossbar import CrossbarSpec


class Loader(wiring.Component):
    """Loads the vectors of a command, each as soon as the register for it is free.

    A vector is row_tiles * load_beats words; each word goes to all tiles of its row of tiles at once. Words of the
    buffer arrive one cycle after they were asked for.

    Members
    -------
    i_begin : In(1)
        Start with `i_command`.
    i_command : In(layer_layout())
        Steady while the command runs.
    i_computing : In(1)
        The shown register is in use: without a double buffer nothing is loaded.
    i_start : In(1)
        The loaded vector is taken over.
    i : In(stream of lanes bytes)
    o_read, o_address, i_data : Out, Out, In
        Read port of the buffer.
    o_full : Out(1)
        A whole vector is loaded.
    o_load, o_word, o_data : Out
        To the drivers of the tiles from `o_base` on, column_tiles of them.
    o_base : Out
    o_waiting : Out(1)
        A word is wanted from the stream and none is offered.
    """

    def __init__(self, spec: CrossbarSpec) -> None:
        self.spec = spec
        super().__init__(
            {
                "i_begin": In(1),
                "i_command": In(layer_layout()),
                "i_computing": In(1),
                "i_start": In(1),
                "i": In(stream.Signature(unsigned(spec.lanes * 8))),
                "o_read": Out(1),
                "o_address": Out(ceil_log2(spec.buffer_words)),
                "i_data": In(spec.lanes * 8),
                "o_full": Out(1),
                "o_load": Out(1),
                "o_word": Out(range(max(spec.load_beats, 2))),
                "o_data": Out(spec.lanes * 8),
                "o_base": Out(9),
                "o_waiting": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec, command = self.spec, self.i_command
        left = Signal(16)  # vectors that have not been loaded whole
        asked = Signal()  # every word of the present vector was asked for
        word = Signal.like(self.o_word)
        row = Signal(8)
        base = Signal(9)
        vector, address = Signal(24), Signal(24)
        want, take = Signal(), Signal()
        m.d.comb += want.eq((left != 0) & ~self.o_full & ~asked)
        if not spec.double_buffer:
            m.d.comb += want.eq((left != 0) & ~self.o_full & ~asked & ~self.i_computing)
        m.d.comb += [
            self.i.ready.eq(want & command.from_stream),
            self.o_read.eq(want & ~command.from_stream),
            self.o_address.eq(address),
            self.o_waiting.eq(self.i.ready & ~self.i.valid),
            take.eq(Mux(command.from_stream, self.i.ready & self.i.valid, self.o_read)),
        ]
        last_word, last = Signal(), Signal()
        m.d.comb += [last_word.eq(word == spec.load_beats - 1), last.eq(last_word & (row == command.row_tiles - 1))]
        with m.If(take):
            m.d.sync += [word.eq(word + 1), address.eq(address + 1)]
            with m.If(last_word):
                m.d.sync += [word.eq(0), row.eq(row + 1), base.eq(base + command.column_tiles)]
            with m.If(last):
                m.d.sync += [
                    row.eq(0),
                    base.eq(command.first_tile),
                    vector.eq(vector + command.input_stride),
                    address.eq(vector + command.input_stride),
                    asked.eq(1),
                ]

        # words of the buffer land a cycle later
        landing, landing_last = Signal(), Signal()
        landing_word, landing_base = Signal.like(word), Signal.like(base)
        m.d.sync += [
            landing.eq(self.o_read),
            landing_last.eq(self.o_read & last),
            landing_word.eq(word),
            landing_base.eq(base),
        ]
        with m.If(command.from_stream):
            m.d.comb += [
                self.o_load.eq(take),
                self.o_word.eq(word),
                self.o_base.eq(base),
                self.o_data.eq(self.i.payload),
            ]
        with m.Else():
            m.d.comb += [
                self.o_load.eq(landing),
                self.o_word.eq(landing_word),
                self.o_base.eq(landing_base),
                self.o_data.eq(self.i_data),
            ]
        with m.If(Mux(command.from_stream, take & last, landing_last)):
            m.d.sync += [self.o_full.eq(1), asked.eq(0), left.eq(left - 1)]
        with m.If(self.i_start):
            m.d.sync += self.o_full.eq(0)
        with m.If(self.i_begin):
            m.d.sync += [
                left.eq(command.vectors),
                word.eq(0),
                row.eq(0),
                base.eq(command.first_tile),
                vector.eq(command.input_address),
                address.eq(command.input_address),
                asked.eq(0),
                self.o_full.eq(0),
            ]
        return m
