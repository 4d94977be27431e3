"""What a dataflow part shows to the frame of the core: its ports, and the queues between its stages."""

from amaranth.hdl import *
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.rtl.npu.accumulator import ROW_CONTROL
from hw.rtl.npu.counters import increment_bits
from hw.rtl.npu.geometry import GEOMETRY
from hw.rtl.npu.signature import command_layout
from hw.spec.command import activation_word_bits, weight_word_bits
from hw.spec.core import PASS_ENTRIES, CoreSpec

LABELS = (
    "stream",
    "wait_weight",
    "weight_missing",
    "weight_blocked",
    "wait_accumulator",
    "activation_missing",
    "activation_blocked",
)
"""Labels of a cycle that only the dataflow knows; one that it never drives stays 0."""

EVENTS = (
    "mac_array.mac",
    "mac_array.weight_load",
    "mac_array.pass",
    "activation_memory.read",
    "activation_memory.conflict",
    "weight_memory.read",
    "weight_memory.conflict",
)
"""Events of the array and of the reads of its operands; one that a dataflow never drives stays 0."""


class OperandPort(wiring.Signature):
    """Reads of one operand memory.

    Members
    -------
    read : Out(1); address : Out(ceil_log2(depth))
        A word is read in this cycle.
    data : In(width)
        That word, one cycle later, kept until the next.
    taken : In(1)
        The port, or the bank of `address`, is taken by a write in this cycle: nothing may be read.
    missing : In(1)
        The word at `address` is still to be copied: nothing may be read.
    """

    def __init__(self, *, depth: int, width: int) -> None:
        super().__init__(
            {
                "read": Out(1),
                "address": Out(ceil_log2(depth)),
                "data": In(width),
                "taken": In(1),
                "missing": In(1),
            }
        )


class DataflowSignature(wiring.Signature):
    """A dataflow part: an array with what feeds it, from commands to rows of sums.

    Members
    -------
    i_command : In(stream of command_layout())
    i_geometry : In(GEOMETRY)
        Of the command offered; only in a core with convolution.
    activation, weight : Out(OperandPort)
    o_activation_arrives, o_weight_arrives : Out(1)
        The word that the memory shows in this cycle enters the array.
    o_loaded, o_streamed : Out(1)
        The last weight, the last activation word of a command is being read.
    o_waiting : Out(1)
        A pass or fold has words to issue.
    o_begun : Out(rows + 1 values)
        Result rows that begin in this cycle; each leaves the core at some time.
    o_note, o_starts_block : Out(1)
        A result row's addresses are known, as `Drain` notes them; it is the first of its block.
    o_row, o_output_address, o_parameter_address, o_ends_command : Out
        Of that row: place in the ring of accumulators, addresses, the last of its command.
    i_drained : In(1)
        One accumulator row is free again.
    o_control : Out(ROW_CONTROL)
        One cycle before the row's sums.
    o_sums : Out(columns * partial_sum_bits)
    labels : Out(one bit for each of `LABELS`)
    events : Out(an increment for each of `EVENTS`, dots as underscores)
    """

    def __init__(self, core: CoreSpec) -> None:
        bits = increment_bits(core)
        super().__init__(
            {
                "i_command": In(stream.Signature(command_layout())),
                "i_geometry": In(GEOMETRY),
                "activation": Out(OperandPort(depth=core.activation_words, width=activation_word_bits(core))),
                "weight": Out(OperandPort(depth=core.weight_words, width=weight_word_bits(core))),
                "o_activation_arrives": Out(1),
                "o_weight_arrives": Out(1),
                "o_loaded": Out(1),
                "o_streamed": Out(1),
                "o_waiting": Out(1),
                "o_begun": Out(range(core.array.rows + 1)),
                "o_note": Out(1),
                "o_starts_block": Out(1),
                "o_row": Out(ceil_log2(core.accumulator_rows)),
                "o_output_address": Out(ceil_log2(core.output_words)),
                "o_parameter_address": Out(ceil_log2(core.parameter_words)),
                "o_ends_command": Out(1),
                "i_drained": In(1),
                "o_control": Out(ROW_CONTROL),
                "o_sums": Out(core.array.columns * core.array.partial_sum_bits),
                "labels": Out(wiring.Signature({label: Out(1) for label in LABELS})),
                "events": Out(wiring.Signature({event.replace(".", "_"): Out(bits.get(event, 1)) for event in EVENTS})),
            }
        )


def queued(m: Module, name: str, source: stream.Interface, sink: stream.Interface) -> None:
    """Connect two streams through a queue of `PASS_ENTRIES` called `name`, one cycle later."""
    shape = source.payload.shape()
    m.submodules[name] = queue = fifo.SyncFIFO(width=shape.size, depth=PASS_ENTRIES)
    m.d.comb += [
        queue.w_data.eq(source.payload),
        queue.w_en.eq(source.valid),
        source.ready.eq(queue.w_rdy),
        sink.payload.eq(shape(queue.r_data)),
        sink.valid.eq(queue.r_rdy),
        queue.r_en.eq(sink.ready),
    ]
