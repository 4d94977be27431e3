"""The crossbar's sequencer converts every column of every plane once, in order, in the stated number of cycles."""

from amaranth.hdl import *

from hw.formal import Bug, Proof
from hw.formal._queue import no_reset


class Harness(Elaboratable):
    """A sequencer with and one without sample and hold, started whenever a free host likes."""

    def elaborate(self, platform: object) -> Module:
        from hw.rtl.crossbar.adc_sequencer import AdcSequencer
        from hw.spec.crossbar import CrossbarSpec

        m = Module()
        self.inputs = []
        no_reset(m)
        for name, held in (("turn", False), ("held", True)):
            spec = CrossbarSpec(
                rows=2, columns=2, cell_bits=2, weight_bits=2, input_bits=2, columns_per_adc=2, adc_bits=6,
                wordline_cycles=1, settle_cycles=1, adc_cycles=2, sample_and_hold=held,
            )  # fmt: skip
            sequencer = AdcSequencer(spec)
            m.submodules[f"sequencer_{name}"] = sequencer
            start = Signal(name=f"start_{name}")
            self.inputs.append(start)
            m.d.comb += [Assume(~start | ~sequencer.o_busy), sequencer.i_start.eq(start)]

            # What a vector has had so far, from the outputs alone
            age, active = Signal(6, name=f"age_{name}"), Signal(name=f"active_{name}")
            samples, planes = Signal(6, name=f"samples_{name}"), Signal(4, name=f"planes_{name}")
            since = Signal(3, name=f"since_{name}", init=7)
            all_samples = spec.planes * spec.steps
            with m.If(start):
                m.d.sync += [age.eq(0), active.eq(1), samples.eq(0), planes.eq(0)]
            with m.Elif(active):
                m.d.sync += [
                    age.eq(age + 1), samples.eq(samples + sequencer.o_sample), planes.eq(planes + sequencer.o_next),
                    active.eq(~sequencer.o_last),
                ]  # fmt: skip
            with m.If(sequencer.o_sample):
                m.d.sync += since.eq(1)
            with m.Elif(since != 7):
                m.d.sync += since.eq(since + 1)
            m.d.comb += [
                Assert(sequencer.o_busy == active),
                Assert(sequencer.o_last == (active & (age == spec.compute_cycles - 1))),
                Assert(~sequencer.o_sample | (since >= spec.adc_cycles)),
                Assert(~sequencer.o_sample | (sequencer.o_col_sel == samples[0])),
                Assert(~sequencer.o_sample | (sequencer.o_first == (samples < spec.steps))),
                Assert(~(sequencer.o_sample & ~active)),
                Assert(planes <= spec.planes),
                Cover(sequencer.o_last & (planes + sequencer.o_next == spec.planes)),
            ]
            with m.If(sequencer.o_last):
                m.d.comb += [
                    Assert(samples + sequencer.o_sample == all_samples),
                    Assert(planes + sequencer.o_next == spec.planes),
                ]
        return m


PROOF = Proof(
    title="the crossbar's sequencer converts every column of every plane once, in order, in compute_cycles",
    build=Harness, bounded=17, cover=16,
    bugs=(
        Bug(name="the last column of a plane is left out", module="hw.rtl.crossbar.adc_sequencer",
            before="with m.If(column != spec.steps - 1):", after="with m.If(column != spec.steps - 2):"),
        Bug(name="a plane is held while converters still work", module="hw.rtl.crossbar.adc_sequencer",
            before="self.o_hold.eq(showing & (stood == front - 1) & (~converting | plane_ends))",
            after="self.o_hold.eq(showing & (stood == front - 1))"),
        Bug(name="a conversion is a cycle too short", module="hw.rtl.crossbar.adc_sequencer",
            before="with m.If(count == convert - 1):", after="with m.If(count == convert - 2):"),
    ),
)  # fmt: skip
