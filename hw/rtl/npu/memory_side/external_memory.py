"""An external memory for simulation: channels of stated width and latency, no Python in any cycle."""

from amaranth.hdl import *
from amaranth.lib import data, fifo, memory, stream, wiring
from amaranth.lib.wiring import In

from hw.rtl.npu.signature import ReadChannel, external_beat_layout
from hw.spec.dma import COPY_ENTRIES, DmaSpec

READ_CHANNELS = ("activation", "weight", "parameter")


class ExternalMemory(wiring.Component):
    """Beats of `bytes_per_cycle` bytes; every channel moves one per cycle.

    The first beat of a request accepted in cycle t is offered in cycle t + latency_cycles, or right after the
    last beat of the request before. Addresses are beats.

    Members
    -------
    activation, weight, parameter : In(ReadChannel)
    output : In(stream of external_beat_layout(dma))
    i_hold : In(4)
        Bit per channel in this order: nothing is offered (read) or accepted (write) in this cycle.
    """

    def __init__(self, dma: DmaSpec) -> None:
        self.dma = dma
        self.memory = memory.Memory(shape=8 * dma.bytes_per_cycle, depth=dma.external_beats, init=[])
        super().__init__(
            {
                **{name: In(ReadChannel(dma)) for name in READ_CHANNELS},
                "output": In(stream.Signature(external_beat_layout(dma))),
                "i_hold": In(len(READ_CHANNELS) + 1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = self.memory
        now = Signal(32)
        m.d.sync += now.eq(now + 1)
        request = data.StructLayout({"address": 32, "beats": 32, "due": 32})
        for index, name in enumerate(READ_CHANNELS):
            channel = getattr(self, name)
            queue = fifo.SyncFIFO(width=request.size, depth=COPY_ENTRIES)
            m.submodules[f"{name}_requests"] = queue
            port = self.memory.read_port(domain="comb")
            head = Signal(request, name=f"{name}_request")
            sent = Signal(32, name=f"{name}_sent")
            arrives = Signal(request, name=f"{name}_arrives")
            m.d.comb += [
                arrives.address.eq(channel.request.payload.address),
                arrives.beats.eq(channel.request.payload.beats),
                arrives.due.eq(now + self.dma.latency_cycles),
                queue.w_data.eq(arrives),
                queue.w_en.eq(channel.request.valid),
                channel.request.ready.eq(queue.w_rdy),
                head.eq(queue.r_data),
                port.addr.eq(head.address + sent),
                channel.data.payload.eq(port.data),
                channel.data.valid.eq(queue.r_rdy & ~(now - head.due)[31] & ~self.i_hold[index]),
                queue.r_en.eq(channel.data.valid & channel.data.ready & (sent + 1 == head.beats)),
            ]
            with m.If(channel.data.valid & channel.data.ready):
                m.d.sync += sent.eq(Mux(queue.r_en, 0, sent + 1))
        write = self.memory.write_port()
        m.d.comb += [
            self.output.ready.eq(~self.i_hold[-1]),
            write.addr.eq(self.output.payload.address),
            write.data.eq(self.output.payload.data),
            write.en.eq(self.output.valid & self.output.ready),
        ]
        return m
