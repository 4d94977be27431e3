"""The AXI4 read port obeys the protocol and gives every channel its beats."""

from amaranth.hdl import *

from hw.formal import Bug, Proof
from hw.formal._axi import ADDRESS_BITS, FreeReadSlave, legal, specs
from hw.formal._queue import Watch, no_reset, stable


class Harness(Elaboratable):
    """The port between three channels, of which the first is free, and a free slave."""

    def elaborate(self, platform: object) -> Module:
        from hw.rtl.npu.memory_side.axi_read import AxiRead
        from hw.rtl.npu.memory_side.external_memory import READ_CHANNELS

        m = Module()
        dma, axi = specs()
        m.submodules.read = port = AxiRead(dma, axi)
        no_reset(m)
        slave = FreeReadSlave(m, port, len(READ_CHANNELS))
        mark, stop = Signal(), Signal()
        self.inputs = [mark, stop, *slave.inputs]
        for name in READ_CHANNELS:
            channel = getattr(port, name)
            wants, where, beats, takes = Signal(), Signal(ADDRESS_BITS), Signal(3), Signal()
            self.inputs += [wants, where, beats, takes]
            m.d.comb += [
                channel.request.valid.eq(wants),
                channel.request.payload.address.eq(where),
                channel.request.payload.beats.eq(beats),
                channel.data.ready.eq(takes),
            ]
        read, first = port.axi_r, port.activation
        stopped = Signal()  # stays so
        m.d.sync += stopped.eq(stopped | stop)
        m.d.comb += port.i_stop.eq(stopped)

        stable(m, valid=port.axi_ar.valid, ready=port.axi_ar.ready, payload=port.axi_ar.payload.as_value())
        legal(m, port.axi_ar.valid, port.axi_ar.payload)
        # beats of the first channel reach it, in order and unchanged, unless the port stops
        watch = Watch(
            m,
            payload=slave.data,
            accept=read.valid & read.ready & (slave.identity == 0),
            leave=first.data.valid & first.data.ready,
            mark=mark,
            depth=3,
        )
        with m.If(watch.turn & first.data.valid & ~stopped):
            m.d.comb += Assert(first.data.payload == watch.value)
        # no more beats are asked for than were wanted
        wanted, asked = Signal(8), Signal(8)
        taken = first.request.valid & first.request.ready
        with m.If(taken):
            m.d.sync += wanted.eq(wanted + first.request.payload.beats)
        address = port.axi_ar
        with m.If(address.valid & address.ready & (address.payload.id == 0)):
            m.d.sync += asked.eq(asked + address.payload.len + 1)
        was_valid, was_stopped = Signal(), Signal()
        m.d.sync += [was_valid.eq(address.valid & ~address.ready), was_stopped.eq(stopped)]
        m.d.comb += [
            Assert(asked <= wanted),
            Assert(~port.o_error.orphan),
            Assert(~was_stopped | was_valid | ~address.valid),  # a stopped port begins nothing
            Assert(~(stopped & Cat(getattr(port, name).data.valid for name in READ_CHANNELS).any())),
            Assert(~port.o_idle | ((Cat(n != 0 for n in slave.in_flight) == 0) & ~address.valid)),
            Cover(watch.turn & first.data.valid & first.data.ready & (slave.in_flight[1] != 0)),
            Cover(stopped & port.o_idle & (asked == 2)),
        ]
        return m


PROOF = Proof(
    title="the read port obeys AXI4, asks for no more than is wanted, gives beats to their channel in order, drains",
    build=Harness,
    bounded=7,
    cover=10,
    bugs=(
        Bug(
            name="a burst crosses a page",
            module="hw.rtl.npu.memory_side.axi_read",
            before="Mux(to_page < self.axi.burst_beats, to_page, self.axi.burst_beats)",
            after="self.axi.burst_beats",
        ),
        Bug(
            name="AR falls before it is taken",
            module="hw.rtl.npu.memory_side.axi_read",
            before="with m.If(self.axi_ar.ready):",
            after="with m.If(Const(1)):",
        ),
        Bug(
            name="a request is asked for beyond its end",
            module="hw.rtl.npu.memory_side.axi_read",
            before="length.eq(Mux(left < limit, left, limit))",
            after="length.eq(limit)",
        ),
        Bug(
            name="a beat reaches the wrong channel",
            module="hw.rtl.npu.memory_side.axi_read",
            before="mine.eq(read.valid & (read.payload.id == index) & asked.r_rdy)",
            after="mine.eq(read.valid & asked.r_rdy)",
        ),
        Bug(
            name="a stopped port goes on asking",
            module="hw.rtl.npu.memory_side.axi_read",
            before="want.eq((left != 0) & ~waits & ~self.i_stop)",
            after="want.eq((left != 0) & ~waits)",
        ),
        Bug(
            name="idle while a burst is unanswered",
            module="hw.rtl.npu.memory_side.axi_read",
            before="self.o_idle.eq(~self.axi_ar.valid & ~Cat(unanswered).any())",
            after="self.o_idle.eq(~self.axi_ar.valid)",
        ),
    ),
)
