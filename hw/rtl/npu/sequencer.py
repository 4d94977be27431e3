"""Turns one GEMM into its passes: row blocks, then column blocks, then K blocks."""

from amaranth.hdl import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.rtl.npu.geometry import GEOMETRY, TAP, first_tap
from hw.rtl.npu.signature import command_layout
from hw.spec.command import OPCODE_CONV
from hw.spec.core import CoreSpec


def tile_layout(core: CoreSpec) -> data.StructLayout:
    """What the load engine needs: address of the tile's first weight word, the mark of a command's last tile."""
    return data.StructLayout({"weight_address": ceil_log2(core.weight_words), "ends_command": 1})


def pass_layout(core: CoreSpec) -> data.StructLayout:
    """What the stream engine needs for one pass.

    `rows` activation rows from `activation_address`; `first` and `last` mark the first and last K block;
    `ends_command` the last pass of a command. Output rows go to `output_address` on, parameters are word
    `parameter_address`. With convolution: `conv`, the kernel `tap` and the `geometry`; `ends_rows` marks the last
    pass of a block of rows.
    """
    convolution = {"conv": 1, "ends_rows": 1, "tap": TAP, "geometry": GEOMETRY} if core.convolution else {}
    return data.StructLayout(
        {
            **convolution,
            "activation_address": ceil_log2(core.activation_words),
            "rows": ceil_log2(core.accumulator_rows),
            "first": 1,
            "last": 1,
            "ends_command": 1,
            "output_address": ceil_log2(core.output_words),
            "parameter_address": ceil_log2(core.parameter_words),
        }
    )


class Sequencer(wiring.Component):
    """Offers one pass per cycle to both engines, additions only.

    A command offered in cycle 0 yields its first pass in cycle 1; the next command follows without a gap.

    Members
    -------
    i_command : In(stream of command_layout())
    i_geometry : In(GEOMETRY)
        Of the command offered.
    o_tile : Out(stream of tile_layout(core))
    o_pass : Out(stream of pass_layout(core))
    """

    def __init__(self, core: CoreSpec) -> None:
        self.spec = core
        super().__init__(
            {
                "i_command": In(stream.Signature(command_layout())),
                "i_geometry": In(GEOMETRY),
                "o_tile": Out(stream.Signature(tile_layout(core))),
                "o_pass": Out(stream.Signature(pass_layout(core))),
            }
        )

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

        # Convolution: kernel taps inside a channel block, groups of column blocks
        conv = Signal()
        last_tap = Signal(init=1)
        geometry = Signal(GEOMETRY)
        tap = Signal(TAP)
        tap_column = Signal(4)
        tap_line = Signal(4)
        in_group = Signal(16)

        last_k = Signal()
        last_n = Signal()
        last_rows = Signal()
        emit = Signal()
        m.d.comb += [
            last_k.eq((k == command.k_blocks - 1) & last_tap),
            last_n.eq(n == command.n_blocks - 1),
            last_rows.eq(rows_left <= block),
            emit.eq(active & self.o_tile.ready & self.o_pass.ready),
            self.o_tile.valid.eq(active & self.o_pass.ready),
            self.o_pass.valid.eq(active & self.o_tile.ready),
            self.o_tile.payload.weight_address.eq(weight),
            self.o_tile.payload.ends_command.eq(last_k & last_n & last_rows),
            self.o_pass.payload.activation_address.eq(activation),
            self.o_pass.payload.rows.eq(Mux(last_rows, rows_left, block)),
            self.o_pass.payload.first.eq((k == 0) & (tap_column == 0) & (tap_line == 0)),
            self.o_pass.payload.last.eq(last_k),
            self.o_pass.payload.ends_command.eq(last_k & last_n & last_rows),
            self.o_pass.payload.output_address.eq(output),
            self.o_pass.payload.parameter_address.eq(parameter),
            self.i_command.ready.eq(~active | (emit & last_k & last_n & last_rows)),
        ]

        if spec.convolution:
            m.d.comb += [
                conv.eq(command.opcode == OPCODE_CONV),
                last_tap.eq(
                    ~conv | ((tap_column == geometry.kernel_width - 1) & (tap_line == geometry.kernel_height - 1))
                ),
                self.o_pass.payload.conv.eq(conv),
                self.o_pass.payload.ends_rows.eq(last_k & last_n),
                self.o_pass.payload.tap.eq(tap),
                self.o_pass.payload.geometry.eq(geometry),
            ]
        else:
            m.d.comb += last_tap.eq(1)
        with m.If(emit):
            m.d.sync += weight.eq(weight + spec.array.rows)
            with m.If(last_tap):
                m.d.sync += [k.eq(k + 1), activation.eq(activation + Mux(conv, geometry.plane, command.m))]
            with m.If(last_k):
                m.d.sync += [
                    k.eq(0),
                    n.eq(n + 1),
                    activation.eq(activation_block),
                    output.eq(output + command.m),
                    parameter.eq(parameter + 1),
                ]
                with m.If(last_n):
                    m.d.sync += [
                        n.eq(0),
                        rows_left.eq(rows_left - block),
                        activation_block.eq(activation_block + block),
                        activation.eq(activation_block + block),
                        output_block.eq(output_block + block),
                        output.eq(output_block + block),
                        weight.eq(command.weight_address),
                        parameter.eq(command.parameter_address),
                    ]
            if spec.convolution:
                self._step_taps(m, geometry, tap, tap_column, tap_line, last_tap)
                with m.If(conv & last_k):
                    m.d.sync += [activation.eq(activation_block), in_group.eq(in_group + 1)]
                    with m.If(in_group == geometry.group_blocks - 1):
                        following = activation + geometry.plane
                        m.d.sync += [activation.eq(following), activation_block.eq(following), in_group.eq(0)]
                    with m.If(last_n):
                        m.d.sync += [
                            activation.eq(command.activation_address),
                            activation_block.eq(command.activation_address),
                        ]

        with m.If(self.i_command.ready):
            arriving = self.i_command.payload
            m.d.sync += active.eq(self.i_command.valid)
            with m.If(self.i_command.valid):
                m.d.sync += [
                    command.eq(arriving),
                    rows_left.eq(arriving.m),
                    n.eq(0),
                    k.eq(0),
                    weight.eq(arriving.weight_address),
                    parameter.eq(arriving.parameter_address),
                    activation_block.eq(arriving.activation_address),
                    activation.eq(arriving.activation_address),
                    output_block.eq(arriving.output_address),
                    output.eq(arriving.output_address),
                ]
                if spec.convolution:
                    m.d.sync += [
                        geometry.eq(self.i_geometry),
                        tap_column.eq(0),
                        tap_line.eq(0),
                        in_group.eq(0),
                        *(tap[name].eq(value) for name, value in first_tap(self.i_geometry).items()),
                    ]
        return m

    def _step_taps(
        self, m: Module, geometry: data.View, tap: data.View, column: Signal, line: Signal, last: Signal
    ) -> None:
        """The next tap: along a line of the kernel, then the next line, then from the start."""
        m.d.sync += [column.eq(column + 1), tap.x.eq(tap.x + geometry.dilation)]
        with m.If(column == geometry.kernel_width - 1):
            m.d.sync += [
                column.eq(0),
                line.eq(line + 1),
                tap.x.eq(-geometry.pad_left),
                tap.y.eq(tap.y + geometry.dilation),
                tap.line.eq(tap.line + geometry.tap_line),
            ]
        with m.If(last):
            m.d.sync += [column.eq(0), line.eq(0), *(tap[name].eq(to) for name, to in first_tap(geometry).items())]
