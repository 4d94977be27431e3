"""NPU core, vector unit, DRAM-PIM channel and crossbars, if any, in one: what is simulated."""

from typing import Any

from amaranth.hdl import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hw.base.error import InputError
from hw.rtl.crossbar.signature import CrossbarCounterPorts
from hw.rtl.crossbar.unit import CrossbarUnit
from hw.rtl.dram_pim.signature import COUNTER_BITS
from hw.rtl.npu.core_top import CoreTop
from hw.rtl.npu.signature import CounterPorts
from hw.rtl.npu.vector_unit.unit import VectorUnit
from hw.rtl.system.router import LABEL_BITS, Router, descriptor_layout
from hw.spec import kind
from hw.spec.dram import Timing
from hw.spec.machine import Machine
from hw.spec.system import COUNT_BITS, SystemSpec, wait_labels
from hw.spec.vector import VectorSpec

CODE_BITS = 4


def _outside(bits: int) -> dict[str, wiring.Member]:
    """The ports of who fills the memories."""
    return {
        "i_outside_address": In(32),
        "i_outside_data": In(bits),
        "i_outside_to_program": In(1),
        "i_outside_to_shared": In(1),
        "o_outside_data": Out(bits),
    }


class SystemTop(wiring.Component):
    """The program runs while `i_run` is high. After reset memories are loaded by back door; then nobody interferes.

    The external memory of the core is the shared memory: vector unit and memory controller have ports of their own
    into it, so no unit waits for another's access. Memories below this module: `program`, `core.external.memory` (the
    shared memory), `core.output_memory` and those of the core, `channel.banks.bank_<n>.cells`.

    Parameters
    ----------
    spec : SystemSpec
    timing : Timing
        Of the channel.
    vector : component or None
        A vector unit; without one its descriptors are refused with code 1.
    outside : bool
        With the ports `i_outside_*`, through which somebody fills program memory and shared memory and reads the latter
        while no program runs.

    Members
    -------
    i_run : In(1)
    i_outside_address : In(32); i_outside_data : In(column bits), a word for a memory
    i_outside_to_program, i_outside_to_shared : In(1), it is written; o_outside_data : Out, the shared word there
    o_finished : Out(1), all descriptors up to the end mark have ended
    o_ended_<unit> : Out(20), descriptors ended; o_refused_<unit> : Out(20), of these refused
    o_code_<unit> : Out(4), code of the last one refused
    o_error : Out(3), sticky error of the channel, of the first that has one: 0 unless a controller broke a rule
    core_counters : Out(CounterPorts), of the core
    o_count_<unit>_<label> : Out, cycles of the run by `wait_labels`
    o_count_controller_<label> : Out, cycles since reset by the controller's labels
    o_count_channel_<event> : Out, of the channel; of further ones `controller_<n>` and `channel_<n>`
    o_count_vector_unit_<event>, o_label_count_vector_unit_<label> : Out, since reset, of the vector unit
    o_count_crossbar_unit_<event>, o_label_count_crossbar_unit_<label> : Out, since reset, of the crossbar unit, if any
    crossbar_counters, array_<t>, i_cell, o_missed : of the crossbar unit, if any
    """

    def __init__(self, spec: SystemSpec, timing: Timing, *, vector: Any = None, outside: bool = False) -> None:
        self.spec, self._open = spec, outside
        bits = spec.pim.dram.organisation.column_bits
        self.core = CoreTop(spec.core)
        device = kind.load(spec.pim.kind).door("top")
        self.controllers = [device.controller(spec.controller, timing) for _ in spec.memory_units]
        self.channels = [device.channel(spec.pim, timing, rows=spec.rows) for _ in spec.memory_units]
        self._labels = list(self.controllers[0].labels)
        self._events = [
            name.removeprefix("o_count_") for name in self.channels[0].signature.members if name.startswith("o_count_")
        ]
        # the first channel's names are those of a system with one
        self._suffixes = [unit.removeprefix("memory") for unit in spec.memory_units]
        self.vector = vector
        self.crossbar = None if spec.crossbar is None else CrossbarUnit(spec.crossbar_unit)
        self.router = Router(spec.units)
        self.program = memory.Memory(shape=descriptor_layout(spec.units).size, depth=spec.program_words, init=[])
        # counters under the names they have here
        self._vector_counts = _counters(vector, "vector_unit")
        self._crossbar_counts = _counters(self.crossbar, "crossbar_unit")
        self._crossbar_ports = [] if self.crossbar is None else [*self.crossbar.ports, "o_missed", "i_cell"]
        super().__init__(
            {
                "i_run": In(1),
                "o_finished": Out(1),
                "o_error": Out(3),
                "core_counters": Out(CounterPorts()),
                **{f"o_ended_{unit}": Out(COUNT_BITS) for unit in spec.units},
                **{f"o_refused_{unit}": Out(COUNT_BITS) for unit in spec.units},
                **{f"o_code_{unit}": Out(CODE_BITS) for unit in spec.units},
                **{
                    f"o_count_{unit}_{name}": Out(LABEL_BITS) for unit in spec.units for name in wait_labels(spec.units)
                },
                **{
                    f"o_count_controller{suffix}_{label}": Out(LABEL_BITS)
                    for suffix in self._suffixes
                    for label in self._labels
                },
                **{
                    f"o_count_channel{suffix}_{event}": Out(COUNTER_BITS)
                    for suffix in self._suffixes
                    for event in self._events
                },
                **{here: Out(LABEL_BITS) for here in (*self._vector_counts, *self._crossbar_counts)},
                **({} if self.crossbar is None else {"crossbar_counters": Out(CrossbarCounterPorts())}),
                **{name: self.crossbar.signature.members[name] for name in self._crossbar_ports if self.crossbar},
                **(_outside(bits) if outside else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shared = self.core.external
        assert shared is not None
        # ports into the shared memory, asked for before it is elaborated
        error: Value = Const(0, 3)
        for found in reversed([self._channel(m, shared.memory, number) for number in range(self.spec.channels)]):
            error = Mux(found.any(), found, error) if self.spec.channels > 1 else found
        m.d.comb += self.o_error.eq(error)
        self._vector(m, shared.memory)
        if self._open:
            self._connect_outside(m, shared.memory)
        self._crossbars(m, shared.memory)
        m.submodules.core, m.submodules.router, m.submodules.program = core, router, program = (
            self.core,
            self.router,
            self.program,
        )
        fetch = program.read_port(domain="comb")
        m.d.comb += [
            fetch.addr.eq(router.o_address),
            router.i_word.eq(fetch.data),
            router.i_run.eq(self.i_run),
            self.o_finished.eq(router.o_finished),
            Value.cast(core.i_command.payload).eq(router.o_core.payload),
            core.i_command.valid.eq(router.o_core.valid),
            router.o_core.ready.eq(core.i_command.ready),
            router.i_busy_core.eq(core.status.busy),
            self.o_ended_core.eq(core.status.completed + core.status.refused),
            self.o_refused_core.eq(core.status.refused),
            self.o_code_core.eq(core.status.error),
        ]
        wiring.connect(m, core.counters, wiring.flipped(self.core_counters))
        for unit in self.spec.units:
            m.d.comb += getattr(router, f"i_ended_{unit}").eq(getattr(self, f"o_ended_{unit}"))
            m.d.comb += [
                getattr(self, f"o_count_{unit}_{label}").eq(getattr(router, f"o_count_{unit}_{label}"))
                for label in wait_labels(self.spec.units)
            ]
        return m

    def _connect_outside(self, m: Module, words: memory.Memory) -> None:
        """Ports into both memories."""
        program, write, read = self.program.write_port(), words.write_port(), words.read_port(domain="comb")
        for port, enable in ((program, self.i_outside_to_program), (write, self.i_outside_to_shared)):
            m.d.comb += [
                port.addr.eq(self.i_outside_address),
                port.data.eq(self.i_outside_data),
                port.en.eq(enable),
            ]
        m.d.comb += [read.addr.eq(self.i_outside_address), self.o_outside_data.eq(read.data)]

    def _ends(self, m: Module, name: str, done: Value, refused: Value, code: Value) -> None:
        """Count what ended."""
        ended, refusals = getattr(self, f"o_ended_{name}"), getattr(self, f"o_refused_{name}")
        m.d.sync += [ended.eq(ended + (done | refused)), refusals.eq(refusals + refused)]
        with m.If(refused):
            m.d.sync += getattr(self, f"o_code_{name}").eq(code)

    def _channel(self, m: Module, words: memory.Memory, number: int) -> Value:
        """Controller and channel; the channel's error."""
        controller, channel = self.controllers[number], self.channels[number]
        unit, suffix = self.spec.memory_units[number], self._suffixes[number]
        m.submodules[f"controller{suffix}"], m.submodules[f"channel{suffix}"] = controller, channel
        read, write = words.read_port(domain="comb"), words.write_port()
        offer = getattr(self.router, f"o_{unit}")
        m.d.comb += [
            controller.i_descriptor.payload.eq(offer.payload),
            controller.i_descriptor.valid.eq(offer.valid),
            offer.ready.eq(controller.i_descriptor.ready),
            getattr(self.router, f"i_busy_{unit}").eq(controller.o_busy),
            read.addr.eq(controller.o_shared_read_address),
            controller.i_shared_read_data.eq(read.data),
            write.addr.eq(controller.o_shared_write_address),
            write.data.eq(controller.o_shared_write_data),
            write.en.eq(controller.o_shared_write_enable),
            channel.i_valid.eq(controller.o_valid),
            channel.i_command.eq(controller.o_command),
            channel.i_data.eq(controller.o_data),
            controller.i_data.eq(channel.o_data),
            controller.i_data_valid.eq(channel.o_data_valid),
        ]
        self._ends(m, unit, controller.o_done, controller.o_refused, controller.o_code)
        m.d.comb += [
            getattr(self, f"o_count_controller{suffix}_{label}").eq(getattr(controller, f"o_count_{label}"))
            for label in self._labels
        ]
        m.d.comb += [
            getattr(self, f"o_count_channel{suffix}_{event}").eq(getattr(channel, f"o_count_{event}"))
            for event in self._events
        ]
        return channel.o_error

    def _vector(self, m: Module, words: memory.Memory) -> None:
        """The vector unit, or nobody who takes its descriptors."""
        offer, unit = self.router.o_vector, self.vector
        if unit is None:
            m.d.comb += offer.ready.eq(1)
            self._ends(m, "vector", Const(0), offer.valid, Const(1, CODE_BITS))
            return
        m.submodules.vector = unit
        read, write = words.read_port(domain="comb"), words.write_port()
        m.d.comb += [
            unit.i_descriptor.payload.eq(offer.payload),
            unit.i_descriptor.valid.eq(offer.valid),
            offer.ready.eq(unit.i_descriptor.ready),
            self.router.i_busy_vector.eq(unit.o_busy),
            read.addr.eq(unit.o_read_address_0),
            unit.i_read_data_0.eq(read.data),
            write.addr.eq(unit.o_write_address),
            write.data.eq(unit.o_write_data),
            write.en.eq(unit.o_write_enable),
        ]
        self._ends(m, "vector", unit.o_done, unit.o_refused, unit.o_code)
        m.d.comb += [getattr(self, here).eq(getattr(unit, there)) for here, there in self._vector_counts.items()]

    def _crossbars(self, m: Module, words: memory.Memory) -> None:
        """The crossbar unit, if there is one."""
        unit = self.crossbar
        if unit is None:
            return
        m.submodules.crossbar = unit
        read, write, offer = words.read_port(domain="comb"), words.write_port(), self.router.o_crossbar
        m.d.comb += [
            unit.i_descriptor.payload.eq(offer.payload),
            unit.i_descriptor.valid.eq(offer.valid),
            offer.ready.eq(unit.i_descriptor.ready),
            self.router.i_busy_crossbar.eq(unit.o_busy),
            read.addr.eq(unit.o_read_address),
            unit.i_read_data.eq(read.data),
            write.addr.eq(unit.o_write_address),
            write.data.eq(unit.o_write_data),
            write.en.eq(unit.o_write_enable),
        ]
        for name in self._crossbar_ports:
            if name == "o_missed":
                m.d.comb += self.o_missed.eq(unit.o_missed)
            else:
                wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(unit, name))
        wiring.connect(m, unit.counters, wiring.flipped(self.crossbar_counters))
        self._ends(m, "crossbar", unit.o_done, unit.o_refused, unit.o_code)
        m.d.comb += [getattr(self, here).eq(getattr(unit, there)) for here, there in self._crossbar_counts.items()]


def _counters(unit: Any, name: str) -> dict[str, str]:
    """Counters of a unit: name at the top -> name at the unit; none if there is no unit."""
    return {
        f"{prefix}{name}_{member.removeprefix(prefix)}": member
        for member in ({} if unit is None else unit.signature.members)
        for prefix in ("o_count_", "o_label_count_")
        if member.startswith(prefix)
    }


def top(machine: Machine) -> SystemTop:
    """The system of `machine` with its vector unit; `InputError` if it is no system."""
    if not isinstance(machine, SystemSpec):
        raise InputError(f"a system needs the description of one, not one of kind {machine.kind!r}")
    vector = VectorSpec(memory_words=machine.shared_words, formats=(machine.pim.number,))
    return SystemTop(machine, machine.pim.dram.resolve(), vector=VectorUnit(vector))


DELIVERED = "system"
"""What `emit` writes of it if nothing else is asked for."""
