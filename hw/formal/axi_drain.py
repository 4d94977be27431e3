"""A soft reset comes only when nothing is in flight on the AXI port, and after an error nothing begins."""

from amaranth.hdl import *

from hw.formal import Bug, Proof
from hw.formal._axi import ADDRESS_BITS, FreeReadSlave, FreeWriteSlave, specs
from hw.formal._queue import no_reset, stable


class Harness(Elaboratable):
    """Both ports and their control between a free core, a free host and a free slave."""

    def elaborate(self, platform: object) -> Module:
        from hw.rtl.npu.memory_side.axi_control import PortControl
        from hw.rtl.npu.memory_side.axi_read import AxiRead
        from hw.rtl.npu.memory_side.axi_write import AxiWrite

        m = Module()
        dma, axi = specs()
        control, read, write = PortControl(), AxiRead(dma, axi), AxiWrite(dma, axi)
        m.submodules.control = control
        m.submodules.read = ResetInserter(control.o_restart)(read)
        m.submodules.write = ResetInserter(control.o_restart)(write)
        no_reset(m)
        reads, writes = FreeReadSlave(m, read, 1), FreeWriteSlave(m, write)
        wants, where, beats, gives, given, soft = (
            Signal(),
            Signal(ADDRESS_BITS),
            Signal(3),
            Signal(),
            Signal(ADDRESS_BITS),
            Signal(),
        )
        self.inputs = [wants, where, beats, gives, given, soft, *reads.inputs, *writes.inputs]
        writing = write.o_opened != write.o_responded
        m.d.comb += [
            read.activation.request.valid.eq(wants),
            read.activation.request.payload.address.eq(where),
            read.activation.request.payload.beats.eq(beats),
            read.activation.data.ready.eq(1),
            write.output.valid.eq(gives),
            write.output.payload.address.eq(given),
            read.i_opened.eq(write.o_opened),
            read.i_responded.eq(write.o_responded),
            control.i_soft_reset.eq(soft),
            control.i_error.eq(read.o_error.valid | write.o_error.valid),
            control.i_idle.eq(read.o_idle & ~writing),
            read.i_stop.eq(control.o_stop),
            write.i_stop.eq(control.o_stop),
        ]
        for channel in (read.axi_ar, write.axi_aw, write.axi_w):
            stable(m, valid=channel.valid, ready=channel.ready, payload=channel.payload.as_value())
        offered = read.axi_ar.valid | write.axi_aw.valid | write.axi_w.valid
        unanswered = (
            (reads.in_flight[0] != 0) | (writes.addressed != writes.answered) | (writes.ended != writes.answered)
        )
        failed = Signal()
        m.d.sync += failed.eq((failed | control.i_error) & ~control.o_restart)
        m.d.comb += [
            Assert(~control.o_restart | ~(offered | unanswered)),
            Assert(~failed | control.o_stop),
            Assert(~(control.o_stop & (write.output.ready | read.activation.request.ready))),
            Assert(~read.o_error.orphan & ~write.o_error.orphan),
            Cover(control.o_restart & (writes.answered == 1)),
            Cover(control.o_restart & (reads.in_flight[0] == 0) & failed),
        ]
        return m


PROOF = Proof(
    title="a soft reset comes when nothing is in flight; after an error response nothing new begins",
    build=Harness,
    bounded=7,
    cover=12,
    bugs=(
        Bug(
            name="the reset does not wait",
            module="hw.rtl.npu.memory_side.axi_control",
            before="m.If(self.i_idle)",
            after="m.If(Const(1))",
        ),
        Bug(
            name="an error stops nothing",
            module="hw.rtl.npu.memory_side.axi_control",
            before="with m.Elif(self.i_error):",
            after="with m.Elif(self.i_error & self.i_soft_reset):",
        ),
        Bug(
            name="a stopped port takes beats",
            module="hw.rtl.npu.memory_side.axi_write",
            before="self.output.ready.eq(~self.i_stop & beats.w_rdy",
            after="self.output.ready.eq(beats.w_rdy",
        ),
    ),
)
