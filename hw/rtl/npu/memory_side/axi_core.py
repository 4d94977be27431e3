"""A core behind AXI: one AXI4 master for all copies, AXI4-Lite registers for commands, status and counters."""

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from hw.base.error import InputError
from hw.rtl.common.ram import Ram
from hw.rtl.npu.memory_side.axi_control import PortControl, PortState
from hw.rtl.npu.memory_side.axi_lite import AxiLite
from hw.rtl.npu.memory_side.axi_read import BURST_COUNT_BITS, AxiRead
from hw.rtl.npu.memory_side.axi_signature import lite_members, read_members, write_members
from hw.rtl.npu.memory_side.axi_write import AxiWrite
from hw.rtl.npu.memory_side.external_memory import READ_CHANNELS
from hw.rtl.npu.top import top
from hw.spec.axi import AxiSpec, capabilities, check_width
from hw.spec.command import output_word_bits
from hw.spec.core import CoreSpec
from hw.spec.register import WORD_BITS


class AxiCore(wiring.Component):
    """`Core` with its output memory between an `AxiRead`, an `AxiWrite` and an `AxiLite`; the core is unchanged.

    The host reaches the memories through the external memory only. Operands come and results go over one AXI4 port as
    wide as a beat, so that the copy channels share its bandwidth; `latency_cycles` of the spec has no meaning here.
    An error response stops the core: nothing is asked for or written any more, until a soft reset, which the host may
    also ask for at any time. It lets every burst that is in flight end before core and port are reset.

    Parameters
    ----------
    core : CoreSpec
    axi : AxiSpec
    build : int
        64-bit build digest for the registers.

    Members
    -------
    axi_ar, axi_r, axi_aw, axi_w, axi_b : AXI4 master
    lite_aw, lite_w, lite_b, lite_ar, lite_r : AXI4-Lite slave
    o_interrupt : Out(1)
        High while a bit of `interrupt` that is enabled is set.
    """

    def __init__(self, core: CoreSpec, axi: AxiSpec = AxiSpec(), build: int = 0) -> None:  # noqa: B008  (frozen)
        if core.dma is None:
            raise InputError("a core behind AXI must have copy channels; set dma of the core")
        check_width(core.dma)
        self.spec, self.axi = core, axi
        self.core = top(core)
        self.read, self.write = AxiRead(core.dma, axi), AxiWrite(core.dma, axi)
        self.registers = AxiLite(capabilities(core, axi, build))
        self.output_memory = Ram(shape=output_word_bits(core), depth=core.output_words)
        super().__init__({**read_members(core.dma), **write_members(core.dma), **lite_members(), "o_interrupt": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.control = control = PortControl()
        state, restart = control.o_state, control.o_restart
        core, read, write, registers = self.core, self.read, self.write, self.registers
        m.submodules.core = ResetInserter(restart)(core)
        m.submodules.axi_read = ResetInserter(restart)(read)
        m.submodules.axi_write = ResetInserter(restart)(write)
        m.submodules.axi_lite = registers
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
        wiring.connect(m, read.o_error, registers.i_read)
        wiring.connect(m, write.o_error, registers.i_write)
        writing, idle = Signal(), Signal()
        m.d.comb += [
            read.i_base.eq(registers.o_base),
            write.i_base.eq(registers.o_base),
            read.i_opened.eq(write.o_opened),
            read.i_responded.eq(write.o_responded),
            control.i_soft_reset.eq(registers.o_soft_reset),
            control.i_error.eq(read.o_error.valid | write.o_error.valid),
            control.i_idle.eq(idle),
            read.i_stop.eq(control.o_stop),
            write.i_stop.eq(control.o_stop),
            writing.eq(write.o_opened != write.o_responded),
            idle.eq(read.o_idle & ~writing),
            core.i_clear.eq(registers.o_clear),
            self.o_interrupt.eq(registers.o_interrupt),
        ]
        m.d.comb += [
            registers.i_busy.eq(
                Mux(state == PortState.RUN, core.status.busy | writing, (state != PortState.STOPPED) | ~idle)
            ),
            registers.i_running.eq(state == PortState.RUN),
            registers.i_stopped.eq(state == PortState.STOPPED),
            registers.i_draining.eq(state == PortState.DRAIN),
            registers.i_reset_done.eq(restart),
        ]
        self._completed(m, restart)
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

    def _completed(self, m: Module, restart: Signal) -> None:
        """Commands ended whose writes are answered: the core counts a copy when its last beat is handed over.

        The count is noted together with the number of bursts begun; it is shown when so many are answered.
        """
        write, status = self.write, self.core.status
        noted, barrier, waits = Signal(WORD_BITS), Signal(BURST_COUNT_BITS), Signal()
        shown = self.registers.i_completed
        held = Signal(WORD_BITS, name="completed")
        m.d.comb += shown.eq(held)
        with m.If(restart):
            m.d.sync += [held.eq(0), waits.eq(0)]
        with m.Elif(~waits):
            m.d.sync += [noted.eq(status.completed), barrier.eq(write.o_opened), waits.eq(status.completed != held)]
        with m.Elif(~(write.o_responded - barrier)[-1]):
            m.d.sync += [held.eq(noted), waits.eq(0)]
