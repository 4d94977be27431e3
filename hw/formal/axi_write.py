"""The AXI4 write port obeys the protocol and writes what it was given."""

from amaranth.hdl import *

from hw.formal import Bug, Proof
from hw.formal._axi import ADDRESS_BITS, COUNT_BITS, FreeWriteSlave, constant, count, legal, specs
from hw.formal._queue import Watch, no_reset, stable


class Harness(Elaboratable):
    """The port between a free channel of beats and a free slave."""

    def elaborate(self, platform: object) -> Module:
        from hw.rtl.npu.memory_side.axi_write import AxiWrite

        m = Module()
        dma, axi = specs()
        m.submodules.write = port = AxiWrite(dma, axi)
        given, valid, mark, chosen = Signal(ADDRESS_BITS + 8), Signal(), Signal(), Signal(COUNT_BITS)
        no_reset(m)
        slave = FreeWriteSlave(m, port)
        self.inputs = [given, valid, mark, chosen, *slave.inputs]
        address, beat, answer = port.axi_aw, port.axi_w, port.axi_b
        m.d.comb += [
            port.output.payload.address.eq(given[:ADDRESS_BITS]),
            port.output.payload.data.eq(given[ADDRESS_BITS:]),
            port.output.valid.eq(valid),
        ]
        accept, leave = valid & port.output.ready, beat.valid & beat.ready
        watch = Watch(m, payload=given, accept=accept, leave=leave, mark=mark, depth=2 * axi.burst_beats)

        # AXI rules
        stable(m, valid=address.valid, ready=address.ready, payload=address.payload.as_value())
        stable(m, valid=beat.valid, ready=beat.ready, payload=beat.payload.as_value())
        legal(m, address.valid, address.payload)
        m.d.comb += [
            # neither waits for the other to be taken: both are offered at once
            Assert(~(address.valid & (slave.addressed == slave.ended)) | beat.valid),
            Assert(~(beat.valid & (slave.addressed == slave.ended)) | address.valid),
            Assert(~beat.valid | beat.payload.strb.all()),
            Assert(answer.ready),
        ]

        # One burst of many: its address, the beats up to its WLAST
        index = constant(m, chosen, "index")
        position = Signal(4)
        with m.If(leave):
            m.d.sync += position.eq(Mux(beat.payload.last, 0, position + 1))
        first, length, known = Signal(32), Signal(8), Signal()
        beats, over = Signal(8), Signal()
        with m.If(address.valid & address.ready & (slave.addressed == index)):
            m.d.sync += [first.eq(address.payload.addr), length.eq(address.payload.len), known.eq(1)]
        with m.If(leave & beat.payload.last & (slave.ended == index)):
            m.d.sync += [beats.eq(position), over.eq(1)]
        # the marked beat: it leaves unchanged, at its place in the burst it belongs to
        expected, placed = Signal(32), Signal()
        with m.If(watch.turn & leave):
            m.d.comb += Assert(beat.payload.data == watch.value[ADDRESS_BITS:])
            with m.If(slave.ended == index):
                m.d.sync += [expected.eq(watch.value[:ADDRESS_BITS] - position), placed.eq(1)]
        with m.If(known & over):
            m.d.comb += Assert(beats == length)
        with m.If(known & placed):
            m.d.comb += Assert(first == expected)

        # Responses: none is lost, an error is reported with its burst's address
        opened = count(m, Const(1), "cycles")
        m.d.comb += [
            Assert(port.o_responded == slave.answered),
            Assert(port.o_error.valid == (answer.valid & (slave.response != 0))),
            Assert(~port.o_error.orphan),
            Cover((port.o_responded == 2) & watch.seen & (opened > 4)),
        ]
        with m.If(port.o_error.valid & known & (slave.answered == index)):
            m.d.comb += Assert(port.o_error.address[:32] == first)
        return m


PROOF = Proof(
    title="the write port obeys AXI4, offers address and beats together, writes every beat once at its place",
    build=Harness,
    bounded=7,
    cover=10,
    bugs=(
        Bug(
            name="W waits for AW to be taken",
            module="hw.rtl.npu.memory_side.axi_write",
            before="self.axi_w.valid.eq(lengths.r_rdy & beats.r_rdy)",
            after="self.axi_w.valid.eq(lengths.r_rdy & beats.r_rdy & ~closed.r_rdy)",
        ),
        Bug(
            name="a burst goes on over a page",
            module="hw.rtl.npu.memory_side.axi_write",
            before=" & (given.address[:page_bits] != 0)",
            after="",
        ),
        Bug(
            name="WLAST one beat late",
            module="hw.rtl.npu.memory_side.axi_write",
            before="self.axi_w.payload.last.eq(sent + 1 == lengths.r_data)",
            after="self.axi_w.payload.last.eq(sent == lengths.r_data)",
        ),
        Bug(
            name="the next address shows before the first is taken",
            module="hw.rtl.npu.memory_side.axi_write",
            before="closed.r_en.eq(self.axi_aw.valid & self.axi_aw.ready)",
            after="closed.r_en.eq(self.axi_aw.valid)",
        ),
        Bug(
            name="the error's address is that of the burst being gathered",
            module="hw.rtl.npu.memory_side.axi_write",
            before="error.address.eq(page + (unanswered.r_data << size))",
            after="error.address.eq(page + (start << size))",
        ),
    ),
)
