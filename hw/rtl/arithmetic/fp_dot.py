"""Dot product of many lanes with one alignment and one rounding: the adder tree of a GDDR6-AiM unit."""

from types import SimpleNamespace

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.base.error import InputError
from hw.rtl.arithmetic.fp_decode import FpDecode
from hw.rtl.arithmetic.fp_form import Cuts, leading_zeros, named
from hw.rtl.arithmetic.fp_sum import unpack
from hw.spec.number import FORMATS

FRACTION_BITS = 27
"""Below the largest exponent of the terms."""

_MAGNITUDE = FRACTION_BITS + 2  # a product of two significands in [1, 2) is below 4
_TOP = _MAGNITUDE + 5  # 17 terms at most

# Registers after these steps: 1 multiply, 2 largest exponent, 3 align, 4 add, 5 normalise.
_CUTS = {0: (), 1: (), 2: (3,), 3: (1, 3), 4: (1, 3, 4), 5: (1, 2, 3, 4), 6: (1, 2, 3, 4, 5)}


class FpDot(wiring.Component):
    """o = RNE_fp32(T(c) + sum of T(a_i * b_i)), T = truncation to 2**(E - 27) towards zero.

    E is the largest exponent among c (at least -126, zero included) and the non-zero products, a product's
    being the sum of its normalised operands' exponents. Products are exact, the sum of the truncated terms
    is exact (34 bits and sign for 16 lanes), and there is one rounding. A sum of exactly zero is +0. NaN,
    infinity times zero and infinities of both signs give the canonical NaN 0x7fc00000.

    Full throughput; `latency` cycles, 0 for a combinational tree.

    Parameters
    ----------
    lanes : int
        1 to 16.
    name : str
        Format of the operands.
    latency : int
        0 to 6.

    Members
    -------
    a, b : In(lanes * bits), lane 0 in the low bits; c : In, FP32 code; o : Out, FP32 code
    """

    def __init__(self, *, lanes: int = 16, name: str = "bf16", latency: int = 1):
        if not 1 <= lanes <= 16:
            raise InputError(f"a dot product must have 1 to 16 lanes, not {lanes!r}")
        if latency not in _CUTS:
            raise InputError(f"the latency of a dot product must be from 0 to 6 cycles, not {latency!r}")
        self.latency, self.lanes, self.name = latency, lanes, name
        self._decoders = [(FpDecode([name]), FpDecode([name])) for _ in range(lanes)]
        self._bits = self._decoders[0][0].formats[0].bits
        bits = lanes * self._bits
        super().__init__({"a": In(bits), "b": In(bits), "c": In(32), "o": Out(32)})

    def elaborate(self, platform) -> Module:
        m = Module()
        cuts = Cuts(m, _CUTS[self.latency])
        s = cuts.after(1, **self._multiply(m))
        s = cuts.after(2, largest=self._largest(m, s), **vars(s))
        terms = self._terms(m, s)
        s = cuts.after(3, **terms, **_kept(s, "largest"))
        s = cuts.after(4, total=self._total(m, [getattr(s, name) for name in terms]), **_kept(s, "largest"))
        s = cuts.after(5, **self._normalise(m, s), **_kept(s))
        domain = m.d.sync if self.latency else m.d.comb
        domain += self.o.eq(self._round(m, s))
        return m

    def _multiply(self, m: Module) -> dict[str, Value]:
        """Step 1: exact products with exponent and sign, the parts of c, and what special operands make of the sum."""
        held: dict[str, Value] = {}
        poison, plus, minus = [], [], []
        for i, (decode_a, decode_b) in enumerate(self._decoders):
            m.submodules[f"decode_a_{i}"], m.submodules[f"decode_b_{i}"] = decode_a, decode_b
            m.d.comb += [
                decode_a.code.eq(self.a.word_select(i, self._bits)),
                decode_b.code.eq(self.b.word_select(i, self._bits)),
            ]
            a, b = decode_a.o, decode_b.o
            infinity, zero = a.infinity | b.infinity, a.zero | b.zero
            sign = named(m, f"product_sign_{i}", a.sign ^ b.sign)
            poison.append(a.nan | b.nan | (infinity & zero))
            plus.append(infinity & ~sign)
            minus.append(infinity & sign)
            held[f"product_{i}"] = a.significand * b.significand
            held[f"exponent_{i}"] = a.exponent + b.exponent
            held[f"sign_{i}"] = sign
        c = unpack(m, "c", self.c, FORMATS["fp32"])
        plus.append(c.infinity & ~c.sign)
        minus.append(c.infinity & c.sign)
        any_plus, any_minus = named(m, "plus", Cat(*plus).any()), named(m, "minus", Cat(*minus).any())
        return held | {
            "c_sign": c.sign,
            "c_significand": c.significand,
            "c_exponent": Cat(c.exponent, C(0, 1)).as_signed() - 127,
            "nan": c.nan | Cat(*poison).any() | (any_plus & any_minus),
            "infinity": any_plus | any_minus,
            "infinity_sign": any_minus,
        }

    def _largest(self, m: Module, s: SimpleNamespace) -> Value:
        """Step 2: largest exponent, a tree of comparisons."""
        level = [s.c_exponent]
        level += [
            named(m, f"rank_{i}", Mux(getattr(s, f"product_{i}").any(), getattr(s, f"exponent_{i}"), -512))
            for i in range(self.lanes)
        ]
        depth = 0
        while len(level) > 1:
            pairs = [
                named(m, f"larger_{depth}_{i}", Mux(level[i] > level[i + 1], level[i], level[i + 1]))
                for i in range(0, len(level) - 1, 2)
            ]
            level = pairs + ([level[-1]] if len(level) % 2 else [])
            depth += 1
        return level[0]

    def _terms(self, m: Module, s: SimpleNamespace) -> dict[str, Value]:
        """Step 3: align and truncate, then give the sign."""
        width = len(s.product_0)
        terms: dict[str, Value] = {
            f"term_{i}": self._align(
                m,
                f"{i}",
                Cat(C(0, _MAGNITUDE - width), getattr(s, f"product_{i}")),
                s.largest - getattr(s, f"exponent_{i}"),
                getattr(s, f"sign_{i}"),
            )
            for i in range(self.lanes)
        }
        terms["term_c"] = self._align(
            m, "c", Cat(C(0, _MAGNITUDE - 25), s.c_significand, C(0, 1)), s.largest - s.c_exponent, s.c_sign
        )
        return terms

    def _total(self, m: Module, values: list[Value]) -> Value:
        """Step 4: add integers."""
        while len(values) > 1:
            pairs = [values[i] + values[i + 1] for i in range(0, len(values) - 1, 2)]
            values = pairs + ([values[-1]] if len(values) % 2 else [])
        return named(m, "sum", values[0])[: _TOP + 1].as_signed()

    def _normalise(self, m: Module, s: SimpleNamespace) -> dict[str, Value]:
        """Step 5: magnitude, normalised as far as the least exponent allows."""
        sign = s.total[-1]
        magnitude = Signal(_TOP)  # whatever the lanes, so that the weight of its top bit is fixed
        m.d.comb += magnitude.eq(Mux(sign, -s.total, s.total))
        zeros = leading_zeros(m, "sum", magnitude)
        # the top bit weighs 2**(largest + 6): field = largest + 6 + 127 - shift, at least 1
        highest = named(m, "highest", (s.largest + (_TOP - 1 - FRACTION_BITS + 127)).as_unsigned())
        shift = named(m, "shift", Mux(zeros >= highest, highest - 1, zeros)[: len(zeros)])
        return {"normal": (magnitude << shift)[:_TOP], "field": (highest - shift)[:10], "sign": sign}

    def _round(self, m: Module, s: SimpleNamespace) -> Value:
        """The code: round half to even, then what special operands ask for."""
        hidden, fraction = s.normal[-1], s.normal[_TOP - 24 : _TOP - 1]
        guard, sticky = s.normal[_TOP - 25], s.normal[: _TOP - 25].any()
        up = guard & (sticky | fraction[0])
        rounded = named(m, "rounded", Cat(fraction, Mux(hidden, s.field, 0)) + up)
        overflow = rounded[23:] >= 255
        infinite = named(m, "infinite", s.infinity | overflow)
        return Mux(
            s.nan,
            0x7FC00000,
            Mux(
                infinite,
                Cat(C(0xFF << 23, 31), Mux(s.infinity, s.infinity_sign, s.sign)),
                Cat(rounded[:31], s.sign),
            ),
        )

    def _align(self, m: Module, name: str, magnitude: Value, distance: Value, sign: Value) -> Signal:
        """`magnitude` shifted right by `distance`, bits below dropped, with its sign."""
        far = named(m, f"distance_{name}", distance.as_unsigned())
        kept = named(m, f"kept_{name}", Mux(far >= _MAGNITUDE, 0, magnitude >> far[:5]))
        return named(m, f"signed_{name}", Mux(sign, -kept, kept).as_signed())


def _kept(s: SimpleNamespace, *names: str) -> dict[str, Value]:
    """What the later steps need beside a step's own results: special cases, and `names`."""
    return {name: getattr(s, name) for name in (*names, "nan", "infinity", "infinity_sign")}
