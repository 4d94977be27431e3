"""AXI4 writes: the beats of the output channel, gathered into INCR bursts."""

from amaranth.hdl import *
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from hw.rtl.npu.memory_side.axi_read import BURST_COUNT_BITS
from hw.rtl.npu.memory_side.axi_signature import INCR, OKAY, OUTPUT_CHANNEL, PortError, write_members
from hw.rtl.npu.signature import external_beat_layout
from hw.spec.axi import PAGE_BYTES, AxiSpec, check_width
from hw.spec.dma import DmaSpec

CLOSED_BURSTS = 4
"""Bursts whose address, and whose beats, may wait at the port."""


class AxiWrite(wiring.Component):
    """Gathers beats at ascending addresses; a burst is closed when the next beat does not belong to it.

    It is also closed when no beat comes while nothing else is being written. Beats wait until their burst is
    closed, two bursts of them at most. AW and W are offered from then on, neither waiting for the other to be taken.
    Every ID is 0, so responses come in order; at most `outstanding` bursts are unanswered.

    Members
    -------
    output : In(stream of external_beat_layout(dma))
    axi_aw, axi_w, axi_b : as `write_members`
    i_base : In(64)
        Byte address of beat 0; the low 12 bits are ignored. Constant while bursts are unanswered.
    i_stop : In(1)
        No further beat is taken; what was taken is written.
    o_opened, o_responded : Out(16)
        Bursts begun, and answered.
    o_error : Out(PortError)
    """

    def __init__(self, dma: DmaSpec, axi: AxiSpec) -> None:
        check_width(dma)
        self.dma, self.axi = dma, axi
        super().__init__(
            {
                "output": In(stream.Signature(external_beat_layout(dma))),
                **write_members(dma),
                "i_base": In(64),
                "i_stop": In(1),
                "o_opened": Out(BURST_COUNT_BITS),
                "o_responded": Out(BURST_COUNT_BITS),
                "o_error": Out(PortError()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        size = exact_log2(self.dma.bytes_per_cycle)
        page_bits = exact_log2(PAGE_BYTES >> size)
        most = self.axi.burst_beats
        burst = data.StructLayout({"address": 32, "beats": range(most + 1)})
        m.submodules.beats = beats = fifo.SyncFIFO(width=8 * self.dma.bytes_per_cycle, depth=2 * most)
        m.submodules.closed = closed = fifo.SyncFIFO(width=burst.size, depth=CLOSED_BURSTS)
        m.submodules.lengths = lengths = fifo.SyncFIFO(width=most.bit_length(), depth=CLOSED_BURSTS)
        m.submodules.unanswered = unanswered = fifo.SyncFIFO(width=32, depth=self.axi.outstanding)

        # Gather
        given = self.output.payload
        start, count = Signal(32), Signal(range(most + 1))
        offered, fits, take, close, room = Signal(), Signal(), Signal(), Signal(), Signal()
        quiet = ~closed.r_rdy & ~lengths.r_rdy
        m.d.comb += [
            room.eq(closed.w_rdy & lengths.w_rdy & unanswered.w_rdy),
            offered.eq(self.output.valid & ~self.i_stop),
            fits.eq((count != most) & (given.address == start + count) & (given.address[:page_bits] != 0)),
            self.output.ready.eq(~self.i_stop & beats.w_rdy & ((count == 0) | fits | room)),
            take.eq(self.output.valid & self.output.ready),
            beats.w_data.eq(given.data),
            beats.w_en.eq(take),
            close.eq((count != 0) & room & Mux(offered, beats.w_rdy & ~fits, quiet)),
        ]
        # with both queues full nothing would be closed: a full burst never waits for the next beat
        with m.If((count != 0) & ~beats.w_rdy & room):
            m.d.comb += close.eq(1)
        # address and beats are handed over together: a slave may want to see either before it takes the other
        m.d.comb += [
            data.View(burst, closed.w_data).address.eq(start),
            data.View(burst, closed.w_data).beats.eq(count),
            closed.w_en.eq(close),
            lengths.w_data.eq(count),
            lengths.w_en.eq(close),
            unanswered.w_data.eq(start),
            unanswered.w_en.eq(close),
        ]
        opens = take & ((count == 0) | ~fits)
        with m.If(opens):
            m.d.sync += [start.eq(given.address), count.eq(1), self.o_opened.eq(self.o_opened + 1)]
        with m.Elif(close):
            m.d.sync += count.eq(0)
        with m.Elif(take):
            m.d.sync += count.eq(count + 1)

        # Addresses
        page = Cat(Const(0, 12), self.i_base[12:])
        head = data.View(burst, closed.r_data)
        m.d.comb += [
            self.axi_aw.valid.eq(closed.r_rdy),
            self.axi_aw.payload.addr.eq(page + (head.address << size)),
            self.axi_aw.payload.len.eq(head.beats - 1),
            self.axi_aw.payload.size.eq(size),
            self.axi_aw.payload.burst.eq(INCR),
            closed.r_en.eq(self.axi_aw.valid & self.axi_aw.ready),
        ]

        # Beats
        sent = Signal(range(most + 1))
        moved = Signal()
        m.d.comb += [
            self.axi_w.valid.eq(lengths.r_rdy & beats.r_rdy),
            self.axi_w.payload.data.eq(beats.r_data),
            self.axi_w.payload.strb.eq(~0),
            self.axi_w.payload.last.eq(sent + 1 == lengths.r_data),
            moved.eq(self.axi_w.valid & self.axi_w.ready),
            beats.r_en.eq(moved),
            lengths.r_en.eq(moved & self.axi_w.payload.last),
        ]
        with m.If(moved):
            m.d.sync += sent.eq(Mux(self.axi_w.payload.last, 0, sent + 1))

        # Responses
        error, answer = self.o_error, Signal()
        m.d.comb += [
            self.axi_b.ready.eq(1),
            answer.eq(self.axi_b.valid & unanswered.r_rdy),
            unanswered.r_en.eq(answer),
            error.valid.eq(answer & (self.axi_b.payload.resp != OKAY)),
            error.orphan.eq(self.axi_b.valid & ~unanswered.r_rdy),
            error.address.eq(page + (unanswered.r_data << size)),
            error.response.eq(self.axi_b.payload.resp),
            error.channel.eq(OUTPUT_CHANNEL),
        ]
        m.d.sync += self.o_responded.eq(self.o_responded + answer)
        return m
