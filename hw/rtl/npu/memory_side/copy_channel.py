"""Copy channels: words from the external memory into a scratchpad, and output rows out of the output memory.

Each channel keeps its open copies in registers, so that a reader of the memory can be told in the same cycle
whether its word is still to come: the computation follows a copy word by word.
"""

from amaranth.hdl import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.rtl.npu.signature import ReadChannel, WritePort, external_beat_layout
from hw.spec.command import activation_word_bits, output_word_bits
from hw.spec.core import CoreSpec
from hw.spec.dma import COPY_ENTRIES, DmaSpec

INDEX_BITS = 32
"""Width of a count of compute commands; differences are taken modulo."""

COPY_ORDER = data.StructLayout(
    {
        "address": 24,
        "other_address": 32,
        "words": 24,
        "order": INDEX_BITS,
        "needs": INDEX_BITS,
        "external": 1,
    }
)
"""One copy: `order` compute commands were decoded before it, `needs` of all must have ended before it starts."""


def reached(count: Value, goal: Value) -> Value:
    """`count` is at or past `goal`, both modulo 2**INDEX_BITS and less than half of that apart."""
    return ~(count - goal)[INDEX_BITS - 1]


class CopyIn(wiring.Component):
    """Fills one memory from the external memory, one beat per cycle.

    A copy taken in cycle 0 asks for its beats in cycle 1 at the earliest, one request per copy, while copies
    before it are still arriving. A word is written in the cycle in which its last beat arrives.

    Parameters
    ----------
    dma : DmaSpec
    depth, width : int
        Of the memory.

    Members
    -------
    i_copy : In(stream of COPY_ORDER)
    i_ended : In(32)
        Compute commands that have ended.
    i_hold : In(1)
        The memory's write port is taken: no beat is accepted.
    i_address, i_index : In
        A word that is wanted, and the number of its compute command.
    o_missing : Out(1)
        That word is still to be written by a copy decoded before that command.
    o_write : Out(WritePort)
    o_done : Out(1)
        The last word of a copy is being written.
    o_open : Out(1)
        A copy has not ended.
    o_waiting : Out(1)
        Beats are requested and none arrives.
    external : Out(ReadChannel)
    """

    def __init__(self, dma: DmaSpec, *, depth: int, width: int) -> None:
        self.dma = dma
        self.depth, self.width = depth, width
        super().__init__(
            {
                "i_copy": In(stream.Signature(COPY_ORDER)),
                "i_ended": In(INDEX_BITS),
                "i_hold": In(1),
                "i_address": In(ceil_log2(depth)),
                "i_index": In(INDEX_BITS),
                "o_missing": Out(1),
                "o_write": Out(WritePort(depth=depth, width=width)),
                "o_done": Out(1),
                "o_open": Out(1),
                "o_waiting": Out(1),
                "external": Out(ReadChannel(dma)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        beats = self.dma.beats(self.width)
        beat_bits = 8 * self.dma.bytes_per_cycle
        entry = data.StructLayout(
            {
                "open": 1,
                "next": self.depth.bit_length(),
                "end": self.depth.bit_length(),
                "order": INDEX_BITS,
                "needs": INDEX_BITS,
                "external": 32,
                "beats": 32,
            }
        )
        entries = Array(Signal(entry, name=f"copy_{i}") for i in range(COPY_ENTRIES))
        tail, asking, head = (Signal(range(COPY_ENTRIES), name=name) for name in ("tail", "asking", "head"))
        unasked = Signal(range(COPY_ENTRIES + 1))
        asked = Signal(range(COPY_ENTRIES + 1))

        # Taken
        given = self.i_copy.payload
        m.d.comb += self.i_copy.ready.eq(unasked + asked != COPY_ENTRIES)
        take = Signal()
        ask = Signal()
        m.d.comb += take.eq(self.i_copy.valid & self.i_copy.ready)
        with m.If(take):
            m.d.sync += [
                tail.eq(tail + 1),
                entries[tail].open.eq(1),
                entries[tail].next.eq(given.address),
                entries[tail].end.eq(given.address + given.words),
                entries[tail].order.eq(given.order),
                entries[tail].needs.eq(given.needs),
                entries[tail].external.eq(given.other_address),
                entries[tail].beats.eq(given.words * beats),
            ]

        # Requested, as soon as what the copy overwrites is no longer needed
        m.d.comb += [
            self.external.request.valid.eq((unasked != 0) & reached(self.i_ended, entries[asking].needs)),
            self.external.request.payload.address.eq(entries[asking].external),
            self.external.request.payload.beats.eq(entries[asking].beats),
            ask.eq(self.external.request.valid & self.external.request.ready),
        ]
        m.d.sync += [asking.eq(asking + ask), unasked.eq(unasked + take - ask)]

        # Written
        arrives = Signal()
        completes = Signal()
        arrived = Signal(range(max(beats, 2)))
        m.d.comb += [
            self.external.data.ready.eq(~self.i_hold),
            arrives.eq(self.external.data.valid & ~self.i_hold),
            completes.eq(arrives & (arrived == beats - 1)),
            self.o_write.enable.eq(completes),
            self.o_write.address.eq(entries[head].next),
            self.o_done.eq(completes & (entries[head].next + 1 == entries[head].end)),
            self.o_waiting.eq((asked != 0) & ~self.external.data.valid),
            self.o_open.eq(unasked + asked != 0),
        ]
        m.d.sync += [head.eq(head + self.o_done), asked.eq(asked + ask - self.o_done)]
        with m.If(arrives):
            m.d.sync += arrived.eq(Mux(completes, 0, arrived + 1))
        with m.If(completes):
            m.d.sync += entries[head].next.eq(entries[head].next + 1)
        with m.If(self.o_done):
            m.d.sync += entries[head].open.eq(0)
        if beats == 1:
            m.d.comb += self.o_write.data.eq(self.external.data.payload)
        else:
            early = Signal((beats - 1) * beat_bits)
            with m.If(arrives):
                m.d.sync += early.eq(Cat(early, self.external.data.payload)[beat_bits:])
            m.d.comb += self.o_write.data.eq(Cat(early, self.external.data.payload))

        m.d.comb += self.o_missing.eq(
            Cat(
                e.open & (self.i_address >= e.next) & (self.i_address < e.end) & reached(self.i_index, e.order)
                for e in entries
            ).any()
        )
        return m


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
        spec = self.spec
        beats = self.dma.beats(output_word_bits(spec))
        beat_bits = 8 * self.dma.bytes_per_cycle
        depth_bits = spec.output_words.bit_length()
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
        entries = Array(Signal(entry, name=f"copy_{i}") for i in range(COPY_ENTRIES))
        tail, reading, head = (Signal(range(COPY_ENTRIES), name=name) for name in ("tail", "reading", "head"))
        unread = Signal(range(COPY_ENTRIES + 1))
        total = Signal(range(COPY_ENTRIES + 1))

        # Taken
        given = self.i_copy.payload
        take = Signal()
        m.d.comb += [
            self.i_copy.ready.eq(total != COPY_ENTRIES),
            take.eq(self.i_copy.valid & self.i_copy.ready),
            self.o_open.eq(total != 0),
        ]
        with m.If(take):
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

        # How far the rows of the command that is leaving have come, as long as their addresses ascend
        running = Signal()
        ascending = Signal()
        pointer = Signal(depth_bits)
        with m.If(self.i_left):
            m.d.sync += running.eq(~self.i_ends_command)
            with m.If(~running | (ascending & (self.i_row_address == pointer))):
                m.d.sync += [pointer.eq(self.i_row_address + 1), ascending.eq(1)]
            with m.Else():
                m.d.sync += ascending.eq(0)

        # Read
        source = entries[reading]
        computed = Signal()
        advance = Signal()
        last = Signal()
        full = Signal()
        m.d.comb += [
            computed.eq(
                reached(self.i_ended, source.needs)
                | ((self.i_ended + 1 == source.needs) & running & (source.next < pointer))
            ),
            self.o_read.eq((unread != 0) & computed & advance),
            self.o_read_address.eq(source.next),
            last.eq(self.o_read & (source.next + 1 == source.end)),
        ]
        with m.If(self.o_read):
            m.d.sync += entries[reading].next.eq(source.next + 1)
        m.d.sync += [reading.eq(reading + last), unread.eq(unread + take - last), total.eq(total + take - self.o_done)]
        with m.If(advance):
            m.d.sync += full.eq(self.o_read)

        # Written
        target = entries[head]
        beat = Signal(range(max(beats, 2)))
        taken = Signal()
        padded = Signal(beats * beat_bits)
        m.d.comb += [
            padded.eq(self.i_data),
            self.o_external.valid.eq(full & target.external),
            self.o_external.payload.address.eq(target.other),
            self.o_external.payload.data.eq(padded.word_select(beat, beat_bits)),
            self.o_write.enable.eq(full & ~target.external & ~self.i_hold),
            self.o_write.address.eq(target.other),
            self.o_write.data.eq(self.i_data),
            taken.eq(self.o_write.enable | (self.o_external.valid & self.o_external.ready & (beat == beats - 1))),
            advance.eq(~full | taken),
            self.o_done.eq(taken & (target.left == 1)),
        ]
        with m.If(self.o_external.valid & self.o_external.ready):
            m.d.sync += beat.eq(Mux(beat == beats - 1, 0, beat + 1))
        with m.If(taken | (self.o_external.valid & self.o_external.ready)):
            m.d.sync += entries[head].other.eq(target.other + 1)
        with m.If(taken):
            m.d.sync += entries[head].left.eq(target.left - 1)
        with m.If(self.o_done):
            m.d.sync += [entries[head].open.eq(0), head.eq(head + 1)]

        m.d.comb += [
            self.o_missing.eq(
                Cat(
                    e.open
                    & ~e.external
                    & (self.i_address >= e.other)
                    & (self.i_address - e.other < e.left)
                    & reached(self.i_index, e.order)
                    for e in entries
                ).any()
            ),
            self.o_keep.eq(
                Cat(
                    e.open
                    & (self.i_row_address >= e.next)
                    & (self.i_row_address < e.end)
                    & reached(self.i_ended, e.order)
                    for e in entries
                ).any()
            ),
        ]
        return m
