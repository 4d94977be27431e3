"""Queue of descriptors and the decoder that refuses malformed ones."""

from amaranth.hdl import *
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.signature import command_layout
from hw.spec.command import OPCODE_GEMM
from hw.spec.core import CoreSpec


class CommandQueue(wiring.Component):
    """Holds `command_entries` descriptors, hands out the valid ones in order, drops the others.

    A command accepted in cycle 0 is offered in cycle 2; one per cycle.

    Members
    -------
    i_command : In(stream of command_layout())
    o_command : Out(stream of command_layout())
    o_refused : Out(1)
        High for one cycle when a command is dropped, with `o_code` (`hw.spec.command.REFUSALS`).
    o_code : Out(4)
    """

    def __init__(self, core: CoreSpec) -> None:
        self.spec = core
        super().__init__({
            "i_command": In(stream.Signature(command_layout())),
            "o_command": Out(stream.Signature(command_layout())),
            "o_refused": Out(1),
            "o_code": Out(4),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec = self.spec
        queue = fifo.SyncFIFO(width=command_layout().size, depth=spec.command_entries)
        m.submodules.queue = queue
        head = Signal(command_layout())
        m.d.comb += [
            queue.w_data.eq(self.i_command.payload),
            queue.w_en.eq(self.i_command.valid),
            self.i_command.ready.eq(queue.w_rdy),
            head.eq(queue.r_data),
        ]

        # First stage: products of sizes, on operands cut to what can fit
        command = Signal(command_layout())
        full = Signal()
        activation_bits = spec.activation_words.bit_length()
        weight_bits = spec.weight_words.bit_length()
        output_bits = spec.output_words.bit_length()
        activations = Signal(2 * activation_bits)
        tiles = Signal(2 * weight_bits)
        outputs = Signal(2 * output_bits)
        m.d.comb += queue.r_en.eq(~full | self.o_command.ready | self.o_refused)
        with m.If(queue.r_en):
            m.d.sync += full.eq(queue.r_rdy)
        with m.If(queue.r_en & queue.r_rdy):
            m.d.sync += [
                command.eq(head),
                activations.eq(head.m[:activation_bits] * head.k_blocks[:activation_bits]),
                tiles.eq(head.n_blocks[:weight_bits] * head.k_blocks[:weight_bits]),
                outputs.eq(head.m[:output_bits] * head.n_blocks[:output_bits]),
            ]

        # Second stage: the verdict
        most_k_blocks = -(-spec.largest_k // spec.array.k_per_block)
        code = self.o_code
        with m.If(command.opcode != OPCODE_GEMM):
            m.d.comb += code.eq(1)
        with m.Elif((command.m == 0) | (command.n_blocks == 0) | (command.k_blocks == 0)):
            m.d.comb += code.eq(2)
        with m.Elif(command.k_blocks > most_k_blocks):
            m.d.comb += code.eq(3)
        with m.Elif((command.m > spec.activation_words) | (command.k_blocks > spec.activation_words)
                    | (command.activation_address + activations > spec.activation_words)):
            m.d.comb += code.eq(4)
        with m.Elif((command.n_blocks > spec.weight_words) | (command.k_blocks > spec.weight_words)
                    | (command.weight_address + tiles * spec.array.rows > spec.weight_words)):
            m.d.comb += code.eq(5)
        with m.Elif(command.parameter_address + command.n_blocks > spec.parameter_words):
            m.d.comb += code.eq(6)
        with m.Elif((command.m > spec.output_words) | (command.n_blocks > spec.output_words)
                    | (command.output_address + outputs > spec.output_words)):
            m.d.comb += code.eq(7)
        m.d.comb += [
            self.o_command.payload.eq(command),
            self.o_command.valid.eq(full & (code == 0)),
            self.o_refused.eq(full & (code != 0)),
        ]
        return m
