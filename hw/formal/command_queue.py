"""The command queue hands on valid commands in order and refuses exactly the malformed ones."""

from amaranth.hdl import *

from hw.base.integer import ceil_div
from hw.formal import Bug, Proof
from hw.formal._queue import Watch, no_reset, stable

ENTRIES = 2
INSIDE = ENTRIES + 1
"""Commands between input and output: those in the FIFO and the one being judged."""


class Harness(Elaboratable):
    """The queue of a core with tiny memories, between a free host and a free engine."""

    def elaborate(self, platform: object) -> Module:
        from hw.rtl.npu.command_queue import CommandQueue
        from hw.spec.command import OPCODE_FENCE, OPCODE_GEMM
        from hw.spec.core import CoreSpec
        from hw.spec.mac_array import MacArraySpec
        from hw.spec.number import OPERAND_CODES

        m = Module()
        spec = CoreSpec(
            array=MacArraySpec(rows=2, columns=2),
            activation_words=5,
            weight_words=6,
            accumulator_rows=16,
            output_words=3,
            parameter_words=2,
            command_entries=ENTRIES,
        )
        m.submodules.queue = queue = CommandQueue(spec)
        shape = queue.i_command.payload.shape()
        sent, valid, ready, mark, opened = Signal(shape), Signal(), Signal(), Signal(), Signal()
        self.inputs = [sent.as_value(), valid, ready, mark, opened]
        no_reset(m)
        accept, leave = Signal(), Signal()
        m.d.comb += [
            queue.i_command.payload.eq(sent),
            queue.i_command.valid.eq(valid),
            queue.o_command.ready.eq(ready),
            queue.i_open.eq(opened),
            queue.o_copy.ready.eq(1),
            accept.eq(valid & queue.i_command.ready),
            leave.eq((queue.o_command.valid & ready) | queue.o_refused | queue.o_fence),
        ]
        watch = Watch(m, payload=sent.as_value(), accept=accept, leave=leave, mark=mark, depth=INSIDE)
        stable(m, valid=queue.o_command.valid, ready=ready, payload=queue.o_command.payload.as_value())
        m.d.comb += [
            Assert(watch.level <= INSIDE),
            Assert(~(queue.o_command.valid & queue.o_refused)),
            Assert(~queue.o_refused | (queue.o_code != 0)),
            Assert(~queue.o_copy.valid),  # a core without copy channels refuses every copy
            Assert(~(queue.o_fence & (opened | queue.o_command.valid | queue.o_refused))),
        ]

        # What a valid command is, on integers wide enough for every field
        command = Signal(shape)
        m.d.comb += command.eq(watch.value)
        largest = ceil_div(spec.largest_k, spec.array.k_per_block)
        sizes = [command.m, command.n_blocks, command.k_blocks]
        fits = Signal()
        m.d.comb += fits.eq(
            (command.opcode == OPCODE_GEMM)
            & ~Cat(size == 0 for size in sizes).any()
            & (command.k_blocks <= largest)
            & ((command.activation_format == 0) | (command.activation_format == OPERAND_CODES["int8"]))
            & ((command.weight_format == 0) | (command.weight_format == OPERAND_CODES["int8"]))
            & (command.activation_address + command.m * command.k_blocks <= spec.activation_words)
            & (command.weight_address + command.n_blocks * command.k_blocks * spec.array.rows <= spec.weight_words)
            & (command.parameter_address + command.n_blocks <= spec.parameter_words)
            & (command.output_address + command.m * command.n_blocks <= spec.output_words)
        )
        with m.If(watch.turn & leave):
            m.d.comb += Assert(queue.o_refused == ~(fits | (command.opcode == OPCODE_FENCE)))
            m.d.comb += Assert(queue.o_fence == (command.opcode == OPCODE_FENCE))
            with m.If(~queue.o_refused & ~queue.o_fence):
                m.d.comb += Assert(queue.o_command.payload.as_value() == watch.value)
        m.d.comb += [
            Cover(watch.turn & leave & fits & (watch.level == INSIDE)),
            Cover(watch.turn & leave & (queue.o_code == 7)),
        ]
        return m


PROOF = Proof(
    title="the command queue hands on valid commands in order, unchanged, and refuses exactly the malformed ones",
    build=Harness,
    bounded=6,
    cover=10,
    bugs=(
        Bug(
            name="a command whose outputs end one word too far passes",
            module="hw.rtl.npu.command_queue",
            before="(command.output_address + at.outputs > spec.output_words)",
            after="(command.output_address + at.outputs > spec.output_words + 1)",
        ),
        Bug(
            name="a waiting command is overwritten by the next",
            module="hw.rtl.npu.command_queue",
            before="queue.r_en.eq(~full | self.o_command.ready | self.o_refused)",
            after="queue.r_en.eq(1)",
        ),
    ),
)
