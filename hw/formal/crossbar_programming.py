"""The programming controller gives every cell pulses until it reads right, never more than the limit, and says which
it gave up."""

from amaranth.hdl import *

from hw.formal import Bug, Proof
from hw.formal._queue import no_reset

LIMIT = 2


class Harness(Elaboratable):
    """The controller between a free host and a cell that reads as anything."""

    def elaborate(self, platform: object) -> Module:
        from hw.rtl.crossbar.programming import ProgrammingController
        from hw.spec.crossbar import CrossbarSpec

        m = Module()
        spec = CrossbarSpec(
            rows=2, columns=2, cell_bits=2, weight_bits=2, input_bits=2, columns_per_adc=2, adc_bits=6, write_cycles=2,
            verify_cycles=2, write_limit=LIMIT,
        )  # fmt: skip
        m.submodules.controller = controller = ProgrammingController(spec)
        shape = controller.i.payload.shape()
        sent, valid, level, allow = Signal(shape), Signal(), Signal(spec.cell_bits), Signal()
        self.inputs = [sent.as_value(), valid, level, allow]
        no_reset(m)
        taken = Signal()
        m.d.comb += [
            controller.i.payload.eq(sent), controller.i.valid.eq(valid), controller.i_level.eq(level),
            controller.i_allow.eq(allow), taken.eq(valid & controller.i.ready),
        ]  # fmt: skip

        # The cell in hand and its pulses, from the handshake and the outputs alone
        cell, inside, pulses = Signal(shape), Signal(), Signal(3)
        right, ends = Signal(), Signal()
        m.d.comb += [
            right.eq(level == cell.level[: spec.cell_bits]),
            ends.eq(inside & controller.o_verified & (right | (pulses == LIMIT))),
        ]
        with m.If(taken):
            m.d.sync += [cell.eq(sent), inside.eq(1), pulses.eq(0)]
        with m.Elif(inside):
            m.d.sync += [pulses.eq(pulses + controller.o_pulsed), inside.eq(~ends)]
        m.d.comb += [
            Assert(controller.o_busy == inside),
            Assert(~taken | (allow & ~inside)),
            Assert(~(controller.o_pulse & controller.o_verify)),
            Assert(pulses + controller.o_pulsed <= LIMIT),
            Assert(~controller.o_verified | (pulses != 0)),
            Assert(controller.o_given_up == (ends & ~right)),
            Cover(controller.o_given_up),
            Cover(ends & right & (pulses == 2)),
        ]
        with m.If(inside):
            m.d.comb += Assert(controller.o_cell.as_value() == cell.as_value())
        return m


PROOF = Proof(
    title="the programming controller pulses a cell until it reads right or the limit is reached, and says which",
    build=Harness, bounded=18, cover=14,
    bugs=(
        Bug(name="one pulse beyond the limit", module="hw.rtl.crossbar.programming",
            before="(pulses == spec.write_limit)", after="(pulses == spec.write_limit + 1)"),
        Bug(name="a cell that reads wrong is called done", module="hw.rtl.crossbar.programming",
            before="self.o_given_up.eq(~reads_right)", after="self.o_given_up.eq(0)"),
        Bug(name="the next cell is taken while one is written", module="hw.rtl.crossbar.programming",
            before='with m.State("PULSE"):\n                m.d.comb += [self.o_busy.eq(1)',
            after='with m.State("PULSE"):\n                m.d.comb += [self.i.ready.eq(1), self.o_busy.eq(1)'),
    ),
)  # fmt: skip
