"""Moves finished accumulator rows through the output stage to the row stream."""

import itertools

from amaranth.hdl import *
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.rtl.arithmetic.fp_class import count_ones, is_nan
from hw.rtl.common.ram import Ram
from hw.rtl.npu.accumulator import ACCUMULATOR_BITS
from hw.rtl.npu.fp_output_stage import FpOutputStage
from hw.rtl.npu.output_stage import OutputStage
from hw.rtl.npu.signature import WritePort, parameter_layout, row_layout
from hw.spec.command import output_word_bits, parameter_word_bits
from hw.spec.core import OUTPUT_ROWS, CoreSpec
from hw.spec.number import number_format


class Drain(wiring.Component):
    """One row per cycle while finished rows are available and the output queue has room.

    A row asked for in cycle d can leave in cycle d + 5: one cycle of accumulator memory, three of output
    stage, one of queue. Every row has a place in the queue reserved before it starts, so the stage never
    stalls. Row r of the ring finds its addresses in word r of `row_memory`, noted when it was issued.

    Members
    -------
    i_note : In(1)
        Note `i_row` with the addresses and marks below: the row's last pass is being issued.
    i_row, i_output_address, i_parameter_address, i_starts_block, i_ends_command
    i_parameter : In(WritePort)
        Host writes into the parameter memory, at any time.
    i_parameter_missing : In(1)
        Word `o_parameter_address` of the parameter memory is still to be copied.
    i_available : In(1)
    o_drain : Out(1)
        The next finished row is being read from the accumulators.
    i_sums : In(columns * 32)
        That row, one cycle later.
    o_row : Out(stream of row_layout(core))
    o_left : Out(1)
        A row leaves in this cycle; with `o_ends_command` it is the last of its command.
    o_ends_command : Out(1)
    o_parameter_address : Out(ceil_log2(parameter_words))
        Of the next row to drain.
    o_drained_command : Out(1)
        The row being drained is the last of its command.
    o_parameter_read : Out(1)
    o_requantise : Out(1)
    o_blocked : Out(1)
        A row is ready to leave and is refused.
    o_saturated, o_nan : Out(ceil_log2(columns + 1))
        Lanes of a row on its way through the output stage, before it leaves; 0 without a row.
    """

    def __init__(self, core: CoreSpec) -> None:
        self.spec = core
        self.parameter_memory = Ram(shape=parameter_word_bits(core), depth=core.parameter_words)
        self._note_layout = data.StructLayout(
            {
                "output_address": ceil_log2(core.output_words),
                "parameter_address": ceil_log2(core.parameter_words),
                "starts_block": 1,
                "ends_command": 1,
            }
        )
        self.row_memory = Ram(shape=self._note_layout, depth=core.accumulator_rows)
        super().__init__(
            {
                "i_note": In(1),
                "i_row": In(ceil_log2(core.accumulator_rows)),
                "i_output_address": In(ceil_log2(core.output_words)),
                "i_parameter_address": In(ceil_log2(core.parameter_words)),
                "i_starts_block": In(1),
                "i_ends_command": In(1),
                "i_parameter": In(WritePort(depth=core.parameter_words, width=parameter_word_bits(core))),
                "i_parameter_missing": In(1),
                "i_available": In(1),
                "o_drain": Out(1),
                "i_sums": In(core.array.columns * ACCUMULATOR_BITS),
                "o_row": Out(stream.Signature(row_layout(core))),
                "o_left": Out(1),
                "o_ends_command": Out(1),
                "o_parameter_address": Out(ceil_log2(core.parameter_words)),
                "o_drained_command": Out(1),
                "o_parameter_read": Out(1),
                "o_requantise": Out(1),
                "o_blocked": Out(1),
                "o_saturated": Out(range(core.array.columns + 1)),
                "o_nan": Out(range(core.array.columns + 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec = self.spec
        m.submodules.parameter_memory = self.parameter_memory
        m.submodules.row_memory = self.row_memory
        m.submodules.stage = stage = FpOutputStage(spec) if spec.array.is_floating_point else OutputStage(spec)
        mark = data.StructLayout({"address": ceil_log2(spec.output_words), "ends_command": 1})
        m.submodules.queue = queue = fifo.SyncFIFO(width=output_word_bits(spec) + mark.size, depth=OUTPUT_ROWS)

        # Notes: written at issue; the note of the next row to drain is always at hand
        note_write, note_read = self.row_memory.write_port(), self.row_memory.read_port()
        note = note_read.data
        row = Signal.like(self.i_row)
        m.d.sync += row.eq(row + self.o_drain)
        m.d.comb += [
            note_write.addr.eq(self.i_row),
            note_write.en.eq(self.i_note),
            note_write.data.output_address.eq(self.i_output_address),
            note_write.data.parameter_address.eq(self.i_parameter_address),
            note_write.data.starts_block.eq(self.i_starts_block),
            note_write.data.ends_command.eq(self.i_ends_command),
            note_read.addr.eq(row + self.o_drain),
            note_read.en.eq(1),
        ]

        # A row starts when it is finished and has a place to go to
        places = Signal(range(OUTPUT_ROWS + 1), init=OUTPUT_ROWS)
        m.d.sync += places.eq(places - self.o_drain + self.o_left)
        m.d.comb += [
            self.o_drain.eq(self.i_available & (places != 0) & ~(note.starts_block & self.i_parameter_missing)),
            self.o_parameter_address.eq(note.parameter_address),
            self.o_drained_command.eq(self.o_drain & note.ends_command),
        ]

        # Parameters are read with the first row of a block and held for the others
        parameter_read, parameter_write = self.parameter_memory.read_port(), self.parameter_memory.write_port()
        m.d.comb += [
            parameter_write.addr.eq(self.i_parameter.address),
            parameter_write.data.eq(self.i_parameter.data),
            parameter_write.en.eq(self.i_parameter.enable),
            parameter_read.addr.eq(note.parameter_address),
            parameter_read.en.eq(self.o_drain & note.starts_block),
            self.o_parameter_read.eq(parameter_read.en),
        ]

        # Output stage, the row's mark beside it
        valid = Signal()
        marks = [Signal(mark, name=f"mark_{i}") for i in range(1 + stage.latency)]
        m.d.sync += [valid.eq(self.o_drain)]
        m.d.sync += [
            marks[0].address.eq(note.output_address),
            marks[0].ends_command.eq(note.ends_command),
            *(late.eq(early) for early, late in itertools.pairwise(marks)),
        ]
        m.d.comb += [
            stage.i_valid.eq(valid),
            stage.i_sums.eq(self.i_sums),
            stage.i_parameters.eq(parameter_layout(spec)(parameter_read.data)),
            self.o_requantise.eq(valid),
            queue.w_en.eq(stage.o_valid),
            queue.w_data.eq(Cat(stage.o_data, marks[-1])),
        ]

        # Special elements
        fmt = number_format(spec.output_format)
        nan = [is_nan(stage.o_data.word_select(c, fmt.bits), fmt) for c in range(spec.array.columns)]
        m.d.sync += [
            self.o_saturated.eq(stage.o_saturated),
            self.o_nan.eq(Mux(stage.o_valid, count_ones(nan), 0)),
        ]

        # Row stream
        leaving = mark(queue.r_data[output_word_bits(spec) :])
        m.d.comb += [
            self.o_row.valid.eq(queue.r_rdy),
            self.o_row.payload.data.eq(queue.r_data[: output_word_bits(spec)]),
            self.o_row.payload.address.eq(leaving.address),
            queue.r_en.eq(self.o_row.ready),
            self.o_left.eq(self.o_row.valid & self.o_row.ready),
            self.o_blocked.eq(self.o_row.valid & ~self.o_row.ready),
            self.o_ends_command.eq(leaving.ends_command),
        ]
        return m
