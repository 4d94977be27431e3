"""One cell uses the weight loaded last before its last swap, whatever comes in between."""

from amaranth.hdl import *

from hw.formal import Bug, Proof
from hw.formal._queue import no_reset


class Harness(Elaboratable):
    """An INT4 x INT8 cell with free inputs beside two plain registers that say what its weights must be."""

    def elaborate(self, platform: object) -> Module:
        from hw.rtl.npu.cell import Cell
        from hw.spec.mac_array import MacArraySpec

        m = Module()
        spec = MacArraySpec(rows=2, columns=2, activation_format="int4", weight_format="int8")
        m.submodules.cell = cell = Cell(spec)
        self.inputs = [cell.i_activation, cell.i_weight, cell.i_partial_sum, cell.i_swap, cell.i_load]
        no_reset(m)

        # What the last load and the last swap left, known once there was one
        loaded, used = Signal(signed(8)), Signal(signed(8))
        has_loaded, has_used = Signal(), Signal()
        with m.If(cell.i_swap):
            m.d.sync += [used.eq(loaded), has_used.eq(has_loaded)]
        with m.If(cell.i_load):
            m.d.sync += [loaded.eq(cell.i_weight), has_loaded.eq(1)]

        weight, known = Signal(signed(8)), Signal()
        m.d.comb += [
            weight.eq(Mux(cell.i_swap, loaded, used)),
            known.eq(Mux(cell.i_swap, has_loaded, has_used)),
        ]
        expected, expect = Signal.like(cell.o_partial_sum), Signal()
        right = [Signal.like(port) for port in (cell.i_activation, cell.i_swap, cell.i_load)]
        started = Signal()
        m.d.sync += [
            expected.eq(cell.i_partial_sum + cell.i_activation * weight),
            expect.eq(known),
            started.eq(1),
            right[0].eq(cell.i_activation),
            right[1].eq(cell.i_swap),
            right[2].eq(cell.i_load),
        ]
        with m.If(expect):
            m.d.comb += Assert(cell.o_partial_sum == expected)
        with m.If(has_loaded):
            m.d.comb += Assert(cell.o_weight == loaded)
        with m.If(started):
            m.d.comb += [
                Assert(cell.o_activation == right[0]),
                Assert(cell.o_swap == right[1]),
                Assert(cell.o_load == right[2]),
            ]
        m.d.comb += Cover(expect & (used != loaded) & (cell.o_partial_sum != 0))
        return m


PROOF = Proof(
    title="a cell multiplies by the weight loaded last before its last swap, and passes on what moves right",
    build=Harness,
    bounded=8,
    cover=8,
    bugs=(
        Bug(
            name="a swap takes effect one cycle late",
            module="hw.rtl.npu.cell",
            before="Mux(self.i_swap, shadow, active)",
            after="active",
        ),
        Bug(
            name="a load in the cycle of a swap slips through",
            module="hw.rtl.npu.cell",
            before="m.d.sync += active.eq(shadow)",
            after="m.d.sync += active.eq(Mux(self.i_load, self.i_weight, shadow))",
        ),
    ),
)
