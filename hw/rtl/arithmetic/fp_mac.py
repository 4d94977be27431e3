"""Fused multiply-accumulate in FP32: the arithmetic of one cell of a floating-point array."""

from types import SimpleNamespace

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.base.error import InputError
from hw.rtl.arithmetic.fp_form import Cuts, OperandForm, named
from hw.rtl.arithmetic.fp_sum import round_sum, unpack
from hw.spec.number import FORMATS

# Registers after these steps (1 multiply, 2 order, 3 align, 4 add, 5 count zeros, 6 normalise, 7 round;
# 0 is the input) for each latency; the output register comes on top.
_CUTS = {1: (), 2: (3,), 3: (2, 4), 4: (1, 3, 5), 5: (1, 2, 4, 6), 6: (1, 2, 3, 4, 6)}
_CUTS[7] = (1, 2, 3, 4, 5, 6)
_CUTS[8] = (0, 1, 2, 3, 4, 5, 6)


class FpMac(wiring.Component):
    """o = RNE_fp32(c + a * b): exact product, one rounding, subnormals kept, canonical NaN 0x7fc00000.

    The exact product has at most 22 bits and so is itself a significand of FP32 with a wider exponent:
    the sum is that of an FP32 adder of 24 bits with guard, round and sticky, not the 48 to 76 bits of a
    general fused unit. Format-blind: the operands come decoded (`FpDecode`).

    Full throughput; `latency` cycles from operands to sum.

    Parameters
    ----------
    a_form, b_form : OperandForm
    latency : int
        1 to 8.

    Members
    -------
    a, b : In, operands; c : In, FP32 code; o : Out, FP32 code
    """

    def __init__(self, a_form: OperandForm, b_form: OperandForm, *, latency: int = 1):
        if latency not in _CUTS:
            raise InputError(f"the latency of a floating-point MAC must be from 1 to 8 cycles, not {latency!r}")
        self.latency = latency
        super().__init__({"a": In(a_form), "b": In(b_form), "c": In(32), "o": Out(32)})

    def elaborate(self, platform) -> Module:
        m = Module()
        fp32 = FORMATS["fp32"]
        cuts = Cuts(m, _CUTS[self.latency])
        s = cuts.after(0, a=self.a.as_value(), b=self.b.as_value(), c=self.c)
        a, b = self.a.shape()(s.a), self.b.shape()(s.b)
        c = unpack(m, "c", s.c, fp32)

        # step 1: multiply; what infinities and NaN lead to is settled here
        sign = named(m, "product_sign", a.sign ^ b.sign)
        infinity = named(m, "product_infinity", a.infinity | b.infinity)
        invalid = (infinity & (a.zero | b.zero)) | (infinity & c.infinity & (sign ^ c.sign))
        s = cuts.after(
            1,
            product=a.significand * b.significand,
            exponent=a.exponent + b.exponent,
            x_sign=sign,
            y_sign=c.sign,
            y_exponent=c.exponent,
            y_significand=c.significand,
            nan=a.nan | b.nan | c.nan | invalid,
            infinity=infinity | c.infinity,
            infinity_sign=Mux(infinity, sign, c.sign),
        )
        # the product of two normalised significands has its top bit in one of two places, or is zero
        width = len(s.product)
        high, low = s.product[width - 1], s.product[width - 2]
        significand = Mux(high, s.product, s.product << 1)[:width]
        exponent = Mux(high | low, s.exponent + (fp32.bias + high), 1)
        term = SimpleNamespace(
            x_sign=s.x_sign,
            x_exponent=named(m, "x_exponent", exponent),
            x_significand=named(m, "x_significand", Cat(C(0, 24 - width), significand)),
            y_sign=s.y_sign,
            y_exponent=s.y_exponent,
            y_significand=s.y_significand,
            nan=s.nan,
            infinity=s.infinity,
            infinity_sign=s.infinity_sign,
        )
        result = Signal(32, reset_less=True)
        m.d.sync += result.eq(round_sum(m, cuts, fp32, term))
        m.d.comb += self.o.eq(result)
        return m
