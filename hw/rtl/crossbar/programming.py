"""Writes cells one after the other: pulse, read back, again until it reads right or the limit is reached."""

from amaranth.hdl import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.crossbar.signature import cell_layout
from hw.spec.crossbar import CrossbarSpec


class ProgrammingController(wiring.Component):
    """Takes 1 + n (write_cycles + verify_cycles) cycles for a cell that needs n pulses, at most write_limit.

    Members
    -------
    i : In(stream of cell_layout())
        Cells to write, in order. Taken while `i_allow` and nothing is being written.
    i_allow : In(1)
    o_busy : Out(1)
    o_cell : Out(cell_layout())
        The cell being written.
    o_pulse, o_verify : Out(1)
        To the array of the cell's tile, as in `ArrayPort`.
    i_level : In(cell_bits)
        What the cell reads as; taken in the last cycle of `o_verify`.
    o_pulsed, o_verified, o_given_up : Out(1)
        A pulse begins; a reading ends; a cell is given up with this reading.
    """

    def __init__(self, spec: CrossbarSpec) -> None:
        self.spec = spec
        super().__init__(
            {
                "i": In(stream.Signature(cell_layout())),
                "i_allow": In(1),
                "o_busy": Out(1),
                "o_cell": Out(cell_layout()),
                "o_pulse": Out(1),
                "o_verify": Out(1),
                "i_level": In(spec.cell_bits),
                "o_pulsed": Out(1),
                "o_verified": Out(1),
                "o_given_up": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec = self.spec
        count = Signal(range(max(spec.write_cycles, spec.verify_cycles) + 1))
        pulses = Signal(range(spec.write_limit + 1))
        reads_right = Signal()
        m.d.comb += reads_right.eq(self.i_level == self.o_cell.level[: spec.cell_bits])
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.i.ready.eq(self.i_allow)
                with m.If(self.i.valid & self.i.ready):
                    m.d.sync += [self.o_cell.eq(self.i.payload), count.eq(0), pulses.eq(0)]
                    m.next = "PULSE"
            with m.State("PULSE"):
                m.d.comb += [self.o_busy.eq(1), self.o_pulse.eq(1), self.o_pulsed.eq(count == 0)]
                m.d.sync += count.eq(count + 1)
                with m.If(count == spec.write_cycles - 1):
                    m.d.sync += [count.eq(0), pulses.eq(pulses + 1)]
                    m.next = "VERIFY"
            with m.State("VERIFY"):
                m.d.comb += [self.o_busy.eq(1), self.o_verify.eq(1)]
                m.d.sync += count.eq(count + 1)
                with m.If(count == spec.verify_cycles - 1):
                    m.d.comb += self.o_verified.eq(1)
                    m.d.sync += count.eq(0)
                    m.next = "PULSE"
                    with m.If(reads_right | (pulses == spec.write_limit)):
                        m.d.comb += self.o_given_up.eq(~reads_right)
                        m.next = "IDLE"
        return m
