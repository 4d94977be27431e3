"""Rounding of the output stage against its definition on integers, at full width."""

from amaranth.hdl import *

from hw.spec.core import RoundingMode

PRODUCT_BITS = 65
OPERANDS = {"exact_rne": (33, 32), "tflite_single": (33, 32), "gemmlowp": (32, 32)}
"""Signed widths of sum with bias and multiplier: gemmlowp saturates the sum to 32 bits first."""


class Harness(Elaboratable):
    """`scale` on every product of two operands and every shift.

    With d = 2**(31 + shift) and q the answer, no division is needed to say what q must be:
    exact_rne: |2 (p - q d)| <= d, and q is even where they are equal; tflite_single: -d <= 2 (q d - p) <= d with
    the lower bound excluded. gemmlowp rounds twice: h like tflite_single with d = 2**31, limited to 32 bits from
    above, then q from h with d = 2**shift and ties away from zero.
    """

    def __init__(self, mode: RoundingMode) -> None:
        self.mode: RoundingMode = mode

    def elaborate(self, platform: object) -> Module:
        from hw.rtl.npu.output_stage import scale

        m = Module()
        product, shift = Signal(signed(PRODUCT_BITS)), Signal(5)
        self.inputs = [product, shift]
        answer = Signal(signed(PRODUCT_BITS))
        largest = 1 << (sum(OPERANDS[self.mode]) - 2)
        m.d.comb += [
            answer.eq(scale(m, product, shift, self.mode)),
            Assume(product <= largest),
            Assume(product >= -largest),
        ]
        wide = signed(PRODUCT_BITS + 40)
        twice, divisor = Signal(wide), Signal(wide)
        if self.mode == "gemmlowp":
            high, gap = Signal(signed(34)), Signal(wide)
            nearest = (product + (1 << 30)) >> 31
            m.d.comb += [
                high.eq(Mux(nearest > (1 << 31) - 1, (1 << 31) - 1, nearest)),
                divisor.eq(Const(1, 32) << shift),
                twice.eq(2 * (high - (answer << shift))),
                gap.eq(Mux(twice < 0, -twice, twice)),
                Assert(gap <= divisor),
                # a tie goes away from zero: the answer lies beyond what it rounds
                Assert((gap != divisor) | Mux(high < 0, twice > 0, twice < 0)),
            ]
        else:
            m.d.comb += [
                divisor.eq(Const(1, 33) << 31 << shift),
                twice.eq(2 * (product - (answer << 31 << shift))),
                Assert(twice <= divisor),
                Assert(twice >= -divisor),
            ]
            if self.mode == "exact_rne":
                m.d.comb += Assert(((twice != divisor) & (twice != -divisor)) | ~answer[0])
            else:
                m.d.comb += Assert(twice != divisor)
        m.d.comb += Cover((answer != 0) & (shift != 0))
        return m
