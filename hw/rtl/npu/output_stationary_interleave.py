"""Feeds an output-stationary array whose adder takes L cycles: L folds take turns, one word each."""

from amaranth.hdl import *
from amaranth.lib import data

from hw.rtl.npu.output_stationary_engine import OutputStationaryStreamEngine, fold_layout
from hw.spec.core import CoreSpec


class InterleavingEngine(OutputStationaryStreamEngine):
    """Issues the words of up to L = `mac_latency` folds, each fold one word in every L-th cycle; ports as its base.

    Turn t mod L belongs to slot t mod L, since the sum of a slot comes round every L cycles. Folds take the slots one
    after the other, so a fold starts in the turn after that of the one before, or at once if none is open. They end in
    that order too: the last word waits until those of all folds before it are out, `rows` cycles earlier at least,
    and for `rows` free accumulator rows. A turn in which nothing is issued is lost to that fold and no other.

    `i_fold` is taken with a fold's first word.
    """

    def __init__(self, core: CoreSpec) -> None:
        super().__init__(core)
        self.slots = core.array.interleaved_folds

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rows, slots = self.spec.array.rows, self.slots
        slot = data.StructLayout({"open": 1, "fold": fold_layout(self.spec), "step": self.i_fold.payload.words.shape()})
        held = [Signal(slot, name=f"slot_{i}") for i in range(slots)]
        turn, starting, ending = (Signal(range(slots), name=name) for name in ("turn", "starting", "ending"))
        kept, now = Signal(slot), Signal(slot)
        any_open, may_start, ends_next, space, wants = (
            Signal(name=name) for name in ("any_open", "may_start", "ends_next", "space", "wants")
        )
        first, last = Signal(), Signal()
        hold = Signal(range(rows))
        free_rows = Signal(range(self.spec.accumulator_rows + 1), init=self.spec.accumulator_rows)

        m.d.sync += turn.eq(Mux(turn == slots - 1, 0, turn + 1))
        m.d.comb += [
            any_open.eq(Cat(s.open for s in held).any()),
            may_start.eq(~any_open | (turn == starting)),
            kept.as_value().eq(Array(Value.cast(s) for s in held)[turn]),
            now.eq(kept),
        ]
        with m.If(~kept.open):
            m.d.comb += [now.open.eq(self.i_fold.valid & may_start), now.fold.eq(self.i_fold.payload), now.step.eq(0)]
        m.d.comb += [
            first.eq(now.step == 0),
            last.eq(now.step == now.fold.words - 1),
            ends_next.eq(~any_open | (turn == ending)),
            space.eq(~last | ((hold == 0) & (free_rows >= rows) & ends_next)),
            wants.eq(now.open & space),
            self.o_waiting.eq(any_open | self.i_fold.valid),
            self.o_read.eq(wants & ~self.i_weight_taken & ~self.i_activation_taken),
            self.o_wait_accumulator.eq(self.o_waiting & ~wants),
            self.o_wait_weight_port.eq(wants & self.i_weight_taken),
            self.o_wait_activation_port.eq(wants & ~self.i_weight_taken & self.i_activation_taken),
            self.i_fold.ready.eq(self.o_read & first),
            self.o_activation_address.eq(now.fold.activation_address + now.step),
            self.o_weight_address.eq(now.fold.weight_address + now.step),
            self.o_first.eq(self.o_read & first),
            self.o_last.eq(self.o_read & last),
            self.o_results.eq(Mux(self.o_last, now.fold.rows, 0)),
        ]
        after = Mux(turn == slots - 1, 0, turn + 1)
        with m.If(self.o_read):
            with m.Switch(turn):
                for i, mine in enumerate(held):
                    with m.Case(i):
                        m.d.sync += [mine.eq(now), mine.step.eq(now.step + 1), mine.open.eq(~last)]
            with m.If(first):
                m.d.sync += starting.eq(after)
                with m.If(~any_open):
                    m.d.sync += ending.eq(turn)
            with m.If(last):
                m.d.sync += ending.eq(after)
        self._hold_off(m, hold, rows)
        m.d.sync += free_rows.eq(free_rows - self.o_results + self.i_drained)
        self._announce(m, now.fold)
        return m
