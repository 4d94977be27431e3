"""AXI4 reads: the requests of the three read channels as INCR bursts on one AR/R pair."""

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from hw.rtl.axi_signature import INCR, OKAY, read_members
from hw.rtl.external_memory import READ_CHANNELS
from hw.rtl.signature import ReadChannel
from hw.spec.axi import PAGE_BYTES, AxiSpec, check_width
from hw.spec.dma import DmaSpec

BURST_COUNT_BITS = 16
"""Width of the counts of write bursts; differences are taken modulo."""


class AxiRead(wiring.Component):
    """Cuts requests into bursts of at most `burst_beats` that stay within a page; AR in turn, one burst each.

    The channel's number is the ID, so that beats of different channels may come in any order, those of one come in
    order. A request waits for the responses of all writes before it: what follows a FENCE reads what was written.
    AR leaves one cycle after a request is taken, R passes through.

    Members
    -------
    activation, weight, parameter : In(ReadChannel)
    axi_ar, axi_r : as `read_members`
    i_base : In(64)
        Byte address of beat 0; the low 12 bits are ignored.
    i_opened, i_responded : In(16)
        Write bursts begun, and answered.
    o_error : Out(1)
        A beat with a response other than OKAY arrives.
    """

    def __init__(self, dma: DmaSpec, axi: AxiSpec) -> None:
        check_width(dma)
        self.dma, self.axi = dma, axi
        super().__init__({
            **{name: In(ReadChannel(dma)) for name in READ_CHANNELS},
            **read_members(dma),
            "i_base": In(64),
            "i_opened": In(BURST_COUNT_BITS),
            "i_responded": In(BURST_COUNT_BITS),
            "o_error": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        size = exact_log2(self.dma.bytes_per_cycle)
        page = PAGE_BYTES >> size
        page_bits = exact_log2(page)
        wants, taken, addresses, lengths = [], [], [], []
        for index, name in enumerate(READ_CHANNELS):
            channel = getattr(self, name)
            address, left = Signal(32, name=f"{name}_address"), Signal(32, name=f"{name}_left")
            barrier = Signal(BURST_COUNT_BITS, name=f"{name}_barrier")
            waits = Signal(name=f"{name}_waits")
            out = Signal(range(self.axi.outstanding + 1), name=f"{name}_outstanding")
            length = Signal(range(min(self.axi.burst_beats, page) + 1), name=f"{name}_length")
            take = Signal(name=f"{name}_take")
            limit = Signal.like(length, name=f"{name}_limit")
            to_page = page - address[:page_bits]
            m.d.comb += [
                limit.eq(Mux(to_page < self.axi.burst_beats, to_page, self.axi.burst_beats)),
                length.eq(Mux(left < limit, left, limit)),
                channel.request.ready.eq(left == 0),
            ]
            ended = self.axi_r.valid & self.axi_r.ready & self.axi_r.payload.last & (self.axi_r.payload.id == index)
            m.d.sync += out.eq(out + take - ended)
            with m.If(channel.request.valid & channel.request.ready):
                m.d.sync += [
                    address.eq(channel.request.payload.address), left.eq(channel.request.payload.beats),
                    barrier.eq(self.i_opened), waits.eq(1)]
            with m.Elif(~(self.i_responded - barrier)[-1]):
                m.d.sync += waits.eq(0)
            with m.If(take):
                m.d.sync += [address.eq(address + length), left.eq(left - length)]
            wants.append((left != 0) & ~waits & (out != self.axi.outstanding))
            taken.append(take)
            addresses.append(address)
            lengths.append(length)

            # Data
            mine = self.axi_r.payload.id == index
            m.d.comb += [
                channel.data.valid.eq(self.axi_r.valid & mine),
                channel.data.payload.eq(self.axi_r.payload.data),
            ]
            with m.If(mine):
                m.d.comb += self.axi_r.ready.eq(channel.data.ready)
        m.d.comb += self.o_error.eq(
            self.axi_r.valid & self.axi_r.ready & (self.axi_r.payload.resp != OKAY))

        # In turn: the first that wants, from the one after the last on
        free = Signal()
        turn = Signal(range(len(READ_CHANNELS)))
        m.d.comb += free.eq(~self.axi_ar.valid | self.axi_ar.ready)
        with m.If(self.axi_ar.ready):
            m.d.sync += self.axi_ar.valid.eq(0)
        with m.Switch(turn):
            for first in range(len(READ_CHANNELS)):
                with m.Case(first):
                    earlier: Value = Const(0)
                    for step in range(len(READ_CHANNELS)):
                        index = (first + step) % len(READ_CHANNELS)
                        m.d.comb += taken[index].eq(free & wants[index] & ~earlier)
                        earlier = earlier | wants[index]
        for index, take in enumerate(taken):
            with m.If(take):
                m.d.sync += [
                    turn.eq((index + 1) % len(READ_CHANNELS)),
                    self.axi_ar.valid.eq(1),
                    self.axi_ar.payload.id.eq(index),
                    self.axi_ar.payload.addr.eq(Cat(Const(0, 12), self.i_base[12:]) + (addresses[index] << size)),
                    self.axi_ar.payload.len.eq(lengths[index] - 1),
                    self.axi_ar.payload.size.eq(size),
                    self.axi_ar.payload.burst.eq(INCR),
                ]
        return m
