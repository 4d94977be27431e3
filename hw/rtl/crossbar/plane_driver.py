"""Holds an input vector and puts it on the word lines of a tile, plane by plane; adds the inputs up on the way."""

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.crossbar.population import population
from hw.spec.crossbar import CrossbarSpec


class PlaneDriver(wiring.Component):
    """Input vector in words, word lines out.

    Plane p of an input x of B bits, d bits a plane, is bits (P - 1 - p) d and up: the most significant first. `o_sum`
    is sum(x) of the planes shown so far, by Horner's rule from the population count of each plane, the first
    negative if inputs are signed: what an offset scheme subtracts.

    With `double_buffer` words are written into a second register, which `i_start` takes over; otherwise into the
    register that is being shown, which must then not be in use.

    Members
    -------
    i_load : In(1)
        Write `i_data`, `lanes` inputs, as word `i_word` of the vector.
    i_start : In(1)
        The vector is complete: from the next cycle on it is the one being shown, from its first plane.
    i_show : In(1)
        The present plane is on the word lines; they are 0 otherwise.
    i_next : In(1)
        From the next cycle on the next plane is the present one. Adds the present plane to `o_sum`.
    wl : Out(rows * plane_bits)
    o_sum : Out(signed)
    o_active : Out
        Units of input on the word lines in this cycle, from population counts.
    o_toggles : Out
        Bits of the word lines that differ from the cycle before.
    """

    def __init__(self, spec: CrossbarSpec) -> None:
        self.spec = spec
        width = spec.rows * spec.plane_bits
        super().__init__(
            {
                "i_load": In(1),
                "i_word": In(range(max(spec.load_beats, 2))),
                "i_data": In(spec.lanes * 8),
                "i_start": In(1),
                "i_show": In(1),
                "i_next": In(1),
                "wl": Out(width),
                "o_sum": Out(signed(spec.input_bits + spec.rows.bit_length() + 1)),
                "o_active": Out(range(spec.rows * ((1 << spec.plane_bits) - 1) + 1)),
                "o_toggles": Out(range(width + 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec = self.spec
        bits, d = spec.input_bits, spec.plane_bits
        shown = [Signal(bits, name=f"shown_{r}", reset_less=True) for r in range(spec.rows)]
        loaded = (
            [Signal(bits, name=f"loaded_{r}", reset_less=True) for r in range(spec.rows)]
            if spec.double_buffer
            else shown
        )
        first = Signal()

        # shift registers: the plane on show is at the top
        for r in range(spec.rows):
            with m.If(self.i_next):
                m.d.sync += shown[r].eq(shown[r] << d)
            if spec.double_buffer:
                with m.If(self.i_start):
                    m.d.sync += shown[r].eq(loaded[r])
            with m.If(self.i_load & (self.i_word == r // spec.lanes)):
                given = self.i_data.word_select(r % spec.lanes, 8)[:bits]
                m.d.sync += loaded[r].eq(given ^ (1 << (bits - 1)) if spec.input_offset else given)
        plane = Cat(shown[r][bits - d :] for r in range(spec.rows))
        m.d.comb += self.wl.eq(Mux(self.i_show, plane, 0))

        # population counts, one for each bit of a plane
        counts = [
            population(m, f"active_{i}", Cat(shown[r][bits - d + i] for r in range(spec.rows))) << i for i in range(d)
        ]
        counted = sum(counts[1:], start=counts[0])
        active = Signal.like(self.o_active)
        m.d.comb += [active.eq(counted), self.o_active.eq(Mux(self.i_show, active, 0))]
        with m.If(self.i_start):
            m.d.sync += [self.o_sum.eq(0), first.eq(1)]
        with m.Elif(self.i_next):
            negative = first if spec.input_signed else Const(0)
            m.d.sync += [self.o_sum.eq((self.o_sum << d) + Mux(negative, -active, active)), first.eq(0)]

        before = Signal.like(self.wl)
        m.d.sync += before.eq(self.wl)
        m.d.comb += self.o_toggles.eq(population(m, "toggles", self.wl ^ before))
        return m
