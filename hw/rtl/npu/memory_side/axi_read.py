"""AXI4 reads: the requests of the three read channels as INCR bursts on one AR/R pair."""

from amaranth.hdl import *
from amaranth.lib import fifo, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from hw.rtl.common.skid import SkidBuffer
from hw.rtl.npu.memory_side.axi_signature import INCR, OKAY, PortError, read_layout, read_members
from hw.rtl.npu.memory_side.external_memory import READ_CHANNELS
from hw.rtl.npu.signature import ReadChannel
from hw.spec.axi import PAGE_BYTES, AxiSpec, check_width
from hw.spec.dma import DmaSpec

BURST_COUNT_BITS = 16
"""Width of the counts of write bursts; differences are taken modulo."""


class AxiRead(wiring.Component):
    """Cuts requests into bursts of at most `burst_beats` that stay within a page; AR in turn, one burst each.

    The channel's number is the ID, so that beats of different channels may come in any order, those of one come in
    order. A request waits for the responses of all writes before it: what follows a FENCE reads what was written.
    AR leaves one cycle after a request is taken; R goes through two registers, since AXI allows no path without one
    from an input to an output. A beat that nobody waits for is dropped.

    Members
    -------
    activation, weight, parameter : In(ReadChannel)
    axi_ar, axi_r : as `read_members`
    i_base : In(64)
        Byte address of beat 0; the low 12 bits are ignored. Constant while bursts are unanswered.
    i_opened, i_responded : In(16)
        Write bursts begun, and answered.
    i_stop : In(1)
        Nothing more is asked for, and beats that arrive are dropped.
    o_idle : Out(1)
        No burst is offered or unanswered.
    o_error : Out(PortError)
    """

    def __init__(self, dma: DmaSpec, axi: AxiSpec) -> None:
        check_width(dma)
        self.dma, self.axi = dma, axi
        super().__init__(
            {
                **{name: In(ReadChannel(dma)) for name in READ_CHANNELS},
                **read_members(dma),
                "i_base": In(64),
                "i_opened": In(BURST_COUNT_BITS),
                "i_responded": In(BURST_COUNT_BITS),
                "i_stop": In(1),
                "o_idle": Out(1),
                "o_error": Out(PortError()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._page = Cat(Const(0, 12), self.i_base[12:])
        self._size = exact_log2(self.dma.bytes_per_cycle)
        m.submodules.beats = beats = SkidBuffer(read_layout(self.dma))
        wiring.connect(m, wiring.flipped(self.axi_r), beats.i)
        self._arrived = read = beats.o
        wants, taken, addresses, lengths, unanswered = [], [], [], [], []
        error = self.o_error
        for index, name in enumerate(READ_CHANNELS):
            want, take, address, length = self._requests(m, name)
            wants.append(want)
            taken.append(take)
            addresses.append(address)
            lengths.append(length)
            unanswered.append(self._beats(m, index, name, take, address))
        moved = read.valid & read.ready
        m.d.comb += [
            error.valid.eq(moved & (read.payload.resp != OKAY) & ~error.orphan),
            error.response.eq(read.payload.resp),
            error.channel.eq(read.payload.id),
            self.o_idle.eq(~self.axi_ar.valid & ~Cat(unanswered).any()),
        ]
        with m.If(
            read.valid & ~Cat(waits & (read.payload.id == index) for index, waits in enumerate(unanswered)).any()
        ):
            m.d.comb += [error.orphan.eq(1), read.ready.eq(1)]
        self._offer(m, wants, taken, addresses, lengths)
        return m

    def _requests(self, m: Module, name: str) -> tuple[Signal, Signal, Signal, Signal]:
        """The bursts of one channel: whether one is wanted, taken, its first beat, its beats."""
        channel = getattr(self, name)
        page = PAGE_BYTES >> self._size
        address, left = Signal(32, name=f"{name}_address"), Signal(32, name=f"{name}_left")
        barrier = Signal(BURST_COUNT_BITS, name=f"{name}_barrier")
        waits = Signal(name=f"{name}_waits")
        length = Signal(range(min(self.axi.burst_beats, page) + 1), name=f"{name}_length")
        take, want = Signal(name=f"{name}_take"), Signal(name=f"{name}_want")
        limit = Signal.like(length, name=f"{name}_limit")
        to_page = page - address[: exact_log2(page)]
        m.d.comb += [
            limit.eq(Mux(to_page < self.axi.burst_beats, to_page, self.axi.burst_beats)),
            length.eq(Mux(left < limit, left, limit)),
            channel.request.ready.eq((left == 0) & ~self.i_stop),
            want.eq((left != 0) & ~waits & ~self.i_stop),
        ]
        with m.If(channel.request.valid & channel.request.ready):
            m.d.sync += [
                address.eq(channel.request.payload.address),
                left.eq(channel.request.payload.beats),
                barrier.eq(self.i_opened),
                waits.eq(1),
            ]
        with m.Elif(~(self.i_responded - barrier)[-1]):
            m.d.sync += waits.eq(0)
        with m.If(take):
            m.d.sync += [address.eq(address + length), left.eq(left - length)]
        return want, take, address, length

    def _beats(self, m: Module, index: int, name: str, take: Signal, address: Signal) -> Signal:
        """The beats of one channel; whether a burst of it is unanswered."""
        channel, read, error = getattr(self, name), self._arrived, self.o_error
        asked = fifo.SyncFIFO(width=len(address), depth=self.axi.outstanding)
        m.submodules[f"{name}_asked"] = asked
        count = Signal(8, name=f"{name}_beat")
        # not before valid is high: until then the ID is unknown
        mine = Signal(name=f"{name}_arrives")
        ended = Signal(name=f"{name}_ended")
        m.d.comb += [
            asked.w_data.eq(address),
            asked.w_en.eq(take),
            mine.eq(read.valid & (read.payload.id == index) & asked.r_rdy),
            channel.data.valid.eq(mine & ~self.i_stop),
            channel.data.payload.eq(read.payload.data),
            ended.eq(mine & read.ready & read.payload.last),
            asked.r_en.eq(ended),
        ]
        with m.If(mine):
            m.d.comb += [
                read.ready.eq(channel.data.ready | self.i_stop),
                error.address.eq(self._page + ((asked.r_data + count) << self._size)),
            ]
        with m.If(mine & read.ready):
            m.d.sync += count.eq(Mux(read.payload.last, 0, count + 1))
        return asked.r_rdy

    def _offer(
        self, m: Module, wants: list[Signal], taken: list[Signal], addresses: list[Signal], lengths: list[Signal]
    ) -> None:
        """In turn: the first that wants and may, from the one after the last on."""
        free = Signal()
        turn = Signal(range(len(READ_CHANNELS)))
        m.d.comb += free.eq(~self.axi_ar.valid | self.axi_ar.ready)
        with m.If(self.axi_ar.ready):
            m.d.sync += self.axi_ar.valid.eq(0)
        room = [getattr(m.submodules, f"{name}_asked").w_rdy for name in READ_CHANNELS]
        with m.Switch(turn):
            for first in range(len(READ_CHANNELS)):
                with m.Case(first):
                    earlier: Value = Const(0)
                    for step in range(len(READ_CHANNELS)):
                        index = (first + step) % len(READ_CHANNELS)
                        may = wants[index] & room[index]
                        m.d.comb += taken[index].eq(free & may & ~earlier)
                        earlier = earlier | may
        for index, take in enumerate(taken):
            with m.If(take):
                m.d.sync += [
                    turn.eq((index + 1) % len(READ_CHANNELS)),
                    self.axi_ar.valid.eq(1),
                    self.axi_ar.payload.id.eq(index),
                    self.axi_ar.payload.addr.eq(self._page + (addresses[index] << self._size)),
                    self.axi_ar.payload.len.eq(lengths[index] - 1),
                    self.axi_ar.payload.size.eq(self._size),
                    self.axi_ar.payload.burst.eq(INCR),
                ]
