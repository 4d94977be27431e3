"""Read channels: words from the external memory into a scratchpad; and what all copy channels share.

Each channel keeps its open copies in registers, so that a reader of the memory can be told in the same cycle
whether its word is still to come: the computation follows a copy word by word.
"""

from amaranth.hdl import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.rtl.npu.signature import ReadChannel, WritePort
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
