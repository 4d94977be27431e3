"""Adds codes up over the planes: one accumulator for each physical column of a tile."""

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.crossbar.signature import code_shape
from hw.spec.crossbar import CrossbarSpec


class ShiftAdd(wiring.Component):
    """Horner's rule, most significant plane first: acc = acc * 2**d + code, acc = code (or -code) in the first plane.

    Column p = a M + m belongs to converter a in step m. No barrel shifter: the shift is by the fixed d bits.

    Members
    -------
    i_valid : In(1)
        `i_code` holds the codes of step `i_step`.
    i_step, i_first : In
    i_code : In(code_shape(spec))
    o_sum_<p> : Out(signed(code_levels_bits))
        One cycle after its last code.
    """

    def __init__(self, spec: CrossbarSpec) -> None:
        self.spec = spec
        super().__init__(
            {
                "i_valid": In(1),
                "i_first": In(1),
                "i_step": In(range(max(spec.steps, 2))),
                "i_code": In(code_shape(spec)),
                **{f"o_sum_{p}": Out(signed(spec.code_levels_bits)) for p in range(spec.physical_columns)},
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec = self.spec
        for p in range(spec.physical_columns):
            converter, step = divmod(p, spec.columns_per_adc)
            total, code = getattr(self, f"o_sum_{p}"), self.i_code[converter]
            with m.If(self.i_valid & (self.i_step == step)):
                start = -code if spec.input_signed else code
                m.d.sync += total.eq(Mux(self.i_first, start, (total << spec.plane_bits) + code))
        return m
