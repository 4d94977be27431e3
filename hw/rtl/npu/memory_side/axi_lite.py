"""AXI4-Lite registers of a core: commands in, status and counters out. Map: `hw.spec.register`."""

from collections.abc import Mapping

from amaranth.hdl import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.npu.memory_side.axi_signature import OKAY, SLVERR, PortError, lite_members
from hw.rtl.npu.signature import CoreStatus, CounterPorts, command_layout, counter_names
from hw.spec.register import COMMAND_WORDS, REGISTERS, WORD_BITS

INTERRUPTS = tuple(field.name for field in REGISTERS["interrupt"].fields)


class AxiLite(wiring.Component):
    """A register file of 32-bit words. One access at a time in each direction, no path from an input to an output.

    A write is answered two cycles after the later of address and data, a read one cycle after its address; nothing
    ever waits for the core, so that a host can always abort. A write to the last command word hands the command over.
    A read of the low half of a counter keeps its high half for the read after it. The two low address bits are
    ignored. SLVERR: no such register, a write to a register that cannot be written or to part of a word, a command
    that the queue has no room for or that comes while the port is stopped.

    Parameters
    ----------
    constants : mapping
        Constant register -> its word, `hw.spec.axi.capabilities`.

    Members
    -------
    lite_aw, lite_w, lite_b, lite_ar, lite_r : as `lite_members`
    o_command : Out(stream of command_layout())
    o_clear : Out(1)
        Counters to zero.
    o_soft_reset : Out(1)
        Abort and reset the core.
    o_base : Out(64)
        Byte address of the core's external beat 0. A write while the port is busy is answered with SLVERR.
    o_interrupt : Out(1)
    i_status : In(CoreStatus)
    i_counters : In(CounterPorts)
    i_completed : In(32)
        Commands ended, writes answered.
    i_busy, i_stopped, i_draining, i_running, i_reset_done : In(1)
        Of the port; commands are taken while it is running.
    i_read, i_write : In(PortError)
        The first is kept, with its address, until cleared.
    """

    def __init__(self, constants: Mapping[str, int]) -> None:
        self.constants = dict(constants)
        super().__init__(
            {
                **lite_members(),
                "o_command": Out(stream.Signature(command_layout())),
                "o_clear": Out(1),
                "o_soft_reset": Out(1),
                "o_base": Out(64),
                "o_interrupt": Out(1),
                "i_status": In(CoreStatus()),
                "i_counters": In(CounterPorts()),
                "i_completed": In(WORD_BITS),
                **{f"i_{name}": In(1) for name in ("busy", "stopped", "draining", "running", "reset_done")},
                "i_read": In(PortError()),
                "i_write": In(PortError()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._words = [Signal(WORD_BITS, name=f"command_{i}") for i in range(COMMAND_WORDS)]
        self._pending = {name: Signal(name=f"pending_{name}") for name in INTERRUPTS}
        self._enabled = {name: Signal(name=f"enabled_{name}") for name in INTERRUPTS}
        self._error_address, self._error = Signal(64, name="error_address"), Signal(WORD_BITS, name="error")
        self._kept = {name: Signal(name=f"kept_{name}") for name in ("read_error", "write_error", "orphan")}
        clear_errors, cleared = Signal(), {name: Signal(name=f"cleared_{name}") for name in INTERRUPTS}
        self._write(m, clear_errors, cleared)
        self._errors(m, clear_errors)
        self._interrupt(m, cleared)
        self._read(m)
        return m

    def _write(self, m: Module, clear_errors: Signal, cleared: Mapping[str, Signal]) -> None:
        address, write = Signal.like(self.lite_aw.payload.addr), Signal.like(self.lite_w.payload)
        address_held, write_held, act, known = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            self.lite_aw.ready.eq(~address_held),
            self.lite_w.ready.eq(~write_held),
            act.eq(address_held & write_held & (~self.lite_b.valid | self.lite_b.ready)),
            self.o_command.payload.eq(Cat(*self._words[:-1], write.data)),
        ]
        for channel, held in ((self.lite_aw, address_held), (self.lite_w, write_held)):
            with m.If(act):
                m.d.sync += held.eq(0)
            with m.Elif(channel.valid):
                m.d.sync += held.eq(1)
        with m.If(~address_held):
            m.d.sync += address.eq(self.lite_aw.payload.addr)
        with m.If(~write_held):
            m.d.sync += write.eq(self.lite_w.payload)
        with m.If(act & write.strb.all()), m.Switch(address[2:]):
            for index, word in enumerate(self._words):
                with m.Case((REGISTERS["command"].offset >> 2) + index):
                    m.d.comb += known.eq(1)
                    m.d.sync += word.eq(write.data)
                    if index == COMMAND_WORDS - 1:
                        m.d.comb += [
                            self.o_command.valid.eq(self.i_running),
                            known.eq(self.i_running & self.o_command.ready),
                        ]
            for index, name in enumerate(("base_low", "base_high")):
                with m.Case(REGISTERS[name].offset >> 2), m.If(~self.i_busy):
                    m.d.comb += known.eq(1)
                    m.d.sync += self.o_base.word_select(index, WORD_BITS).eq(write.data)
            control = REGISTERS["control"]
            with m.Case(control.offset >> 2):
                m.d.comb += [
                    known.eq(1),
                    self.o_clear.eq(write.data[control.low("clear_counters")]),
                    clear_errors.eq(write.data[control.low("clear_errors")]),
                    self.o_soft_reset.eq(write.data[control.low("soft_reset")]),
                ]
            with m.Case(REGISTERS["interrupt_enable"].offset >> 2):
                m.d.comb += known.eq(1)
                m.d.sync += [
                    self._enabled[name].eq(write.data[REGISTERS["interrupt_enable"].low(name)]) for name in INTERRUPTS
                ]
            with m.Case(REGISTERS["interrupt"].offset >> 2):
                m.d.comb += known.eq(1)
                m.d.comb += [cleared[name].eq(write.data[REGISTERS["interrupt"].low(name)]) for name in INTERRUPTS]
        with m.If(act):
            m.d.sync += [self.lite_b.valid.eq(1), self.lite_b.payload.resp.eq(Mux(known, OKAY, SLVERR))]
        with m.Elif(self.lite_b.ready):
            m.d.sync += self.lite_b.valid.eq(0)

    def _errors(self, m: Module, clear: Signal) -> None:
        """Keep which errors came, and where the first one was."""
        found = {
            "read_error": self.i_read.valid,
            "write_error": self.i_write.valid,
            "orphan": self.i_read.orphan | self.i_write.orphan,
        }
        m.d.sync += [kept.eq((kept & ~clear) | found[name]) for name, kept in self._kept.items()]
        error = REGISTERS["error"]
        with m.If(clear):
            m.d.sync += [self._error.eq(0), self._error_address.eq(0)]
        for port in (self.i_write, self.i_read):  # the later one wins a tie
            with m.If(port.valid & (clear | ~(self._kept["read_error"] | self._kept["write_error"]))):
                m.d.sync += [
                    self._error.eq((port.response << error.low("response")) | (port.channel << error.low("channel"))),
                    self._error_address.eq(port.address),
                ]

    def _interrupt(self, m: Module, cleared: Mapping[str, Signal]) -> None:
        was_busy, refused = Signal(), Signal.like(self.i_status.refused)
        m.d.sync += [was_busy.eq(self.i_busy), refused.eq(self.i_status.refused)]
        happens = {
            "idle": was_busy & ~self.i_busy,
            "refused": self.i_status.refused == refused + 1,
            "read_error": self.i_read.valid,
            "write_error": self.i_write.valid,
            "reset_done": self.i_reset_done,
        }
        m.d.sync += [
            self._pending[name].eq((self._pending[name] & ~cleared[name]) | happens[name]) for name in INTERRUPTS
        ]
        m.d.comb += self.o_interrupt.eq(Cat(self._pending[name] & self._enabled[name] for name in INTERRUPTS).any())

    def _values(self) -> dict[int, Value]:
        """Word of the map -> what a read of it gives, counters apart."""

        def fields(name: str, given: Mapping[str, Value]) -> Value:
            word: Value = Const(0, WORD_BITS)
            for field in REGISTERS[name].fields:
                word = word | (given[field.name] << field.low)
            return word[:WORD_BITS]

        values: dict[str, Value] = {
            "status": fields(
                "status",
                {
                    "busy": self.i_busy,
                    "room": self.o_command.ready & self.i_running,
                    "refusal": self.i_status.error,
                    "stopped": self.i_stopped,
                    "draining": self.i_draining,
                    **self._kept,
                },
            ),
            "completed": self.i_completed,
            "refused": self.i_status.refused,
            "control": Const(0, WORD_BITS),
            "base_low": self.o_base[:WORD_BITS],
            "base_high": self.o_base[WORD_BITS:],
            "interrupt_enable": fields("interrupt_enable", self._enabled),
            "interrupt": fields("interrupt", self._pending),
            "error_address_low": self._error_address[:WORD_BITS],
            "error_address_high": self._error_address[WORD_BITS:],
            "error": self._error,
            **{name: Const(word, WORD_BITS) for name, word in self.constants.items()},
        }
        words = {REGISTERS[name].offset >> 2: value for name, value in values.items()}
        return words | {(REGISTERS["command"].offset >> 2) + i: word for i, word in enumerate(self._words)}

    def _read(self, m: Module) -> None:
        high = Signal(WORD_BITS)
        accept = Signal()
        m.d.comb += [
            self.lite_ar.ready.eq(~self.lite_r.valid),
            accept.eq(self.lite_ar.valid & self.lite_ar.ready),
        ]
        with m.If(accept):
            m.d.sync += [self.lite_r.valid.eq(1), self.lite_r.payload.data.eq(0), self.lite_r.payload.resp.eq(SLVERR)]
            with m.Switch(self.lite_ar.payload.addr[2:]):
                for word, value in self._values().items():
                    with m.Case(word):
                        m.d.sync += [self.lite_r.payload.data.eq(value), self.lite_r.payload.resp.eq(OKAY)]
                for index, name in enumerate(counter_names()):
                    counter, word = getattr(self.i_counters, name), (REGISTERS["counter"].offset >> 2) + 2 * index
                    with m.Case(word):
                        m.d.sync += [
                            self.lite_r.payload.data.eq(counter[:WORD_BITS]),
                            high.eq(counter[WORD_BITS:]),
                            self.lite_r.payload.resp.eq(OKAY),
                        ]
                    with m.Case(word + 1):
                        m.d.sync += [self.lite_r.payload.data.eq(high), self.lite_r.payload.resp.eq(OKAY)]
        with m.Elif(self.lite_r.ready):
            m.d.sync += self.lite_r.valid.eq(0)
