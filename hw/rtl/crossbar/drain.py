"""Takes results out of the tiles, adds row tiles up, requantises, and queues words for the buffer or the stream."""

import itertools

from amaranth.hdl import *
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.common.ram import Ram
from hw.rtl.crossbar.signature import layer_layout, result_layout, stage_core
from hw.rtl.crossbar.tile_adder import TileAdder
from hw.rtl.npu.output_stage import OutputStage
from hw.rtl.npu.signature import WritePort, parameter_layout
from hw.spec.command import parameter_word_bits
from hw.spec.crossbar import OUTPUT_WORDS, SUM_BITS, CrossbarSpec


class _State:
    """The beat at hand: column tile, beat, row tile; and where its word goes."""

    def __init__(self, beat: Signal) -> None:
        self.running = Signal()
        self.column = Signal(8)
        self.row = Signal(8)
        self.beat = Signal.like(beat, name="beat")
        self.column_base = Signal(9)
        self.tile = Signal(9)
        self.vector = Signal(24)
        self.address = Signal(24)
        self.parameter = Signal(16)
        self.places = Signal(range(OUTPUT_WORDS + 1), init=OUTPUT_WORDS)
        self.last_row = Signal()
        self.last_beat = Signal()
        self.last_column = Signal()


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
        self.parameter_memory = Ram(shape=parameter_word_bits(core), depth=max(spec.parameter_words, 2))
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
        m.submodules.parameter_memory = self.parameter_memory
        m.submodules.adder = adder = TileAdder(self.spec)
        at = _State(self.o_beat)
        self._issue(m, at)
        self._step(m, at)
        last = self._merge(m, adder, at)
        self._requantise(m, adder, last, at)
        return m

    def _issue(self, m: Module, at: _State) -> None:
        """A beat a cycle; a word may end only if a place is free for it."""
        command = self.i_command
        m.d.comb += [
            at.last_row.eq(at.row == command.row_tiles - 1),
            at.last_beat.eq(at.beat == self.spec.drain_beats - 1),
            at.last_column.eq(at.column == command.column_tiles - 1),
            self.o_issue.eq(at.running & (~at.last_row | (at.places != 0))),
            self.o_issue_last.eq(self.o_issue & at.last_row),
            self.o_issuing.eq(at.running),
            self.o_ends.eq(self.o_issue & at.last_row & at.last_beat & at.last_column),
            self.o_beat.eq(at.beat),
            self.o_tile.eq(at.tile),
            self.o_in_flight.eq(at.places != OUTPUT_WORDS),
        ]
        m.d.sync += at.places.eq(at.places - self.o_issue_last + (self.o.valid & self.o.ready))

    def _step(self, m: Module, at: _State) -> None:
        """From a beat to the next, from a vector to the next."""
        command = self.i_command
        with m.If(self.o_issue):
            m.d.sync += [at.row.eq(at.row + 1), at.tile.eq(at.tile + command.column_tiles)]
            with m.If(at.last_row):
                m.d.sync += [
                    at.row.eq(0),
                    at.tile.eq(at.column_base),
                    at.beat.eq(at.beat + 1),
                    at.address.eq(at.address + 1),
                    at.parameter.eq(at.parameter + 1),
                ]
                with m.If(at.last_beat):
                    m.d.sync += [
                        at.beat.eq(0),
                        at.column.eq(at.column + 1),
                        at.column_base.eq(at.column_base + 1),
                        at.tile.eq(at.column_base + 1),
                    ]
        with m.If(self.o_ends):
            m.d.sync += [at.running.eq(0), at.vector.eq(at.vector + command.output_stride)]
        with m.If(self.i_go):
            m.d.sync += [
                at.running.eq(1),
                at.row.eq(0),
                at.beat.eq(0),
                at.column.eq(0),
                at.column_base.eq(command.first_tile),
                at.tile.eq(command.first_tile),
                at.address.eq(at.vector),
                at.parameter.eq(command.parameter_address),
            ]
        with m.If(self.i_begin):
            m.d.sync += at.vector.eq(command.output_address)

    def _merge(self, m: Module, adder: TileAdder, at: _State) -> Signal:
        """Merge register before the adder; whether it holds the last row tile of a word."""
        valid = Signal()
        first = Signal()
        last = Signal()
        results = Signal.like(self.i_results, name="results")
        m.d.sync += [
            valid.eq(self.o_issue),
            first.eq(at.row == 0),
            last.eq(self.o_issue_last),
            results.eq(self.i_results),
        ]
        m.d.comb += [
            adder.i_valid.eq(valid),
            adder.i_first.eq(first),
            adder.i_last.eq(last),
            adder.i_results.eq(results),
        ]
        return last

    def _requantise(self, m: Module, adder: TileAdder, last: Signal, at: _State) -> None:
        """Sums to outputs, with the plain sums and the address beside them, into the queue."""
        spec, core, word = self.spec, stage_core(self.spec), result_layout(self.spec)
        m.submodules.stage = stage = OutputStage(core)
        m.submodules.queue = queue = fifo.SyncFIFO(width=word.size, depth=OUTPUT_WORDS)

        # Parameters: asked for with the merge register, there with the sum
        read, write = self.parameter_memory.read_port(), self.parameter_memory.write_port()
        wanted = Signal.like(at.parameter, name="wanted")
        m.d.sync += wanted.eq(at.parameter)
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
            marks[0].address.eq(at.address),
            marks[0].sums.eq(self.i_command.sums),
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
