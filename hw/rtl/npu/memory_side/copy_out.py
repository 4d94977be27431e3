"""The write channel: rows of the output memory out to the external memory, or into the activation memory."""

from amaranth.hdl import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.rtl.npu.memory_side.copy_channel import COPY_ORDER, INDEX_BITS, reached
from hw.rtl.npu.signature import WritePort, external_beat_layout
from hw.spec.command import activation_word_bits, output_word_bits
from hw.spec.core import CoreSpec
from hw.spec.dma import COPY_ENTRIES


class _OutState:
    """Copies that `CopyOut` holds, and the word on its way."""

    def __init__(self, core: CoreSpec, beats: int) -> None:
        depth_bits = core.output_words.bit_length()
        entry = data.StructLayout(
            {
                "open": 1,
                "next": depth_bits,
                "end": depth_bits,
                "order": INDEX_BITS,
                "needs": INDEX_BITS,
                "external": 1,
                "other": 32,
                "left": 24,
            }
        )
        self.entries = Array(Signal(entry, name=f"copy_{i}") for i in range(COPY_ENTRIES))
        self.tail, self.reading, self.head = (
            Signal(range(COPY_ENTRIES), name=name) for name in ("tail", "reading", "head")
        )
        self.unread = Signal(range(COPY_ENTRIES + 1))
        self.total = Signal(range(COPY_ENTRIES + 1))
        self.take = Signal()
        # how far the rows of the command that is leaving have come, as long as their addresses ascend
        self.running = Signal()
        self.ascending = Signal()
        self.pointer = Signal(depth_bits)
        # a word is read, then it is here until it is taken
        self.advance = Signal()
        self.full = Signal()
        self.beat = Signal(range(max(beats, 2)))
        self.taken = Signal()


class CopyOut(wiring.Component):
    """Moves rows of the output memory to the external memory or into the activation memory, one word per cycle.

    A word is read when the command that computes it has ended, or its row has left and all rows of that command
    so far left at ascending addresses.

    Members
    -------
    i_copy : In(stream of COPY_ORDER)
        `address` in the output memory; `other_address` in the external memory if `external`, else in the
        activation memory.
    i_ended : In(32)
    i_left, i_ends_command, i_row_address : In
        A row enters the output memory if `i_left`; its address is judged before that.
    o_keep : Out(1)
        The word it would overwrite is still to be copied: it must wait.
    i_hold : In(1)
        The activation memory's write port is taken.
    i_address, i_index : In
    o_missing : Out(1)
        As in `CopyIn`, for a read of the activation memory.
    o_read, o_read_address, i_data : read port of the output memory, data one cycle later, kept until the next
    o_write : Out(WritePort)
        Into the activation memory.
    o_external : Out(stream of external_beat_layout(dma))
    o_done, o_open : Out(1)
    """

    def __init__(self, core: CoreSpec) -> None:
        assert core.dma is not None
        self.spec, self.dma = core, core.dma
        address = ceil_log2(core.output_words)
        super().__init__(
            {
                "i_copy": In(stream.Signature(COPY_ORDER)),
                "i_ended": In(INDEX_BITS),
                "i_left": In(1),
                "i_ends_command": In(1),
                "i_row_address": In(address),
                "o_keep": Out(1),
                "i_hold": In(1),
                "i_address": In(ceil_log2(core.activation_words)),
                "i_index": In(INDEX_BITS),
                "o_missing": Out(1),
                "o_read": Out(1),
                "o_read_address": Out(address),
                "i_data": In(output_word_bits(core)),
                "o_write": Out(WritePort(depth=core.activation_words, width=activation_word_bits(core))),
                "o_external": Out(stream.Signature(external_beat_layout(core.dma))),
                "o_done": Out(1),
                "o_open": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        at = _OutState(self.spec, self.dma.beats(output_word_bits(self.spec)))
        self._take(m, at)
        self._follow_rows(m, at)
        self._read(m, at)
        self._write(m, at)
        self._guard(m, at)
        return m

    def _take(self, m: Module, at: _OutState) -> None:
        """A copy into the next free entry."""
        given, entries, tail = self.i_copy.payload, at.entries, at.tail
        m.d.comb += [
            self.i_copy.ready.eq(at.total != COPY_ENTRIES),
            at.take.eq(self.i_copy.valid & self.i_copy.ready),
            self.o_open.eq(at.total != 0),
        ]
        with m.If(at.take):
            m.d.sync += [
                tail.eq(tail + 1),
                entries[tail].open.eq(1),
                entries[tail].next.eq(given.address),
                entries[tail].end.eq(given.address + given.words),
                entries[tail].order.eq(given.order),
                entries[tail].needs.eq(given.needs),
                entries[tail].external.eq(given.external),
                entries[tail].other.eq(given.other_address),
                entries[tail].left.eq(given.words),
            ]

    def _follow_rows(self, m: Module, at: _OutState) -> None:
        """Rows that leave the core at ascending addresses may be copied before their command has ended."""
        with m.If(self.i_left):
            m.d.sync += at.running.eq(~self.i_ends_command)
            with m.If(~at.running | (at.ascending & (self.i_row_address == at.pointer))):
                m.d.sync += [at.pointer.eq(self.i_row_address + 1), at.ascending.eq(1)]
            with m.Else():
                m.d.sync += at.ascending.eq(0)

    def _read(self, m: Module, at: _OutState) -> None:
        """The next word, once it is computed and the one before it moves on."""
        source, reading = at.entries[at.reading], at.reading
        computed = Signal()
        last = Signal()
        m.d.comb += [
            computed.eq(
                reached(self.i_ended, source.needs)
                | ((self.i_ended + 1 == source.needs) & at.running & (source.next < at.pointer))
            ),
            self.o_read.eq((at.unread != 0) & computed & at.advance),
            self.o_read_address.eq(source.next),
            last.eq(self.o_read & (source.next + 1 == source.end)),
        ]
        with m.If(self.o_read):
            m.d.sync += at.entries[reading].next.eq(source.next + 1)
        m.d.sync += [
            reading.eq(reading + last),
            at.unread.eq(at.unread + at.take - last),
            at.total.eq(at.total + at.take - self.o_done),
        ]
        with m.If(at.advance):
            m.d.sync += at.full.eq(self.o_read)

    def _write(self, m: Module, at: _OutState) -> None:
        """The word read, into the activation memory or beat by beat to the external memory."""
        beats = self.dma.beats(output_word_bits(self.spec))
        beat_bits = 8 * self.dma.bytes_per_cycle
        target, beat, taken = at.entries[at.head], at.beat, at.taken
        padded = Signal(beats * beat_bits)
        m.d.comb += [
            padded.eq(self.i_data),
            self.o_external.valid.eq(at.full & target.external),
            self.o_external.payload.address.eq(target.other),
            self.o_external.payload.data.eq(padded.word_select(beat, beat_bits)),
            self.o_write.enable.eq(at.full & ~target.external & ~self.i_hold),
            self.o_write.address.eq(target.other),
            self.o_write.data.eq(self.i_data),
            taken.eq(self.o_write.enable | (self.o_external.valid & self.o_external.ready & (beat == beats - 1))),
            at.advance.eq(~at.full | taken),
            self.o_done.eq(taken & (target.left == 1)),
        ]
        with m.If(self.o_external.valid & self.o_external.ready):
            m.d.sync += beat.eq(Mux(beat == beats - 1, 0, beat + 1))
        with m.If(taken | (self.o_external.valid & self.o_external.ready)):
            m.d.sync += at.entries[at.head].other.eq(target.other + 1)
        with m.If(taken):
            m.d.sync += at.entries[at.head].left.eq(target.left - 1)
        with m.If(self.o_done):
            m.d.sync += [at.entries[at.head].open.eq(0), at.head.eq(at.head + 1)]

    def _guard(self, m: Module, at: _OutState) -> None:
        """Words that a reader must wait for, and words that a finished row must not overwrite yet."""
        m.d.comb += [
            self.o_missing.eq(
                Cat(
                    e.open
                    & ~e.external
                    & (self.i_address >= e.other)
                    & (self.i_address - e.other < e.left)
                    & reached(self.i_index, e.order)
                    for e in at.entries
                ).any()
            ),
            self.o_keep.eq(
                Cat(
                    e.open
                    & (self.i_row_address >= e.next)
                    & (self.i_row_address < e.end)
                    & reached(self.i_ended, e.order)
                    for e in at.entries
                ).any()
            ),
        ]
