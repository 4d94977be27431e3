"""Floating-point multiplier rounded to its own format: the first rounding of a FP16 PIM lane."""

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.base.error import InputError
from hw.rtl.arithmetic.fp_decode import FpDecode
from hw.rtl.arithmetic.fp_form import Cuts, named
from hw.rtl.arithmetic.fp_round import round_to_storage
from hw.spec.number import number_format

# Registers after these steps: 0 multiply, 1 shift amount, 2 shift.
_CUTS = {0: (), 1: (), 2: (0,), 3: (0, 2), 4: (0, 1, 2)}


class FpMul(wiring.Component):
    """o = RNE(x * y) in one format, subnormals kept, canonical positive NaN, overflow to infinity.

    Full throughput; `latency` cycles from operands to product, 0 for a combinational multiplier.

    Parameters
    ----------
    name : str
        "fp16", "bf16" or "fp8_e5m2".
    latency : int
        0 to 4.

    Members
    -------
    x, y : In, codes; o : Out, code
    """

    def __init__(self, name: str, *, latency: int = 1):
        self.format = number_format(name)
        if self.format.is_integer or self.format.bits > 16 or not self.format.has_infinity:
            raise InputError(f"a multiplier's format must be fp16, bf16 or fp8_e5m2, not {name!r}")
        if latency not in _CUTS:
            raise InputError(f"the latency of a multiplier must be from 0 to 4 cycles, not {latency!r}")
        self.latency = latency
        bits = self.format.bits
        super().__init__({"x": In(bits), "y": In(bits), "o": Out(bits)})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.decode_x = decode_x = FpDecode((self.format.name,))
        m.submodules.decode_y = decode_y = FpDecode((self.format.name,))
        x, y = decode_x.o, decode_y.o
        m.d.comb += [decode_x.code.eq(self.x), decode_y.code.eq(self.y)]
        cuts = Cuts(m, _CUTS[self.latency])
        infinity = named(m, "either_infinity", x.infinity | y.infinity)
        nan = named(m, "either_nan", x.nan | y.nan | (infinity & (x.zero | y.zero)))
        s = cuts.after(
            0,
            product=x.significand * y.significand,
            exponent=x.exponent + y.exponent,
            sign=(x.sign ^ y.sign) & ~nan,
            infinity=infinity,
            nan=nan,
        )
        high, low = s.product[-1], s.product[-2]
        code = round_to_storage(
            m,
            cuts,
            [self.format],
            C(0, 0),
            sign=s.sign,
            exponent=named(m, "product_exponent", Mux(high | low, s.exponent + high, 1 - self.format.bias)),
            significand=named(m, "product", Mux(high, s.product, s.product << 1)[: len(s.product)]),
            infinity=s.infinity,
            nan=s.nan,
            saturate=C(0, 1),
        )
        domain = m.d.sync if self.latency else m.d.comb
        domain += self.o.eq(code)
        return m
