"""exp2, reciprocal and reciprocal root of one FP32 lane, by one table of 512 linear pieces."""

from types import SimpleNamespace

from amaranth.hdl import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.arithmetic.fp32 import NAN
from hw.rtl.arithmetic.fp_form import leading_zeros, named
from hw.rtl.arithmetic.fp_sum import unpack
from hw.spec.function_table import EXP2_BITS, INVERSE_BITS, exp2_table, reciprocal_table, root_table
from hw.spec.number import FORMATS

EXP2, RECIPROCAL, ROOT = 0, 1, 2
_STEP_BITS, _BASE_BITS = 14, 22
_INFINITY = 0x7F800000


class Function(wiring.Component):
    """o = exp2(x), 1 / x or 1 / sqrt(x), combinational, as the numeric contract defines them.

    Members
    -------
    i_select : In(2), one of `EXP2`, `RECIPROCAL`, `ROOT`; x : In(32), code; o : Out(32), code
    """

    def __init__(self) -> None:
        super().__init__({"i_select": In(2), "x": In(32), "o": Out(32)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rows = [base | step << _BASE_BITS for base, step in (*exp2_table(), *reciprocal_table(), *root_table())]
        m.submodules.table = table = memory.Memory(shape=_BASE_BITS + _STEP_BITS, depth=len(rows), init=rows)
        port = table.read_port(domain="comb")
        x = unpack(m, "x", self.x, FORMATS["fp32"])
        fixed = self._fixed_point(m, x)
        zeros = leading_zeros(m, "significand", x.significand)
        fraction = named(m, "fraction", (x.significand << zeros)[:23])
        exponent = named(m, "normal_exponent", Cat(x.exponent, C(0, 1)).as_signed() - zeros)
        # two numbers in [1, 4) by the lowest bit of the unbiased exponent: a biased one that is odd has an even one
        segment = {
            EXP2: fixed[9:16],
            RECIPROCAL: (1 << 7) | fraction[16:],
            ROOT: (1 << 8) | Cat(fraction[16:], ~exponent[0]),
        }
        rest = Mux(self.i_select == EXP2, Cat(C(0, 7), fixed[:9]), fraction[:16])
        m.d.comb += port.addr.eq(
            Mux(
                self.i_select == EXP2,
                segment[EXP2],
                Mux(self.i_select == RECIPROCAL, segment[RECIPROCAL], segment[ROOT]),
            )
        )
        base, step = port.data[:_BASE_BITS], port.data[_BASE_BITS:]
        correction = named(m, "correction", (step * rest)[16:])
        value = named(m, "value", Mux(self.i_select == EXP2, base + correction, base - correction)[:_BASE_BITS])
        zero = named(m, "zero", ~self.x[:31].any())
        results = {
            EXP2: self._exp2(m, x, fixed, value),
            RECIPROCAL: self._reciprocal(m, x, exponent, value, zero),
            ROOT: self._root(m, x, exponent, value, zero),
        }
        chosen = Mux(
            self.i_select == EXP2, results[EXP2], Mux(self.i_select == RECIPROCAL, results[RECIPROCAL], results[ROOT])
        )
        m.d.comb += self.o.eq(Mux(x.nan, NAN, chosen))
        return m

    def _fixed_point(self, m: Module, x: SimpleNamespace) -> Signal:
        """floor(x 2**16), a signed number of 25 bits; of no meaning from |x| = 256 on."""
        places = named(m, "places", Mux(x.exponent <= 134, 134 - x.exponent, 0)[:8])
        wide = named(m, "shifted", Cat(C(0, 24), x.significand) >> Mux(places > 24, 24, places)[:5])
        lost = wide[:24].any()
        magnitude = wide[24:]
        return named(m, "fixed", Mux(x.sign, -(magnitude + lost), magnitude)[:25].as_signed())

    def _exp2(self, m: Module, x: SimpleNamespace, fixed: Value, value: Value) -> Value:
        whole = named(m, "whole", fixed[16:].as_signed())
        below = named(m, "below", (-126 - whole)[:5])
        fraction = Cat(C(0, 23 - EXP2_BITS), value[:EXP2_BITS])
        normal = Cat(fraction, (whole + 127)[:8])
        subnormal = Cat(fraction, C(1, 1)) >> below
        code = Mux(whole >= 128, _INFINITY, Mux(whole >= -126, normal, Mux(whole >= -150, subnormal, 0)))
        huge = x.infinity | (x.exponent >= 135)
        return named(m, "exp2", Mux(huge, Mux(x.sign, 0, _INFINITY), code)[:32])

    def _inverse(self, value: Value) -> tuple[Value, Value]:
        """Whether a number in (0.5, 1] of `INVERSE_BITS` is 1, and its significand of 24 bits."""
        one = value[INVERSE_BITS]
        return one, Mux(one, 1 << 23, Cat(C(0, 24 - INVERSE_BITS), value[:INVERSE_BITS]))

    def _reciprocal(self, m: Module, x: SimpleNamespace, exponent: Value, value: Value, zero: Value) -> Value:
        one, significand = self._inverse(value)
        field = named(m, "reciprocal_field", 253 + one - exponent)
        normal = Cat(significand[:23], field[:8])
        subnormal = significand >> (1 - field)[:2]
        code = Mux(field >= 255, _INFINITY, Mux(field >= 1, normal, subnormal))
        size = Mux(zero, _INFINITY, Mux(x.infinity, 0, code))
        return named(m, "reciprocal", Cat(size[:31], x.sign))

    def _root(self, m: Module, x: SimpleNamespace, exponent: Value, value: Value, zero: Value) -> Value:
        one, significand = self._inverse(value)
        half = named(m, "half", (exponent - 127).as_signed() >> 1)
        code = Cat(significand[:23], (126 + one - half)[:8], C(0, 1))
        positive = Mux(zero, _INFINITY, Mux(x.infinity, 0, code))
        return named(m, "root", Mux(x.sign & ~zero, NAN, Cat(positive[:31], x.sign)))
