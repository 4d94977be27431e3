"""Takes results out of the tiles, adds row tiles up, requantises, and queues words for the buffer or the stream."""

import itertools

from amaranth.hdl import *
from amaranth.lib import data, fifo, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.crossbar.signature import layer_layout, result_layout, stage_core
from hw.rtl.crossbar.tile_adder import TileAdder
from hw.rtl.npu.output_stage import OutputStage
from hw.rtl.npu.signature import WritePort, parameter_layout
from hw.spec.command import parameter_word_bits
from hw.spec.crossbar import OUTPUT_WORDS, SUM_BITS, CrossbarSpec


class CrossbarDrain(wiring.Component):
    """One beat per cycle: `lanes` outputs of one tile; row tiles innermost, so that a sum ends every row_tiles beats.

    A word whose last beat is asked for in cycle d can leave in d + 6: one cycle of merge, one of adder, three of output
    stage, one of queue. Every word has its place in the queue reserved before its last beat.

    Members
    -------
    i_begin : In(1)
        A command starts: addresses are taken from it.
    i_go : In(1)
        Results of the next vector are in the tiles: the first beat is in the next cycle.
    i_command : In(layer_layout())
    i_parameter : In(WritePort)
        Host writes into the parameter memory.
    o_issue : Out(1)
        A beat is taken from the tiles in this cycle: outputs `o_beat` * lanes and up of tile `o_tile`.
    o_beat, o_tile : Out
    o_issue_last : Out(1)
        With `o_issue`: the last row tile of a word.
    o_issuing : Out(1)
        Beats of the vector are still to be taken.
    o_ends : Out(1)
        The last beat of the vector is taken in this cycle.
    i_results : In(lanes * 32)
    o : Out(stream of result_layout(spec))
    o_in_flight : Out(1)
        A word is between its last beat and the exit.
    """

    def __init__(self, spec: CrossbarSpec) -> None:
        self.spec = spec
        core = stage_core(spec)
        self.parameter_memory = memory.Memory(
            shape=parameter_word_bits(core), depth=max(spec.parameter_words, 2), init=[]
        )
        super().__init__(
            {
                "i_begin": In(1),
                "i_go": In(1),
                "i_command": In(layer_layout()),
                "i_parameter": In(WritePort(depth=max(spec.parameter_words, 2), width=parameter_word_bits(core))),
                "o_issue": Out(1),
                "o_issue_last": Out(1),
                "o_issuing": Out(1),
                "o_ends": Out(1),
                "o_beat": Out(range(max(spec.drain_beats, 2))),
                "o_tile": Out(9),
                "i_results": In(spec.lanes * SUM_BITS),
                "o": Out(stream.Signature(result_layout(spec))),
                "o_in_flight": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec, command = self.spec, self.i_command
        core = stage_core(spec)
        m.submodules.parameter_memory = self.parameter_memory
        m.submodules.adder = adder = TileAdder(spec)
        m.submodules.stage = stage = OutputStage(core)
        word = result_layout(spec)
        m.submodules.queue = queue = fifo.SyncFIFO(width=word.size, depth=OUTPUT_WORDS)
        leave = self.o.valid & self.o.ready

        # Beats: column tile, beat, row tile; a word may end only if a place is free for it
        running = Signal()
        column, row = Signal(8), Signal(8)
        beat = Signal.like(self.o_beat)
        column_base, tile = Signal(9), Signal(9)
        vector, address, parameter = Signal(24), Signal(24), Signal(16)
        places = Signal(range(OUTPUT_WORDS + 1), init=OUTPUT_WORDS)
        last_row, last_beat, last_column = Signal(), Signal(), Signal()
        m.d.comb += [
            last_row.eq(row == command.row_tiles - 1),
            last_beat.eq(beat == spec.drain_beats - 1),
            last_column.eq(column == command.column_tiles - 1),
            self.o_issue.eq(running & (~last_row | (places != 0))),
            self.o_issue_last.eq(self.o_issue & last_row),
            self.o_issuing.eq(running),
            self.o_ends.eq(self.o_issue & last_row & last_beat & last_column),
            self.o_beat.eq(beat),
            self.o_tile.eq(tile),
            self.o_in_flight.eq(places != OUTPUT_WORDS),
        ]
        m.d.sync += places.eq(places - self.o_issue_last + leave)
        with m.If(self.o_issue):
            m.d.sync += [row.eq(row + 1), tile.eq(tile + command.column_tiles)]
            with m.If(last_row):
                m.d.sync += [
                    row.eq(0),
                    tile.eq(column_base),
                    beat.eq(beat + 1),
                    address.eq(address + 1),
                    parameter.eq(parameter + 1),
                ]
                with m.If(last_beat):
                    m.d.sync += [
                        beat.eq(0),
                        column.eq(column + 1),
                        column_base.eq(column_base + 1),
                        tile.eq(column_base + 1),
                    ]
        with m.If(self.o_ends):
            m.d.sync += [running.eq(0), vector.eq(vector + command.output_stride)]
        with m.If(self.i_go):
            m.d.sync += [
                running.eq(1),
                row.eq(0),
                beat.eq(0),
                column.eq(0),
                column_base.eq(command.first_tile),
                tile.eq(command.first_tile),
                address.eq(vector),
                parameter.eq(command.parameter_address),
            ]
        with m.If(self.i_begin):
            m.d.sync += vector.eq(command.output_address)

        # Merge register, adder
        valid, first, last = Signal(), Signal(), Signal()
        results = Signal.like(self.i_results)
        m.d.sync += [valid.eq(self.o_issue), first.eq(row == 0), last.eq(self.o_issue_last), results.eq(self.i_results)]
        m.d.comb += [
            adder.i_valid.eq(valid),
            adder.i_first.eq(first),
            adder.i_last.eq(last),
            adder.i_results.eq(results),
        ]

        # Parameters: asked for with the merge register, there with the sum
        read, write = self.parameter_memory.read_port(), self.parameter_memory.write_port()
        wanted = Signal.like(parameter)
        m.d.sync += wanted.eq(parameter)
        m.d.comb += [
            read.addr.eq(wanted),
            read.en.eq(last),
            write.addr.eq(self.i_parameter.address),
            write.data.eq(self.i_parameter.data),
            write.en.eq(self.i_parameter.enable),
        ]

        # Output stage, with the plain sums and the address beside it
        mark = data.StructLayout({"address": word["address"].shape, "sums": 1})
        marks = [Signal(mark, name=f"mark_{i}") for i in range(2 + stage.latency)]
        plain = [Signal(len(adder.o_sums), name=f"plain_{i}") for i in range(stage.latency)]
        m.d.sync += [
            marks[0].address.eq(address),
            marks[0].sums.eq(command.sums),
            *(late.eq(early) for early, late in itertools.pairwise(marks)),
            plain[0].eq(adder.o_sums),
            *(late.eq(early) for early, late in itertools.pairwise(plain)),
        ]
        m.d.comb += [
            stage.i_valid.eq(adder.o_valid),
            stage.i_sums.eq(adder.o_sums),
            stage.i_parameters.eq(parameter_layout(core)(read.data)),
            queue.w_en.eq(stage.o_valid),
        ]
        queued = Signal(word)
        m.d.comb += [queue.w_data.eq(queued), queued.address.eq(marks[-1].address)]
        for lane in range(spec.lanes):
            short = stage.o_data.word_select(lane, 8).as_signed()
            m.d.comb += queued.lanes[lane].eq(
                Mux(marks[-1].sums, plain[-1].word_select(lane, SUM_BITS).as_signed(), short)
            )
        m.d.comb += [self.o.valid.eq(queue.r_rdy), self.o.payload.eq(queue.r_data), queue.r_en.eq(self.o.ready)]
        return m
