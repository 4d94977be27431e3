"""The core with its output memory: the top level that is simulated."""

from amaranth.hdl import *
from amaranth.lib import wiring

from hw.rtl.common.ram import Ram
from hw.rtl.npu.mac_array import CellStyle
from hw.rtl.npu.memory_side.external_memory import READ_CHANNELS, ExternalMemory
from hw.rtl.npu.signature import CoreTopSignature
from hw.rtl.npu.top import top
from hw.spec.command import output_word_bits
from hw.spec.core import CoreSpec


class CoreTop(wiring.Component):
    """`Core` followed by `output_memory`; ports as `CoreTopSignature`.

    Memories, as Verilog registers below this module: `core.activation_memory.memory`,
    `core.weight_memory.memory`, `core.drain.parameter_memory`, `core.accumulator.accumulator_memory`,
    `output_memory`, each with `.ram_words`, and, with copy channels, `external.memory`.

    Parameters
    ----------
    core : CoreSpec
    cells : "inline" or "instance"
        See `hw.rtl.npu.mac_array.MacArray`; a weight-stationary core only.
    """

    def __init__(self, core: CoreSpec, *, cells: CellStyle = "inline") -> None:
        self.spec = core
        self.core = top(core, cells=cells)
        self.output_memory = Ram(shape=output_word_bits(core), depth=core.output_words)
        self.external = None if core.dma is None else ExternalMemory(core.dma)
        super().__init__(CoreTopSignature(core))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.core = core = self.core
        m.submodules.output_memory = self.output_memory
        for name, member in self.signature.members.items():
            if name in ("i_output_hold", "i_external_hold"):
                continue
            if member.is_signature:
                wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(core, name))
            else:
                m.d.comb += getattr(core, name).eq(getattr(self, name))
        if self.external is not None:
            m.submodules.external = external = self.external
            for name in READ_CHANNELS:
                wiring.connect(m, getattr(core.external, name), getattr(external, name))
            wiring.connect(m, core.external.output, external.output)
            read = self.output_memory.read_port()
            m.d.comb += [
                external.i_hold.eq(self.i_external_hold),
                read.addr.eq(core.external.row_address),
                read.en.eq(core.external.row_read),
                core.external.row_data.eq(read.data),
            ]
        write = self.output_memory.write_port()
        m.d.comb += [
            core.o_row.ready.eq(~self.i_output_hold),
            write.addr.eq(core.o_row.payload.address),
            write.data.eq(core.o_row.payload.data),
            write.en.eq(core.o_row.valid & core.o_row.ready),
        ]
        return m
