"""Turns one GEMM into its passes: row blocks, then column blocks, then K blocks."""

from amaranth.hdl import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.rtl.signature import command_layout
from hw.spec.core import CoreSpec


def tile_layout(core: CoreSpec) -> data.StructLayout:
    """What the load engine needs: address of the tile's first weight word, the mark of a command's last tile."""
    return data.StructLayout({"weight_address": ceil_log2(core.weight_words), "ends_command": 1})


def pass_layout(core: CoreSpec) -> data.StructLayout:
    """What the stream engine needs for one pass.

    `rows` activation rows from `activation_address`; `first` and `last` mark the first and last K block;
    `ends_command` the last pass of a command. Output rows go to `output_address` on, parameters are word
    `parameter_address`.
    """
    return data.StructLayout({
        "activation_address": ceil_log2(core.activation_words),
        "rows": ceil_log2(core.accumulator_rows),
        "first": 1,
        "last": 1,
        "ends_command": 1,
        "output_address": ceil_log2(core.output_words),
        "parameter_address": ceil_log2(core.parameter_words),
    })


class Sequencer(wiring.Component):
    """Offers one pass per cycle to both engines, additions only.

    A command offered in cycle 0 yields its first pass in cycle 1; the next command follows without a gap.

    Members
    -------
    i_command : In(stream of command_layout())
    o_tile : Out(stream of tile_layout(core))
    o_pass : Out(stream of pass_layout(core))
    """

    def __init__(self, core: CoreSpec) -> None:
        self.spec = core
        super().__init__({
            "i_command": In(stream.Signature(command_layout())),
            "o_tile": Out(stream.Signature(tile_layout(core))),
            "o_pass": Out(stream.Signature(pass_layout(core))),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec = self.spec
        block = spec.block_rows
        activation_bits, output_bits = ceil_log2(spec.activation_words), ceil_log2(spec.output_words)

        active = Signal()
        command = Signal(command_layout())
        rows_left = Signal(command.m.shape())
        n = Signal(command.n_blocks.shape())
        k = Signal(command.k_blocks.shape())
        weight = Signal(ceil_log2(spec.weight_words))
        parameter = Signal(ceil_log2(spec.parameter_words))
        activation_block = Signal(activation_bits)
        activation = Signal(activation_bits)
        output_block = Signal(output_bits)
        output = Signal(output_bits)

        last_k = Signal()
        last_n = Signal()
        last_rows = Signal()
        emit = Signal()
        m.d.comb += [
            last_k.eq(k == command.k_blocks - 1),
            last_n.eq(n == command.n_blocks - 1),
            last_rows.eq(rows_left <= block),
            emit.eq(active & self.o_tile.ready & self.o_pass.ready),
            self.o_tile.valid.eq(active & self.o_pass.ready),
            self.o_pass.valid.eq(active & self.o_tile.ready),
            self.o_tile.payload.weight_address.eq(weight),
            self.o_tile.payload.ends_command.eq(last_k & last_n & last_rows),
            self.o_pass.payload.activation_address.eq(activation),
            self.o_pass.payload.rows.eq(Mux(last_rows, rows_left, block)),
            self.o_pass.payload.first.eq(k == 0),
            self.o_pass.payload.last.eq(last_k),
            self.o_pass.payload.ends_command.eq(last_k & last_n & last_rows),
            self.o_pass.payload.output_address.eq(output),
            self.o_pass.payload.parameter_address.eq(parameter),
            self.i_command.ready.eq(~active | (emit & last_k & last_n & last_rows)),
        ]

        with m.If(emit):
            m.d.sync += [k.eq(k + 1), activation.eq(activation + command.m), weight.eq(weight + spec.array.rows)]
            with m.If(last_k):
                m.d.sync += [
                    k.eq(0), n.eq(n + 1), activation.eq(activation_block),
                    output.eq(output + command.m), parameter.eq(parameter + 1),
                ]
                with m.If(last_n):
                    m.d.sync += [
                        n.eq(0), rows_left.eq(rows_left - block),
                        activation_block.eq(activation_block + block), activation.eq(activation_block + block),
                        output_block.eq(output_block + block), output.eq(output_block + block),
                        weight.eq(command.weight_address), parameter.eq(command.parameter_address),
                    ]

        with m.If(self.i_command.ready):
            arriving = self.i_command.payload
            m.d.sync += active.eq(self.i_command.valid)
            with m.If(self.i_command.valid):
                m.d.sync += [
                    command.eq(arriving), rows_left.eq(arriving.m), n.eq(0), k.eq(0),
                    weight.eq(arriving.weight_address), parameter.eq(arriving.parameter_address),
                    activation_block.eq(arriving.activation_address), activation.eq(arriving.activation_address),
                    output_block.eq(arriving.output_address), output.eq(arriving.output_address),
                ]
        return m
