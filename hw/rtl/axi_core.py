"""A core behind AXI: one AXI4 master for all copies, AXI4-Lite registers for commands, status and counters."""

from amaranth.hdl import *
from amaranth.lib import memory, wiring

from hw.rtl.axi_lite import AxiLite
from hw.rtl.axi_read import AxiRead
from hw.rtl.axi_signature import lite_members, read_members, write_members
from hw.rtl.axi_write import AxiWrite
from hw.rtl.core import Core
from hw.rtl.external_memory import READ_CHANNELS
from hw.rtl.os_core import OsCore
from hw.spec.axi import AxiSpec, check_width
from hw.spec.command import output_word_bits
from hw.spec.core import CoreSpec
from hw.spec.error import InputError


class AxiCore(wiring.Component):
    """`Core` with its output memory between an `AxiRead`, an `AxiWrite` and an `AxiLite`; the core is unchanged.

    The host reaches the memories through the external memory only. Operands come and results go over one AXI4 port as
    wide as a beat, so that the copy channels share its bandwidth; `latency_cycles` of the spec has no meaning here.

    Members
    -------
    axi_ar, axi_r, axi_aw, axi_w, axi_b : AXI4 master
    lite_aw, lite_w, lite_b, lite_ar, lite_r : AXI4-Lite slave
    """

    def __init__(self, core: CoreSpec, axi: AxiSpec = AxiSpec()) -> None:  # noqa: B008  (frozen)
        if core.dma is None:
            raise InputError("a core behind AXI must have copy channels; set dma of the core")
        check_width(core.dma)
        self.spec = core
        self.core = Core(core) if core.array.dataflow == "ws" else OsCore(core)
        self.read, self.write, self.registers = AxiRead(core.dma, axi), AxiWrite(core.dma, axi), AxiLite()
        self.output_memory = memory.Memory(shape=output_word_bits(core), depth=core.output_words, init=[])
        super().__init__({**read_members(core.dma), **write_members(core.dma), **lite_members()})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.core = core = self.core
        m.submodules.axi_read = read = self.read
        m.submodules.axi_write = write = self.write
        m.submodules.axi_lite = registers = self.registers
        m.submodules.output_memory = self.output_memory
        for part in (read, write, registers):
            for name in part.signature.members:
                if name.startswith(("axi_", "lite_")):
                    wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(part, name))
        for name in READ_CHANNELS:
            wiring.connect(m, getattr(core.external, name), getattr(read, name))
        wiring.connect(m, core.external.output, write.output)
        wiring.connect(m, registers.o_command, core.i_command)
        wiring.connect(m, core.status, registers.i_status)
        wiring.connect(m, core.counters, registers.i_counters)
        m.d.comb += [
            read.i_base.eq(registers.o_base),
            write.i_base.eq(registers.o_base),
            read.i_opened.eq(write.o_opened),
            read.i_responded.eq(write.o_responded),
            registers.i_read_error.eq(read.o_error),
            registers.i_write_error.eq(write.o_error),
            registers.i_writing.eq(write.o_opened != write.o_responded),
            core.i_clear.eq(registers.o_clear),
        ]
        row, fetch = self.output_memory.write_port(), self.output_memory.read_port()
        m.d.comb += [
            core.o_row.ready.eq(1),
            row.addr.eq(core.o_row.payload.address),
            row.data.eq(core.o_row.payload.data),
            row.en.eq(core.o_row.valid),
            fetch.addr.eq(core.external.row_address),
            fetch.en.eq(core.external.row_read),
            core.external.row_data.eq(fetch.data),
        ]
        return m
