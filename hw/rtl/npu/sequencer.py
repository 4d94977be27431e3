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


class _State:
    """Where the sequencer is in its command; with convolution: kernel taps inside a channel block, groups of blocks."""

    def __init__(self, core: CoreSpec) -> None:
        activation_bits, output_bits = ceil_log2(core.activation_words), ceil_log2(core.output_words)
        self.active = Signal()
        self.command = Signal(command_layout())
        self.rows_left = Signal(self.command.m.shape())
        self.n = Signal(self.command.n_blocks.shape())
        self.k = Signal(self.command.k_blocks.shape())
        self.weight = Signal(ceil_log2(core.weight_words))
        self.parameter = Signal(ceil_log2(core.parameter_words))
        self.activation_block = Signal(activation_bits)
        self.activation = Signal(activation_bits)
        self.output_block = Signal(output_bits)
        self.output = Signal(output_bits)
        self.conv = Signal()
        self.last_tap = Signal(init=1)
        self.geometry = Signal(GEOMETRY)
        self.tap = Signal(TAP)
        self.tap_column = Signal(4)
        self.tap_line = Signal(4)
        self.in_group = Signal(16)
        self.last_k = Signal()
        self.last_n = Signal()
        self.last_rows = Signal()
        self.emit = Signal()


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
        at = _State(self.spec)
        self._offer(m, at)
        with m.If(at.emit):
            self._advance(m, at)
        with m.If(self.i_command.ready):
            m.d.sync += at.active.eq(self.i_command.valid)
            with m.If(self.i_command.valid):
                self._begin(m, at)
        return m

    def _offer(self, m: Module, at: _State) -> None:
        """The pass at hand, to both engines at once."""
        command, block = at.command, self.spec.block_rows
        tile, wave = self.o_tile.payload, self.o_pass.payload
        m.d.comb += [
            at.last_k.eq((at.k == command.k_blocks - 1) & at.last_tap),
            at.last_n.eq(at.n == command.n_blocks - 1),
            at.last_rows.eq(at.rows_left <= block),
            at.emit.eq(at.active & self.o_tile.ready & self.o_pass.ready),
            self.o_tile.valid.eq(at.active & self.o_pass.ready),
            self.o_pass.valid.eq(at.active & self.o_tile.ready),
            tile.weight_address.eq(at.weight),
            tile.ends_command.eq(at.last_k & at.last_n & at.last_rows),
            wave.activation_address.eq(at.activation),
            wave.rows.eq(Mux(at.last_rows, at.rows_left, block)),
            wave.first.eq((at.k == 0) & (at.tap_column == 0) & (at.tap_line == 0)),
            wave.last.eq(at.last_k),
            wave.ends_command.eq(at.last_k & at.last_n & at.last_rows),
            wave.output_address.eq(at.output),
            wave.parameter_address.eq(at.parameter),
            self.i_command.ready.eq(~at.active | (at.emit & at.last_k & at.last_n & at.last_rows)),
        ]
        if self.spec.convolution:
            geometry = at.geometry
            m.d.comb += [
                at.conv.eq(command.opcode == OPCODE_CONV),
                at.last_tap.eq(
                    ~at.conv
                    | ((at.tap_column == geometry.kernel_width - 1) & (at.tap_line == geometry.kernel_height - 1))
                ),
                wave.conv.eq(at.conv),
                wave.ends_rows.eq(at.last_k & at.last_n),
                wave.tap.eq(at.tap),
                wave.geometry.eq(geometry),
            ]
        else:
            m.d.comb += at.last_tap.eq(1)

    def _advance(self, m: Module, at: _State) -> None:
        """From a pass to the next: K blocks, then column blocks, then row blocks."""
        command, block = at.command, self.spec.block_rows
        m.d.sync += at.weight.eq(at.weight + self.spec.array.rows)
        with m.If(at.last_tap):
            m.d.sync += [
                at.k.eq(at.k + 1),
                at.activation.eq(at.activation + Mux(at.conv, at.geometry.plane, command.m)),
            ]
        with m.If(at.last_k):
            m.d.sync += [
                at.k.eq(0),
                at.n.eq(at.n + 1),
                at.activation.eq(at.activation_block),
                at.output.eq(at.output + command.m),
                at.parameter.eq(at.parameter + 1),
            ]
            with m.If(at.last_n):
                m.d.sync += [
                    at.n.eq(0),
                    at.rows_left.eq(at.rows_left - block),
                    at.activation_block.eq(at.activation_block + block),
                    at.activation.eq(at.activation_block + block),
                    at.output_block.eq(at.output_block + block),
                    at.output.eq(at.output_block + block),
                    at.weight.eq(command.weight_address),
                    at.parameter.eq(command.parameter_address),
                ]
        if self.spec.convolution:
            self._step_taps(m, at)
            self._step_groups(m, at)

    def _step_taps(self, m: Module, at: _State) -> None:
        """The next tap: along a line of the kernel, then the next line, then from the start."""
        column, line, tap, geometry = at.tap_column, at.tap_line, at.tap, at.geometry
        m.d.sync += [column.eq(column + 1), tap.x.eq(tap.x + geometry.dilation)]
        with m.If(column == geometry.kernel_width - 1):
            m.d.sync += [
                column.eq(0),
                line.eq(line + 1),
                tap.x.eq(-geometry.pad_left),
                tap.y.eq(tap.y + geometry.dilation),
                tap.line.eq(tap.line + geometry.tap_line),
            ]
        with m.If(at.last_tap):
            m.d.sync += [column.eq(0), line.eq(0), *(tap[name].eq(to) for name, to in first_tap(geometry).items())]

    def _step_groups(self, m: Module, at: _State) -> None:
        """Every group of column blocks of a convolution reads the planes after those of the group before."""
        command, geometry = at.command, at.geometry
        with m.If(at.conv & at.last_k):
            m.d.sync += [at.activation.eq(at.activation_block), at.in_group.eq(at.in_group + 1)]
            with m.If(at.in_group == geometry.group_blocks - 1):
                following = at.activation + geometry.plane
                m.d.sync += [at.activation.eq(following), at.activation_block.eq(following), at.in_group.eq(0)]
            with m.If(at.last_n):
                m.d.sync += [
                    at.activation.eq(command.activation_address),
                    at.activation_block.eq(command.activation_address),
                ]

    def _begin(self, m: Module, at: _State) -> None:
        """Take the command that arrives."""
        arriving = self.i_command.payload
        m.d.sync += [
            at.command.eq(arriving),
            at.rows_left.eq(arriving.m),
            at.n.eq(0),
            at.k.eq(0),
            at.weight.eq(arriving.weight_address),
            at.parameter.eq(arriving.parameter_address),
            at.activation_block.eq(arriving.activation_address),
            at.activation.eq(arriving.activation_address),
            at.output_block.eq(arriving.output_address),
            at.output.eq(arriving.output_address),
        ]
        if self.spec.convolution:
            m.d.sync += [
                at.geometry.eq(self.i_geometry),
                at.tap_column.eq(0),
                at.tap_line.eq(0),
                at.in_group.eq(0),
                *(at.tap[name].eq(value) for name, value in first_tap(self.i_geometry).items()),
            ]
