"""Folds that take turns: each issues its words once, in order, in its own turn; they end in order, R cycles apart."""

from amaranth.hdl import *

from hw.formal import Bug, Proof
from hw.formal._queue import no_reset

TURNS, ROWS = 2, 2
MOST_WORDS = 3


class Harness(Elaboratable):
    """The engine between a free sequencer, memory ports that are taken at will and a drain that frees rows at will.

    The reference keeps, for each turn, the number of its fold and the words it still has to issue.
    """

    def elaborate(self, platform: object) -> Module:
        from hw.rtl.npu.output_stationary_interleave import InterleavingEngine
        from hw.spec.core import CoreSpec
        from hw.spec.mac_array import MacArraySpec

        m = Module()
        spec = CoreSpec(
            array=MacArraySpec(
                rows=ROWS,
                columns=2,
                dataflow="os",
                mac_latency=TURNS,
                activation_format="fp8_e4m3",
                weight_format="fp8_e4m3",
            ),
            activation_words=4,
            weight_words=4,
            accumulator_rows=16,
            output_words=4,
            parameter_words=2,
            output_format="fp32",
        )
        m.submodules.engine = engine = InterleavingEngine(spec)
        fold = engine.i_fold.payload
        given = Signal(fold.shape())
        valid, weight_taken, activation_taken, drained = Signal(), Signal(), Signal(), Signal()
        self.inputs = [given.as_value(), valid, weight_taken, activation_taken, drained]
        no_reset(m)

        # A fold stays offered until it is taken; rows are freed only if some are in use
        used, waited, offered = Signal(5), Signal(), Signal(fold.shape())
        m.d.sync += [waited.eq(valid & ~engine.i_fold.ready), offered.eq(given)]
        m.d.comb += [
            fold.eq(given),
            engine.i_fold.valid.eq(valid),
            engine.i_weight_taken.eq(weight_taken),
            engine.i_activation_taken.eq(activation_taken),
            engine.i_drained.eq(drained),
            Assume((given.words >= 1) & (given.words <= MOST_WORDS)),
            Assume((given.rows >= 1) & (given.rows <= ROWS)),
            Assume(~drained | (used != 0)),
        ]
        with m.If(waited):
            m.d.comb += [Assume(valid), Assume(given.as_value() == offered.as_value())]
        m.d.sync += used.eq(used + engine.o_results - drained)
        m.d.comb += Assert(used <= spec.accumulator_rows)

        # Per turn: its fold's number, next word and words left; 0 left if there is none
        turn, number, ended = Signal(range(TURNS)), Signal(4), Signal(4)
        m.d.sync += turn.eq(Mux(turn == TURNS - 1, 0, turn + 1))
        read = engine.o_read
        with m.Switch(turn):
            for t in range(TURNS):
                with m.Case(t):
                    left, mine = Signal(2, name=f"left_{t}"), Signal(4, name=f"number_{t}")
                    activation, weight = Signal(2, name=f"activation_{t}"), Signal(2, name=f"weight_{t}")
                    with m.If(read & (left == 0)):
                        m.d.comb += [
                            Assert(engine.o_first),
                            Assert(engine.i_fold.ready),
                            Assert(valid),
                            Assert(engine.o_activation_address == given.activation_address),
                            Assert(engine.o_weight_address == given.weight_address),
                            Assert(engine.o_last == (given.words == 1)),
                            Assert(~engine.o_last | (number == ended)),
                        ]
                        m.d.sync += [
                            left.eq(given.words - 1),
                            mine.eq(number),
                            activation.eq(given.activation_address + 1),
                            weight.eq(given.weight_address + 1),
                            number.eq(number + 1),
                        ]
                    with m.Elif(read):
                        m.d.comb += [
                            Assert(~engine.o_first),
                            Assert(~engine.i_fold.ready),
                            Assert(engine.o_activation_address == activation),
                            Assert(engine.o_weight_address == weight),
                            Assert(engine.o_last == (left == 1)),
                            Assert(~engine.o_last | (mine == ended)),
                        ]
                        m.d.sync += [left.eq(left - 1), activation.eq(activation + 1), weight.eq(weight + 1)]
        m.d.comb += [
            Assert(~read | ~(weight_taken | activation_taken)),
            Assert(~engine.o_last | read),
            Assert(read | ~engine.i_fold.ready),
        ]

        # Last words keep their distance
        since = Signal(range(ROWS + 1), init=ROWS)
        m.d.sync += since.eq(Mux(engine.o_last, 1, Mux(since == ROWS, ROWS, since + 1)))
        with m.If(engine.o_last):
            m.d.comb += Assert(since == ROWS)
            m.d.sync += ended.eq(ended + 1)
        m.d.comb += Cover(ended == 3)
        return m


PROOF = Proof(
    title="interleaved folds each issue their own words once, in order, in their own turn, and end in order R apart",
    build=Harness,
    bounded=9,
    cover=12,
    bugs=(
        Bug(
            name="a fold does not wait for the end of the one before",
            module="hw.rtl.npu.output_stationary_interleave",
            before="(free_rows >= rows) & ends_next)",
            after="(free_rows >= rows))",
        ),
        Bug(
            name="results of two folds meet",
            module="hw.rtl.npu.output_stationary_interleave",
            before="((hold == 0) & (free_rows",
            after="((free_rows",
        ),
        Bug(
            name="a fold goes on where the one before in its turn ended",
            module="hw.rtl.npu.output_stationary_interleave",
            before=", now.step.eq(0)]",
            after="]",
        ),
    ),
)
