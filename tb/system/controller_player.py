"""A controller with its channel, a shared memory and a program: no Python in any cycle."""

# pyright: reportAttributeAccessIssue=false

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.dram_pim.command_port import CommandPort
from hw.rtl.dram_pim.controller.controller import LABEL_BITS
from hw.spec import kind
from hw.spec.dram import Timing
from hw.spec.memory_controller import DESCRIPTOR_BITS, ControllerSpec

PROGRAM_WORDS = 1024
TRACE_WORDS = 1 << 15
CYCLE_BITS = 28

PROGRAM = data.StructLayout({"descriptor": DESCRIPTOR_BITS, "cycle": CYCLE_BITS})
"""An entry of the program: the descriptor, and the first cycle in which it is offered."""

LOG = data.StructLayout({"cycle": CYCLE_BITS, "code": 4})
"""What became of a descriptor: when it ended, and the code it was refused with or 0."""


def trace_layout(channel: CommandPort) -> data.StructLayout:
    """A command on the channel's port and its cycle."""
    return data.StructLayout({"cycle": CYCLE_BITS, "command": channel.layout})


class ControllerPlayer(wiring.Component):
    """Memories, reached by back door: `program`, `log`, `trace`, `shared`, and the banks of `channel`.

    Members
    -------
    i_count : In, descriptors to offer
    o_ended : Out, descriptors done or refused
    o_commands : Out, entries in `trace`
    o_error : Out, sticky error of the channel
    o_count_<label> : Out, of the controller
    """

    if TYPE_CHECKING:
        i_count: Any
        o_ended: Any
        o_commands: Any
        o_error: Any

    def __init__(self, spec: ControllerSpec, timing: Timing) -> None:
        self.spec = spec
        device = kind.load(spec.pim.kind).door("top")
        self.controller = device.controller(spec, timing)
        self.channel = device.channel(spec.pim, timing, rows=spec.rows)
        bits = spec.pim.dram.organisation.column_bits
        self.program = memory.Memory(shape=PROGRAM.size, depth=PROGRAM_WORDS, init=[])
        self.log = memory.Memory(shape=LOG.size, depth=PROGRAM_WORDS, init=[])
        self.trace = memory.Memory(shape=trace_layout(self.channel).size, depth=TRACE_WORDS, init=[])
        self.shared = memory.Memory(shape=bits, depth=spec.shared_words, init=[])
        super().__init__(
            {
                "i_count": In(range(PROGRAM_WORDS + 1)),
                "o_ended": Out(range(PROGRAM_WORDS + 1)),
                "o_commands": Out(range(TRACE_WORDS + 1)),
                "o_error": Out(3),
                **{f"o_count_{label}": Out(LABEL_BITS) for label in self.controller.labels},
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.controller, m.submodules.channel = controller, channel = self.controller, self.channel
        m.submodules.program, m.submodules.log = self.program, self.log
        m.submodules.trace, m.submodules.shared = self.trace, self.shared
        time = Signal(CYCLE_BITS)
        m.d.sync += time.eq(time + 1)
        program, read = self.program.read_port(domain="comb"), self.shared.read_port(domain="comb")
        log, trace, write = self.log.write_port(), self.trace.write_port(), self.shared.write_port()
        place = Signal.like(self.i_count)
        entry = Signal(PROGRAM)
        take, ends = Signal(), Signal()
        m.d.comb += [
            program.addr.eq(place),
            entry.eq(program.data),
            controller.i_descriptor.payload.eq(entry.descriptor),
            controller.i_descriptor.valid.eq((place != self.i_count) & (time >= entry.cycle)),
            take.eq(controller.i_descriptor.valid & controller.i_descriptor.ready),
            ends.eq(controller.o_done | controller.o_refused),
            log.addr.eq(self.o_ended),
            log.en.eq(ends),
            log.data.eq(time | Value.cast(controller.o_refused.replicate(4) & controller.o_code) << CYCLE_BITS),
            trace.addr.eq(self.o_commands),
            trace.en.eq(controller.o_valid),
            trace.data.eq(time | Value.cast(controller.o_command) << CYCLE_BITS),
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
            self.o_error.eq(channel.o_error),
        ]
        m.d.sync += [
            place.eq(place + take),
            self.o_ended.eq(self.o_ended + ends),
            self.o_commands.eq(self.o_commands + controller.o_valid),
        ]
        m.d.comb += [
            getattr(self, f"o_count_{label}").eq(getattr(controller, f"o_count_{label}")) for label in controller.labels
        ]
        return m
