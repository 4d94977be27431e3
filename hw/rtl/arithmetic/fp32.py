"""FP32 units of the vector lanes: product, order, and FP32 from the 16-bit storage formats."""

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.arithmetic.fp_form import Cuts, leading_zeros, named
from hw.rtl.arithmetic.fp_round import round_to_storage
from hw.rtl.arithmetic.fp_sum import unpack
from hw.spec.number import FORMATS, NumberFormat

NAN = 0x7FC00000
"""The canonical NaN of FP32 results."""


class Fp32Multiply(wiring.Component):
    """o = RNE_fp32(x * y), combinational; subnormals kept, canonical positive NaN, overflow to infinity.

    The exact product of 48 bits is normalised once, so subnormal operands need no shifters of their own.

    Members
    -------
    x, y : In(32), codes; o : Out(32), code
    """

    def __init__(self) -> None:
        super().__init__({"x": In(32), "y": In(32), "o": Out(32)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        fmt = FORMATS["fp32"]
        x, y = unpack(m, "x", self.x, fmt), unpack(m, "y", self.y, fmt)
        product = named(m, "product", x.significand * y.significand)
        zeros = leading_zeros(m, "product", product)
        zero = named(m, "product_zero", ~product.any())
        infinity = named(m, "infinity", x.infinity | y.infinity)
        # with an infinity the other operand is zero if its code is
        other_zero = (x.infinity & ~self.y[:31].any()) | (y.infinity & ~self.x[:31].any())
        nan = named(m, "nan", x.nan | y.nan | (infinity & other_zero))
        exponent = named(m, "exponent", Cat(x.exponent + y.exponent, C(0, 1)).as_signed() - (2 * fmt.bias - 1) - zeros)
        code = round_to_storage(
            m,
            Cuts(m, ()),
            [fmt],
            C(0, 0),
            sign=named(m, "sign", (x.sign ^ y.sign) & ~nan),
            exponent=named(m, "normal_exponent", Mux(zero, 1 - fmt.bias, exponent)),
            significand=named(m, "normal", (product << zeros)[:48]),
            infinity=infinity,
            nan=nan,
            saturate=C(0, 1),
        )
        m.d.comb += self.o.eq(code)
        return m


def order_key(m: Module, name: str, code: Value) -> Signal:
    """Unsigned number that orders FP32 codes: -infinity, ..., -0, +0, ..., +infinity, every NaN."""
    nan = code[23:31].all() & code[:23].any()
    key = Mux(code[31], ~code, Cat(code[:31], C(1, 1)))
    return named(m, f"{name}_key", Mux(nan, (1 << 32) - 1, key))


def widen(m: Module, name: str, code: Value, fmt: NumberFormat) -> Value:
    """The 16-bit `code` of `fmt` as FP32 code: exact; NaN becomes the canonical one."""
    if fmt.name == "bf16":
        wide = Cat(C(0, 16), code)
        nan = code[7:15].all() & code[:7].any()
        return Mux(nan, NAN, wide)
    fraction, exponent, sign = code[:10], code[10:15], code[15]
    zeros = leading_zeros(m, f"{name}_fraction", fraction)
    # a subnormal: its highest set bit becomes the hidden one
    subnormal = named(m, f"{name}_subnormal", Cat(C(0, 13), (fraction << (zeros + 1))[:10], (127 - 15 - zeros)[:8]))
    normal = Cat(C(0, 13), fraction, (exponent + (127 - 15))[:8])
    special = Mux(fraction.any(), NAN, 0x7F800000)
    magnitude = Mux(exponent.all(), special, Mux(exponent.any(), normal, Mux(fraction.any(), subnormal, 0)))
    nan = exponent.all() & fraction.any()
    return named(m, f"{name}_wide", Cat(magnitude[:31], sign & ~nan))
