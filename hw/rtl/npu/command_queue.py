"""Queue of descriptors and the decoder that refuses malformed ones."""

from amaranth.hdl import *
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.base.integer import ceil_div
from hw.rtl.npu.geometry import CONFIG_LAYOUT, GEOMETRY, GEOMETRY_CYCLES, products
from hw.rtl.npu.signature import command_layout
from hw.spec.command import (
    COPY_FIELDS,
    COPY_TARGETS,
    OPCODE_CONFIG,
    OPCODE_CONV,
    OPCODE_COPY,
    OPCODE_FENCE,
    OPCODE_GEMM,
    activation_word_bits,
    output_word_bits,
    parameter_word_bits,
    weight_word_bits,
)
from hw.spec.core import CoreSpec
from hw.spec.mac_array import MacArraySpec
from hw.spec.number import OPERAND_CODES

COPY_LAYOUT = data.StructLayout(COPY_FIELDS)


class _Stages:
    """What lies between queue and verdict: the command judged, and products of its sizes."""

    def __init__(self, core: CoreSpec) -> None:
        array = core.array
        self.most_m = core.activation_words * (array.rows // array.activation_words(array.rows))
        self.head = Signal(command_layout())
        self.command = Signal(command_layout())
        self.full = Signal()
        self.activations = Signal(2 * core.activation_words.bit_length())
        self.tiles = Signal(2 * core.weight_words.bit_length())
        self.outputs = Signal(2 * core.output_words.bit_length())
        self.channels = Signal(64)  # words of all channel blocks of a CONV
        self.copy = Signal(COPY_LAYOUT)
        self.is_conv = (self.command.opcode == OPCODE_CONV) if core.convolution else Const(0)
        self.is_config = (self.command.opcode == OPCODE_CONFIG) if core.convolution else Const(0)
        self.computes = (self.command.opcode == OPCODE_GEMM) | self.is_conv


class CommandQueue(wiring.Component):
    """Holds `command_entries` descriptors, hands out the valid ones in order, drops the others.

    A command accepted in cycle 0 is offered in cycle 2; one per cycle.

    Members
    -------
    i_command : In(stream of command_layout())
    o_command : Out(stream of command_layout())
        Work for the array.
    o_copy : Out(stream of COPY_LAYOUT)
        Copies; at most one of the two streams is valid.
    i_open : In(1)
        A command handed on has not ended.
    o_geometry : Out(GEOMETRY)
        Of the CONV or COPY offered; only in a core with convolution.
    o_configured : Out(1)
        A CONFIG is done.
    o_fence : Out(1)
        A FENCE is done: it waits for all commands before it.
    o_empty : Out(1)
        No command is in the queue.
    o_refused : Out(1)
        High for one cycle when a command is dropped, with `o_code` (`hw.spec.command.REFUSALS`).
    o_code : Out(4)
    """

    def __init__(self, core: CoreSpec) -> None:
        self.spec = core
        super().__init__(
            {
                "i_command": In(stream.Signature(command_layout())),
                "o_command": Out(stream.Signature(command_layout())),
                "o_copy": Out(stream.Signature(COPY_LAYOUT)),
                "i_open": In(1),
                "o_geometry": Out(GEOMETRY),
                "o_configured": Out(1),
                "o_fence": Out(1),
                "o_empty": Out(1),
                "o_refused": Out(1),
                "o_code": Out(4),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        queue = fifo.SyncFIFO(width=command_layout().size, depth=self.spec.command_entries)
        m.submodules.queue = queue
        at = _Stages(self.spec)
        m.d.comb += [
            queue.w_data.eq(self.i_command.payload),
            queue.w_en.eq(self.i_command.valid),
            self.i_command.ready.eq(queue.w_rdy),
            at.head.eq(queue.r_data),
        ]
        self._multiply(m, queue, at)
        self._offer(m, queue, at)
        self._judge(m, at)
        m.d.comb += [
            self.o_command.payload.eq(at.command),
            self.o_command.valid.eq(at.full & (self.o_code == 0) & at.computes),
            self.o_refused.eq(at.full & (self.o_code != 0)),
        ]
        return m

    def _multiply(self, m: Module, queue: fifo.SyncFIFO, at: _Stages) -> None:
        """First stage: products of sizes, on operands cut to what can fit."""
        spec, head, command, full, array = self.spec, at.head, at.command, at.full, self.spec.array
        m.d.comb += queue.r_en.eq(~full | self.o_command.ready | self.o_refused)
        with m.If(full & ~at.computes & ~self.o_refused):
            m.d.comb += queue.r_en.eq((self.o_copy.valid & self.o_copy.ready) | self.o_fence | self.o_configured)
        if spec.convolution:
            step = Signal(range(GEOMETRY_CYCLES))
            with m.If(full & at.is_config & ~self.o_refused):
                m.d.sync += step.eq(Mux(self.o_configured, 0, step + 1))
                products(m, self.o_geometry, data.View(CONFIG_LAYOUT, command.as_value()[: CONFIG_LAYOUT.size]), step)
            m.d.comb += self.o_configured.eq(full & at.is_config & ~self.o_refused & (step == GEOMETRY_CYCLES - 1))
            with m.If(queue.r_en & queue.r_rdy):
                m.d.sync += at.channels.eq(self.o_geometry.channels * head.k_blocks)
        with m.If(queue.r_en):
            m.d.sync += full.eq(queue.r_rdy)
        activation_bits, m_bits = spec.activation_words.bit_length(), at.most_m.bit_length()
        weight_bits, output_bits = spec.weight_words.bit_length(), spec.output_words.bit_length()
        with m.If(queue.r_en & queue.r_rdy):
            m.d.sync += [
                command.eq(head),
                at.activations.eq(
                    _activation_words(array, head.m[:m_bits])[:activation_bits] * head.k_blocks[:activation_bits]
                ),
                at.tiles.eq(head.n_blocks[:weight_bits] * head.k_blocks[:weight_bits]),
                at.outputs.eq(head.m[:output_bits] * head.n_blocks[:output_bits]),
            ]

    def _offer(self, m: Module, queue: fifo.SyncFIFO, at: _Stages) -> None:
        """Second stage: what is no work for the array."""
        command, full = at.command, at.full
        m.d.comb += [
            at.copy.eq(command.as_value()),
            self.o_copy.payload.eq(at.copy),
            self.o_copy.valid.eq(full & (self.o_code == 0) & (command.opcode == OPCODE_COPY)),
            self.o_fence.eq(full & (command.opcode == OPCODE_FENCE) & ~self.i_open),
            self.o_empty.eq(~queue.r_rdy),
        ]

    def _judge(self, m: Module, at: _Stages) -> None:
        """Second stage: the verdict on a command of any opcode."""
        command, code = at.command, self.o_code
        is_copy, is_fence = command.opcode == OPCODE_COPY, command.opcode == OPCODE_FENCE
        with m.If(is_copy):
            self._judge_copy(m, at.copy)
        with m.Elif(is_fence):
            pass
        with m.Elif(at.is_config):
            config = data.View(CONFIG_LAYOUT, command.as_value()[: CONFIG_LAYOUT.size])
            sizes = [config[name] for name in CONFIG_LAYOUT.members if name not in ("opcode", "pad_top", "pad_left")]
            with m.If(Cat(size == 0 for size in sizes).any()):
                m.d.comb += code.eq(11)
        for broken, refusal in self._work_rules(at):
            with m.Elif(broken):
                m.d.comb += code.eq(refusal)

    def _work_rules(self, at: _Stages) -> list[tuple[Value, int]]:
        """What a GEMM or CONV breaks and the code it is refused with, the first that holds counts."""
        spec, command, is_conv = self.spec, at.command, at.is_conv
        most_k_blocks = ceil_div(spec.largest_k, spec.array.k_per_block)
        taps = Mux(is_conv, self.o_geometry.taps, 1) if spec.convolution else Const(1)
        return [
            (~at.computes, 1),
            (self._foreign(command), 12),
            ((command.m == 0) | (command.n_blocks == 0) | (command.k_blocks == 0), 2),
            (is_conv & ((command.m != self.o_geometry.pixels) | (command.n_blocks != self.o_geometry.blocks)), 11),
            (command.k_blocks * taps > most_k_blocks, 3),
            (is_conv & (command.activation_address + at.channels > spec.activation_words), 4),
            (
                ~is_conv
                & (
                    (command.m > at.most_m)
                    | (command.k_blocks > spec.activation_words)
                    | (command.activation_address + at.activations > spec.activation_words)
                ),
                4,
            ),
            (
                (command.n_blocks > spec.weight_words)
                | (command.k_blocks > spec.weight_words)
                | (command.weight_address + at.tiles * taps * spec.array.tile_words > spec.weight_words),
                5,
            ),
            (command.parameter_address + command.n_blocks > spec.parameter_words, 6),
            (
                (command.m > spec.output_words)
                | (command.n_blocks > spec.output_words)
                | (command.output_address + at.outputs > spec.output_words),
                7,
            ),
        ]

    def _foreign(self, command: data.View) -> Value:
        """The command says that its operands have a format which this build lacks."""
        array = self.spec.array
        return Cat(
            (command[f"{operand}_format"] != 0)
            & (command[f"{operand}_format"] != OPERAND_CODES[getattr(array, f"{operand}_format")])
            for operand in ("activation", "weight")
        ).any()

    def _judge_copy(self, m: Module, copy: data.View) -> None:
        """Set `o_code` for a COPY."""
        spec, code = self.spec, self.o_code
        dma = spec.dma
        if dma is None:
            m.d.comb += code.eq(8)
            return
        depths = {
            "external_to_activation": (spec.activation_words, activation_word_bits(spec), 4),
            "external_to_weight": (spec.weight_words, weight_word_bits(spec), 5),
            "external_to_parameter": (spec.parameter_words, parameter_word_bits(spec), 6),
            "output_to_external": (spec.output_words, output_word_bits(spec), 7),
            "output_to_activation": (spec.output_words, 0, 7),
        }
        if activation_word_bits(spec) != output_word_bits(spec):
            del depths["output_to_activation"]
        geometry = self.o_geometry
        with m.Switch(copy.target):
            for name, (depth, bits, refusal) in depths.items():
                with m.Case(COPY_TARGETS[name]):
                    with m.If(copy.words == 0):
                        m.d.comb += code.eq(2)
                    with m.Elif(copy.address + copy.words > depth):
                        m.d.comb += code.eq(refusal)
                    if bits:
                        with m.Elif(copy.other_address + copy.words * dma.beats(bits) > dma.external_beats):
                            m.d.comb += code.eq(10)
                    else:
                        with m.Elif(copy.other_address + copy.words > spec.activation_words):
                            m.d.comb += code.eq(4)
            if spec.convolution and "output_to_activation" in depths:
                with m.Case(COPY_TARGETS["output_to_activation_max"]):
                    with m.If(copy.words != geometry.pixels * geometry.groups):
                        m.d.comb += code.eq(11)
                    with m.Elif(copy.words == 0):
                        m.d.comb += code.eq(2)
                    with m.Elif(copy.address + geometry.channels > spec.output_words):
                        m.d.comb += code.eq(7)
                    with m.Elif(copy.other_address + copy.words > spec.activation_words):
                        m.d.comb += code.eq(4)
            with m.Default():
                m.d.comb += code.eq(9)


def _activation_words(array: MacArraySpec, m: Value) -> Value:
    """`array.activation_words(m)`: m, or for blocks of rows m / rows rounded up, by multiplication with a constant."""
    if array.activation_words(array.rows) == array.rows:
        return m
    bits = len(m) + 1
    shift = bits + array.rows.bit_length()  # exact: rows * ceil(2**shift / rows) exceeds 2**shift by less than rows
    inverse = ceil_div(1 << shift, array.rows)
    return ((m + (array.rows - 1)) * inverse >> shift)[: len(m)]
