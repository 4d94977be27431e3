"""Floating-point adder: FP32 for the accumulator, FP16 for the lanes of a PIM unit."""

from types import SimpleNamespace

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.base.error import InputError
from hw.rtl.arithmetic.fp_form import Cuts
from hw.rtl.arithmetic.fp_sum import round_sum, unpack
from hw.spec.number import number_format

# Registers after these steps (2 order, 3 align, 4 add, 5 count zeros, 6 normalise, 7 round).
_CUTS = {0: (), 1: (), 2: (4,), 3: (3, 5), 4: (3, 4, 6), 5: (2, 3, 4, 6), 6: (2, 3, 4, 5, 6)}


class FpAdd(wiring.Component):
    """o = RNE(x + y) in one format, subnormals kept, canonical NaN, zero signs as IEEE 754.

    Full throughput; `latency` cycles from operands to sum, 0 for a combinational adder.

    Parameters
    ----------
    name : str
        An IEEE-like format: "fp32", "fp16", "bf16", "fp8_e5m2".
    latency : int
        0 to 6.

    Members
    -------
    x, y : In, codes; o : Out, code
    """

    def __init__(self, name: str, *, latency: int = 1):
        self.format = number_format(name)
        if self.format.is_integer or not self.format.has_infinity:
            raise InputError(f"an adder's format must be a floating-point format with infinity, not {name!r}")
        if latency not in _CUTS:
            raise InputError(f"the latency of a floating-point adder must be from 0 to 6 cycles, not {latency!r}")
        self.latency = latency
        bits = self.format.bits
        super().__init__({"x": In(bits), "y": In(bits), "o": Out(bits)})

    def elaborate(self, platform) -> Module:
        m = Module()
        x, y = unpack(m, "x", self.x, self.format), unpack(m, "y", self.y, self.format)
        term = SimpleNamespace(
            x_sign=x.sign,
            x_exponent=Cat(x.exponent, C(0, 1)).as_signed(),
            x_significand=x.significand,
            y_sign=y.sign,
            y_exponent=y.exponent,
            y_significand=y.significand,
            nan=x.nan | y.nan | (x.infinity & y.infinity & (x.sign ^ y.sign)),
            infinity=x.infinity | y.infinity,
            infinity_sign=Mux(x.infinity, x.sign, y.sign),
        )
        code = round_sum(m, Cuts(m, _CUTS[self.latency]), self.format, term)
        domain = m.d.sync if self.latency else m.d.comb
        domain += self.o.eq(code)
        return m
