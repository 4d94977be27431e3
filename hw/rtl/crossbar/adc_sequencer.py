"""Drives planes, settling, column selection and conversions of all tiles of a core."""

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.spec.crossbar import CrossbarSpec


class AdcSequencer(wiring.Component):
    """One vector from `i_start` to the last conversion, in `CrossbarSpec.compute_cycles` cycles.

    One after the other, P planes of M columns:

        word line | settle | convert 0 | settle | convert 1 | ... | word line | ...

    With sample and hold the next plane stands and settles while the held one is converted:

        word line, settle, hold | convert 0 | convert 1 | ... | convert M-1
                                | word line, settle ........... hold | convert 0 | ...

    No back-pressure: converters take `adc_cycles`, whatever they are.

    Members
    -------
    i_start : In(1)
        The first cycle is the next one. Only when `o_busy` is low.
    o_busy : Out(1)
    o_last : Out(1)
        This is the last cycle.
    o_show : Out(1)
        A plane is on the word lines.
    o_next : Out(1)
        The plane ends with this cycle.
    o_plane : Out(1)
        First cycle of a plane on the word lines.
    o_col_sel, o_hold, o_sample : Out
        As in `ArrayPort`.
    o_first : Out(1)
        With `o_sample`: the conversion belongs to the first plane.
    o_word_line, o_settle, o_convert : Out(1)
        What this cycle is spent on; with sample and hold conversions come first.
    """

    def __init__(self, spec: CrossbarSpec) -> None:
        self.spec = spec
        super().__init__(
            {
                "i_start": In(1),
                "o_busy": Out(1),
                "o_last": Out(1),
                "o_show": Out(1),
                "o_next": Out(1),
                "o_plane": Out(1),
                "o_col_sel": Out(range(max(spec.steps, 2))),
                "o_hold": Out(1),
                "o_sample": Out(1),
                "o_first": Out(1),
                "o_word_line": Out(1),
                "o_settle": Out(1),
                "o_convert": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if self.spec.sample_and_hold:
            self._held(m)
        else:
            self._in_turn(m)
        return m

    def _in_turn(self, m: Module) -> None:
        spec = self.spec
        word_line, settle, convert = spec.wordline_cycles, spec.settle_cycles, spec.adc_cycles
        count = Signal(range(max(word_line, settle, convert) + 1))
        plane = Signal(range(spec.planes + 1))
        column = Signal(range(max(spec.steps, 2)))
        m.d.comb += [self.o_col_sel.eq(column), self.o_first.eq(plane == 0)]
        begun = Signal()  # the plane was on the word lines in the cycle before
        m.d.sync += begun.eq(self.o_show & ~self.o_next)
        m.d.comb += self.o_plane.eq(self.o_show & ~begun)
        new_column = "SETTLE" if settle else "CONVERT"
        new_plane = "WORD_LINE" if word_line else new_column

        def step(target: str) -> None:
            m.d.sync += count.eq(0)
            m.next = target

        with m.FSM():
            with m.State("IDLE"), m.If(self.i_start):
                m.d.sync += [plane.eq(0), column.eq(0)]
                step(new_plane)
            if word_line:
                with m.State("WORD_LINE"):
                    m.d.comb += [self.o_busy.eq(1), self.o_show.eq(1), self.o_word_line.eq(1)]
                    m.d.sync += count.eq(count + 1)
                    with m.If(count == word_line - 1):
                        step(new_column)
            if settle:
                with m.State("SETTLE"):
                    m.d.comb += [self.o_busy.eq(1), self.o_show.eq(1), self.o_settle.eq(1)]
                    m.d.sync += count.eq(count + 1)
                    with m.If(count == settle - 1):
                        step("CONVERT")
            with m.State("CONVERT"):
                m.d.comb += [self.o_busy.eq(1), self.o_show.eq(1), self.o_convert.eq(1), self.o_sample.eq(count == 0)]
                m.d.sync += count.eq(count + 1)
                with m.If(count == convert - 1):
                    with m.If(column != spec.steps - 1):
                        m.d.sync += column.eq(column + 1)
                        step(new_column)
                    with m.Else():
                        m.d.comb += self.o_next.eq(1)
                        m.d.sync += [column.eq(0), plane.eq(plane + 1)]
                        with m.If(plane == spec.planes - 1):
                            m.d.comb += self.o_last.eq(1)
                            step("IDLE")
                        with m.Else():
                            step(new_plane)

    def _held(self, m: Module) -> None:
        spec = self.spec
        front = spec.wordline_cycles + spec.settle_cycles
        # front end: plane, cycles it has stood; `waiting` for the converters
        showing = Signal()
        stood = Signal(range(front + 1))
        plane = Signal(range(spec.planes + 1))
        # back end: column, cycles of its conversion
        converting, first = Signal(), Signal()
        column = Signal(range(max(spec.steps, 2)))
        count = Signal(range(spec.adc_cycles + 1))

        begun = Signal()  # the plane was on the word lines in the cycle before
        m.d.sync += begun.eq(showing & ~self.o_hold)
        column_ends = Signal()
        plane_ends = Signal()
        m.d.comb += [
            column_ends.eq(converting & (count == spec.adc_cycles - 1)),
            plane_ends.eq(column_ends & (column == spec.steps - 1)),
            self.o_hold.eq(showing & (stood == front - 1) & (~converting | plane_ends)),
            self.o_next.eq(self.o_hold),
            self.o_show.eq(showing),
            self.o_plane.eq(showing & ~begun),
            self.o_col_sel.eq(column),
            self.o_sample.eq(converting & (count == 0)),
            self.o_first.eq(first),
            self.o_busy.eq(showing | converting),
            self.o_last.eq(plane_ends & ~showing),
            self.o_convert.eq(converting),
            self.o_word_line.eq(showing & ~converting & (stood < spec.wordline_cycles)),
            self.o_settle.eq(showing & ~converting & (stood >= spec.wordline_cycles)),
        ]
        with m.If(self.o_hold):
            m.d.sync += [stood.eq(0), plane.eq(plane + 1), showing.eq(plane != spec.planes - 1)]
        with m.Elif(showing & (stood != front - 1)):
            m.d.sync += stood.eq(stood + 1)
        with m.If(converting):
            m.d.sync += count.eq(count + 1)
        with m.If(column_ends):
            m.d.sync += [count.eq(0), column.eq(column + 1)]
        with m.If(plane_ends):
            m.d.sync += [column.eq(0), converting.eq(0)]
        with m.If(self.o_hold):
            m.d.sync += [converting.eq(1), first.eq(plane == 0)]
        with m.If(self.i_start):
            m.d.sync += [showing.eq(1), stood.eq(0), plane.eq(0)]
