"""Merges the slices of `lanes` outputs of a tile and corrects their sign."""

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.spec.crossbar import STEP_FRACTION_BITS, SUM_BITS, CrossbarSpec


class SliceMerge(wiring.Component):
    """result = sum over slices of +-(acc * step + zero) 2**shift, minus what the weight scheme added; combinational.

    offset: minus sum(x) 2**(weight_bits - 1). offset_unit: minus the unit column's value. differential: codes are
    signed already. twos_complement: the last slice counts negatively. Steps and zeros are those of the converters;
    policies whose steps are no powers of two are rounded from 2**-12 level once, half up.

    Members
    -------
    i_beat : In(range(drain_beats))
        Outputs i_beat * lanes and up.
    i_sum_<p> : In(signed(code_levels_bits))
    i_input_sum : In(signed)
    o_result_<lane> : Out(signed(32))
        0 beyond the last output.
    """

    def __init__(self, spec: CrossbarSpec) -> None:
        self.spec = spec
        super().__init__(
            {
                "i_beat": In(range(max(spec.drain_beats, 2))),
                **{f"i_sum_{p}": In(signed(spec.code_levels_bits)) for p in range(spec.physical_columns)},
                "i_input_sum": In(signed(spec.input_bits + spec.rows.bit_length() + 1)),
                **{f"o_result_{lane}": Out(signed(SUM_BITS)) for lane in range(spec.lanes)},
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec = self.spec
        surplus: Value = Const(0)
        if spec.scheme == "offset":
            surplus = self.i_input_sum << (spec.weight_bits - 1)
            if spec.scaled:
                surplus = surplus << STEP_FRACTION_BITS
        elif spec.scheme == "offset_unit":
            unit = getattr(self, f"i_sum_{spec.physical_columns - 1}")
            surplus = self._levels(unit, spec.slices - 1) << spec.slice_shifts[-1]
        bits = SUM_BITS + (STEP_FRACTION_BITS + 4 if spec.scaled else 0)
        common = Signal(signed(bits))
        m.d.comb += common.eq(surplus)
        for lane in range(spec.lanes):
            total: Value = -common
            for number, shift in enumerate(spec.slice_shifts):
                picked = Signal(signed(spec.code_levels_bits), name=f"picked_{lane}_{number}")
                for beat in range(spec.drain_beats):
                    output = beat * spec.lanes + lane
                    if output < spec.columns:
                        with m.If(self.i_beat == beat):
                            m.d.comb += picked.eq(getattr(self, f"i_sum_{output * spec.slices + number}"))
                part = self._levels(picked, number) << shift
                negative = spec.scheme == "twos_complement" and number == spec.slices - 1
                total = total - part if negative else total + part
            merged = Signal(signed(bits), name=f"merged_{lane}")
            m.d.comb += merged.eq(total)
            result = (merged + (1 << (STEP_FRACTION_BITS - 1))) >> STEP_FRACTION_BITS if spec.scaled else merged
            # a lane without an output in this beat
            used = [beat for beat in range(spec.drain_beats) if beat * spec.lanes + lane < spec.columns]
            holds = Const(1) if len(used) == spec.drain_beats else Cat(self.i_beat == beat for beat in used).any()
            m.d.comb += getattr(self, f"o_result_{lane}").eq(Mux(holds, result, 0))
        return m

    def _levels(self, accumulated: Value, number: int) -> Value:
        """Levels an accumulated code stands for: step * acc + zero * (sum of what the planes count)."""
        spec = self.spec
        zero, step = spec.converter_ranges[number]
        counts = spec.plane_count_sum
        value = accumulated << (step.bit_length() - 1) if step & (step - 1) == 0 else accumulated * step
        return value + counts * zero if zero else value
