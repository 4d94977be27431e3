"""Accumulator rows below the array: a ring of 32-bit sums, two reads and one write per cycle."""

from amaranth.hdl import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.arithmetic.fp_add import FpAdd
from hw.rtl.common.ram import Ram
from hw.spec.core import CoreSpec

ACCUMULATOR_BITS = 32

ROW_CONTROL = data.StructLayout(
    {
        "valid": 1,
        "first": 1,
        "last": 1,
        "ends_pass": 1,
        "ends_block": 1,
    }
)
"""Travels beside a row through the array; see `StreamEngine`."""


class Accumulator(wiring.Component):
    """Adds the passes of a block row by row; finished rows are read in order by the drain.

    Rows of a first K block overwrite, the others add. A row is read one cycle before its sums arrive and
    written at the end of the cycle in which they do; it comes back `rows` cycles later at the earliest, so
    nothing is forwarded. Blocks follow one another round the ring.

    Members
    -------
    i_control : In(ROW_CONTROL)
        One cycle before the row's sums.
    i_sums : In(columns * partial_sum_bits)
    i_drain : In(1)
        Read the next finished row; only while `o_available`.
    o_available : Out(1)
    o_drained : Out(columns * 32)
        The row asked for one cycle before.
    o_read, o_write : Out(1)
        A row was read to be added to; a row was written.
    """

    def __init__(self, core: CoreSpec) -> None:
        self.spec = core
        self.memory = Ram(shape=core.array.columns * ACCUMULATOR_BITS, depth=core.accumulator_rows, reads=2)
        super().__init__(
            {
                "i_control": In(ROW_CONTROL),
                "i_sums": In(core.array.columns * core.array.partial_sum_bits),
                "i_drain": In(1),
                "o_available": Out(1),
                "o_drained": Out(core.array.columns * ACCUMULATOR_BITS),
                "o_read": Out(1),
                "o_write": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec = self.spec
        m.submodules.accumulator_memory = self.memory
        read, drain, write = self.memory.read_port(), self.memory.read_port(), self.memory.write_port()

        # Where the row announced now lives
        row = Signal.like(read.addr)
        base = Signal.like(read.addr)
        address = Signal.like(read.addr)
        m.d.comb += address.eq(base + row)
        with m.If(self.i_control.valid):
            m.d.sync += row.eq(row + 1)
            with m.If(self.i_control.ends_pass):
                m.d.sync += row.eq(0)
                with m.If(self.i_control.ends_block):
                    m.d.sync += base.eq(address + 1)
        m.d.comb += [
            read.addr.eq(address),
            read.en.eq(self.i_control.valid & ~self.i_control.first),
            self.o_read.eq(read.en),
        ]

        # One cycle later: add and write
        control = Signal(ROW_CONTROL)
        m.d.sync += [control.eq(self.i_control), write.addr.eq(address)]
        m.d.comb += [write.en.eq(control.valid), self.o_write.eq(write.en)]
        for c in range(spec.array.columns):
            arriving = self.i_sums.word_select(c, spec.array.partial_sum_bits)
            kept = read.data.word_select(c, ACCUMULATOR_BITS)
            written = write.data.word_select(c, ACCUMULATOR_BITS)
            if spec.array.is_floating_point and spec.array.dataflow == "os":
                m.d.comb += written.eq(arriving)  # whole sums: only buffered here
            elif spec.array.is_floating_point:
                # The first pass is stored as it is: -0 must not become +0 by adding +0
                m.submodules[f"add_{c}"] = add = FpAdd("fp32", latency=0)
                m.d.comb += [add.x.eq(kept), add.y.eq(arriving), written.eq(Mux(control.first, arriving, add.o))]
            else:
                m.d.comb += written.eq(arriving.as_signed() + Mux(control.first, 0, kept))

        # Finished rows, in order
        available = Signal(range(spec.accumulator_rows + 1))
        m.d.sync += available.eq(available + (control.valid & control.last) - self.i_drain)
        with m.If(self.i_drain):
            m.d.sync += drain.addr.eq(drain.addr + 1)
        m.d.comb += [
            self.o_available.eq(available != 0),
            drain.en.eq(self.i_drain),
            self.o_drained.eq(drain.data),
        ]
        return m
