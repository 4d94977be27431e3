"""AXI4-Lite registers of a core: commands in, status and counters out. Map: `docs/axi.md`."""

from amaranth.hdl import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.axi_signature import OKAY, SLVERR, lite_members
from hw.rtl.signature import CoreStatus, CounterPorts, command_layout, counter_names
from hw.spec.axi import COMMAND_WORDS, CONTROL_BITS, IDENTITY, REGISTERS, STATUS_BITS, WORD_BITS


class AxiLite(wiring.Component):
    """A register file of 32-bit words. One access at a time in each direction, answered in the next cycle.

    A write to the last command word hands the command over; it is answered when the queue has taken it. A read
    of the low half of a counter keeps its high half for the read after it. SLVERR: no such register, a write to a
    register that cannot be written, or to part of a word.

    Members
    -------
    lite_aw, lite_w, lite_b, lite_ar, lite_r : as `lite_members`
    o_command : Out(stream of command_layout())
    o_clear : Out(1)
        Counters to zero.
    o_base : Out(64)
        Byte address of the core's external beat 0.
    i_status : In(CoreStatus)
    i_counters : In(CounterPorts)
    i_writing : In(1)
        Writes are not answered yet: the core counts as busy.
    i_read_error, i_write_error : In(1)
        Kept in `status` until cleared.
    """

    def __init__(self) -> None:
        super().__init__({
            **lite_members(),
            "o_command": Out(stream.Signature(command_layout())),
            "o_clear": Out(1),
            "o_base": Out(64),
            "i_status": In(CoreStatus()),
            "i_counters": In(CounterPorts()),
            "i_writing": In(1),
            "i_read_error": In(1),
            "i_write_error": In(1),
        })
        self.errors = Signal(2)     # read, write

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._write(m)
        self._read(m)
        return m

    def _write(self, m: Module) -> None:
        address, write = self.lite_aw.payload.addr, self.lite_w.payload
        words = [Signal(WORD_BITS, name=f"command_{i}") for i in range(COMMAND_WORDS - 1)]
        both, push, known, accept = Signal(), Signal(), Signal(), Signal()
        whole = write.strb.all()
        m.d.comb += [
            both.eq(self.lite_aw.valid & self.lite_w.valid & ~self.lite_b.valid),
            push.eq(both & whole & (address == REGISTERS["command"] + 4 * (COMMAND_WORDS - 1))),
            self.o_command.valid.eq(push),
            self.o_command.payload.eq(Cat(*words, write.data)),
            accept.eq(both & (~push | self.o_command.ready)),
            self.lite_aw.ready.eq(accept),
            self.lite_w.ready.eq(accept),
        ]
        clear_errors = Signal()
        with m.If(whole), m.Switch(address):
            for index, word in enumerate(words):
                with m.Case(REGISTERS["command"] + 4 * index):
                    m.d.comb += known.eq(1)
                    with m.If(accept):
                        m.d.sync += word.eq(write.data)
            with m.Case(REGISTERS["command"] + 4 * (COMMAND_WORDS - 1)):
                m.d.comb += known.eq(1)
            for index, name in enumerate(("base_low", "base_high")):
                with m.Case(REGISTERS[name]):
                    m.d.comb += known.eq(1)
                    with m.If(accept):
                        m.d.sync += self.o_base.word_select(index, WORD_BITS).eq(write.data)
            with m.Case(REGISTERS["control"]):
                m.d.comb += [
                    known.eq(1),
                    self.o_clear.eq(accept & write.data[CONTROL_BITS["clear_counters"]]),
                    clear_errors.eq(accept & write.data[CONTROL_BITS["clear_errors"]]),
                ]
        m.d.sync += self.errors.eq(
            Mux(clear_errors, 0, self.errors) | Cat(self.i_read_error, self.i_write_error))
        with m.If(accept):
            m.d.sync += [self.lite_b.valid.eq(1), self.lite_b.payload.resp.eq(Mux(known, OKAY, SLVERR))]
        with m.Elif(self.lite_b.ready):
            m.d.sync += self.lite_b.valid.eq(0)

    def _read(self, m: Module) -> None:
        status = Signal(WORD_BITS)
        m.d.comb += [
            status[STATUS_BITS["busy"]].eq(self.i_status.busy | self.i_writing),
            status[STATUS_BITS["room"]].eq(self.o_command.ready),
            status[STATUS_BITS["read_error"]].eq(self.errors[0]),
            status[STATUS_BITS["write_error"]].eq(self.errors[1]),
            status[STATUS_BITS["refusal"]:STATUS_BITS["refusal"] + 4].eq(self.i_status.error),
        ]
        high = Signal(WORD_BITS)
        values: dict[int, Value] = {
            REGISTERS["identity"]: Const(IDENTITY, WORD_BITS),
            REGISTERS["status"]: status,
            REGISTERS["completed"]: self.i_status.completed,
            REGISTERS["refused"]: self.i_status.refused,
            REGISTERS["base_low"]: self.o_base[:WORD_BITS],
            REGISTERS["base_high"]: self.o_base[WORD_BITS:],
        }
        accept = Signal()
        m.d.comb += [
            self.lite_ar.ready.eq(~self.lite_r.valid),
            accept.eq(self.lite_ar.valid & self.lite_ar.ready),
        ]
        with m.If(accept):
            m.d.sync += [
                self.lite_r.valid.eq(1), self.lite_r.payload.data.eq(0), self.lite_r.payload.resp.eq(SLVERR)]
            with m.Switch(self.lite_ar.payload.addr):
                for address, value in values.items():
                    with m.Case(address):
                        m.d.sync += [self.lite_r.payload.data.eq(value), self.lite_r.payload.resp.eq(OKAY)]
                for index, name in enumerate(counter_names()):
                    counter = getattr(self.i_counters, name)
                    with m.Case(REGISTERS["counters"] + 8 * index):
                        m.d.sync += [
                            self.lite_r.payload.data.eq(counter[:WORD_BITS]), high.eq(counter[WORD_BITS:]),
                            self.lite_r.payload.resp.eq(OKAY)]
                    with m.Case(REGISTERS["counters"] + 8 * index + 4):
                        m.d.sync += [self.lite_r.payload.data.eq(high), self.lite_r.payload.resp.eq(OKAY)]
        with m.Elif(self.lite_r.ready):
            m.d.sync += self.lite_r.valid.eq(0)
