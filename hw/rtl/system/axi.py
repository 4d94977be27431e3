"""A whole system behind AXI: one AXI4 master that copies between a host's memory and ours, AXI4-Lite registers."""

from typing import Any

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from hw.base.error import InputError
from hw.rtl.common.enumeration import enumeration
from hw.rtl.npu.memory_side.axi_read import AxiRead
from hw.rtl.npu.memory_side.axi_signature import OKAY, SLVERR, lite_members, read_members, write_members
from hw.rtl.npu.memory_side.axi_write import AxiWrite
from hw.rtl.system.top import SystemTop
from hw.spec.axi import AxiSpec
from hw.spec.dram import Timing
from hw.spec.register import WORD_BITS
from hw.spec.system import SystemSpec, system_fields
from hw.spec.system_register import SYSTEM_IDENTITY, SYSTEM_REGISTERS, TARGETS

STATES = enumeration("CopyState", {"IDLE": 0, "ASK": 1, "READ": 2, "WRITE": 3, "ANSWER": 4})


class SystemAxi(wiring.Component):
    """`SystemTop` between an `AxiRead`, an `AxiWrite` and registers; map: `hw.spec.system_register`.

    A host copies a program, and words for it, into our memories, starts it, waits for its end and copies words back.
    What is to lie in the DRAM goes there by the WRITE descriptors of a program, so the shared memory is the only door.
    Copies happen while no program runs: the shared memory's port for them needs no arbiter. A beat is a word.

    Parameters
    ----------
    spec : SystemSpec
    timing : Timing
        Of the channel.
    vector : component or None
        As in `SystemTop`.
    axi : AxiSpec

    Members
    -------
    axi_ar, axi_r, axi_aw, axi_w, axi_b : AXI4 master
    lite_aw, lite_w, lite_b, lite_ar, lite_r : AXI4-Lite slave
    o_interrupt : Out(1)
        High from the end of a copy or of the program until `status` is read, if enabled.
    """

    def __init__(
        self, spec: SystemSpec, timing: Timing, *, vector: Any = None, axi: AxiSpec = AxiSpec()  # noqa: B008  (frozen)
    ) -> None:  # fmt: skip
        dma, size = spec.core.dma, sum(system_fields(spec.units).values())
        assert dma is not None, "SystemSpec has looked"
        if size > 8 * dma.bytes_per_cycle:
            raise InputError(f"a word must hold a descriptor of {size} bits, not only {8 * dma.bytes_per_cycle}")
        self.spec, self.dma, self.axi = spec, dma, axi
        self.system = SystemTop(spec, timing, vector=vector, outside=True)
        self.read, self.write = AxiRead(dma, axi), AxiWrite(dma, axi)
        super().__init__({**read_members(dma), **write_members(dma), **lite_members(), "o_interrupt": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        restart, running = Signal(name="restart"), Signal(name="running")
        system, read, write = self.system, self.read, self.write
        m.submodules.system = ResetInserter(restart)(system)
        m.submodules.axi_read, m.submodules.axi_write = read, write
        for part in (read, write):
            for name in part.signature.members:
                if name.startswith("axi_"):
                    wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(part, name))
        self._kept = {
            name: Signal(64 if name == "base" else WORD_BITS, name=name) for name in ("base", "host", "local", "words")
        }
        self._enabled, self._target = Signal(name="interrupt_enabled"), Signal(2, name="target")
        self._errors = {name: Signal(name=name) for name in ("read_error", "write_error")}
        self._running, self._restart = running, restart
        self._busy, start, run = Signal(name="busy"), Signal(name="start"), Signal(name="run")
        ended = self._copy(m, start)
        finished = Signal()
        cycles = Signal(2 * WORD_BITS)
        m.d.comb += [
            system.i_run.eq(running),
            finished.eq(running & system.o_finished),
            read.i_base.eq(self._kept["base"]),
            write.i_base.eq(self._kept["base"]),
            read.i_opened.eq(write.o_opened),
            read.i_responded.eq(write.o_responded),
        ]
        for name, port in (("read_error", read), ("write_error", write)):
            kept = self._errors[name]
            m.d.sync += kept.eq((kept & ~restart) | port.o_error.valid | port.o_error.orphan)
        with m.If(run):
            m.d.sync += [running.eq(1), cycles.eq(0)]
        with m.Elif(restart):
            m.d.sync += running.eq(0)
        with m.Elif(running & ~finished):
            m.d.sync += cycles.eq(cycles + 1)
        was_finished = Signal()
        m.d.sync += was_finished.eq(finished)
        seen = self._registers_read(m, finished, cycles)
        self._registers_written(m, start, run)
        pending = Signal(name="pending")
        m.d.sync += pending.eq((pending & ~seen) | ended | (finished & ~was_finished))
        m.d.comb += self.o_interrupt.eq(pending & self._enabled)
        return m

    def _copy(self, m: Module, start: Signal) -> Signal:
        """Words from a host's memory to ours, or back; high in the cycle in which a copy ends."""
        system, read, write = self.system, self.read, self.write
        state, done, ended = Signal(STATES, name="copy_state"), Signal(WORD_BITS, name="copied"), Signal(name="ended")
        last, channel = Signal(), read.activation
        inwards = Signal()
        m.d.comb += [
            self._busy.eq((state != STATES.IDLE) | (self._running & ~system.o_finished)),
            last.eq(done + 1 == self._kept["words"]),
            inwards.eq(self._target != TARGETS["shared_out"]),
            channel.request.valid.eq(state == STATES.ASK),
            channel.request.payload.address.eq(self._kept["host"]),
            channel.request.payload.beats.eq(self._kept["words"]),
            channel.data.ready.eq(1),
            system.i_outside_address.eq(self._kept["local"] + done),
            system.i_outside_data.eq(channel.data.payload),
            system.i_outside_to_program.eq(channel.data.valid & (self._target == TARGETS["program"])),
            system.i_outside_to_shared.eq(channel.data.valid & (self._target == TARGETS["shared_in"])),
            write.output.valid.eq(state == STATES.WRITE),
            write.output.payload.address.eq(self._kept["host"] + done),
            write.output.payload.data.eq(system.o_outside_data),
        ]
        with m.Switch(state):
            with m.Case(STATES.IDLE), m.If(start):
                m.d.sync += [done.eq(0), state.eq(Mux(inwards, STATES.ASK.value, STATES.WRITE.value))]
            with m.Case(STATES.ASK), m.If(channel.request.ready):
                m.d.sync += state.eq(STATES.READ)
            with m.Case(STATES.READ), m.If(channel.data.valid):
                m.d.sync += done.eq(done + 1)
                with m.If(last):
                    m.d.comb += ended.eq(1)
                    m.d.sync += state.eq(STATES.IDLE)
            with m.Case(STATES.WRITE), m.If(write.output.ready):
                m.d.sync += done.eq(done + 1)
                with m.If(last):
                    m.d.sync += state.eq(STATES.ANSWER)
            with m.Case(STATES.ANSWER), m.If(write.o_opened == write.o_responded):
                m.d.comb += ended.eq(1)
                m.d.sync += state.eq(STATES.IDLE)
        return ended

    def _registers_written(self, m: Module, start: Signal, run: Signal) -> None:
        """Take a write; it is answered two cycles after the later of address and data."""
        address, write = Signal.like(self.lite_aw.payload.addr), Signal.like(self.lite_w.payload)
        address_held, write_held, act, known = Signal(), Signal(), Signal(), Signal()
        asked = Signal(name="copy_asked")
        m.d.sync += start.eq(asked)
        m.d.comb += [
            self.lite_aw.ready.eq(~address_held),
            self.lite_w.ready.eq(~write_held),
            act.eq(address_held & write_held & (~self.lite_b.valid | self.lite_b.ready)),
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
        free = ~self._busy & ~start  # a copy that begins is busy in the next cycle
        control = SYSTEM_REGISTERS["control"]
        parts = {
            "base_low": self._kept["base"][:WORD_BITS],
            "base_high": self._kept["base"][WORD_BITS:],
            "interrupt_enable": self._enabled,
            **{name: self._kept[name] for name in ("host", "local", "words")},
        }
        with m.If(act & write.strb.all()), m.Switch(address[2:]):
            for name, target in parts.items():
                with m.Case(SYSTEM_REGISTERS[name].offset >> 2), m.If(free | (name == "interrupt_enable")):
                    m.d.comb += known.eq(1)
                    m.d.sync += target.eq(write.data)
            runs, resets = write.data[control.low("run")], write.data[control.low("reset")]
            # a program that has ended must be followed by a reset; both at once would run what is being reset
            with m.Case(control.offset >> 2), m.If(free & ~(runs & (self._running | resets))):
                m.d.comb += [known.eq(1), run.eq(runs), self._restart.eq(resets)]
            allowed = free & (write.data < len(TARGETS)) & self._kept["words"].any()
            with m.Case(SYSTEM_REGISTERS["copy"].offset >> 2), m.If(allowed):
                m.d.comb += [known.eq(1), asked.eq(1)]
                m.d.sync += self._target.eq(write.data)
        with m.If(act):
            m.d.sync += [self.lite_b.valid.eq(1), self.lite_b.payload.resp.eq(Mux(known, OKAY, SLVERR))]
        with m.Elif(self.lite_b.ready):
            m.d.sync += self.lite_b.valid.eq(0)

    def _registers_read(self, m: Module, finished: Value, cycles: Value) -> Signal:
        """Answer a read one cycle after its address; high when `status` is read."""
        system, status = self.system, SYSTEM_REGISTERS["status"]
        seen, accept, high = Signal(name="status_read"), Signal(), Signal(WORD_BITS)
        fields = {
            "busy": self._busy, "finished": finished, "channel_error": system.o_error, **self._errors,
        }  # fmt: skip
        values: dict[str, Value] = {
            "identity": Const(SYSTEM_IDENTITY, WORD_BITS),
            "status": _placed(status, fields),
            "base_low": self._kept["base"][:WORD_BITS],
            "base_high": self._kept["base"][WORD_BITS:],
            "interrupt_enable": self._enabled,
            "control": Const(0, WORD_BITS),
            "copy": Const(0, WORD_BITS),
            "cycles_low": cycles[:WORD_BITS],
            "cycles_high": high,
            **{name: self._kept[name] for name in ("host", "local", "words")},
        }
        words = {SYSTEM_REGISTERS[name].offset >> 2: value for name, value in values.items()}
        for series in ("ended", "refused"):
            first = SYSTEM_REGISTERS[series].offset >> 2
            words |= {first + i: getattr(system, f"o_{series}_{unit}") for i, unit in enumerate(self.spec.units)}
        address = self.lite_ar.payload.addr[2:]
        m.d.comb += [
            self.lite_ar.ready.eq(~self.lite_r.valid),
            accept.eq(self.lite_ar.valid & self.lite_ar.ready),
            seen.eq(accept & (address == status.offset >> 2)),
        ]
        with m.If(accept):
            m.d.sync += [self.lite_r.valid.eq(1), self.lite_r.payload.data.eq(0), self.lite_r.payload.resp.eq(SLVERR)]
            with m.Switch(address):
                for word, value in words.items():
                    with m.Case(word):
                        m.d.sync += [self.lite_r.payload.data.eq(value), self.lite_r.payload.resp.eq(OKAY)]
            with m.If(address == SYSTEM_REGISTERS["cycles_low"].offset >> 2):
                m.d.sync += high.eq(cycles[WORD_BITS:])
        with m.Elif(self.lite_r.ready):
            m.d.sync += self.lite_r.valid.eq(0)
        return seen


def _placed(register: Any, values: dict[str, Any]) -> Value:
    """Fields in their places."""
    word: Value = Const(0, WORD_BITS)
    for field in register.fields:
        word = word | (values[field.name] << field.low)
    return word[:WORD_BITS]
