"""Storage code to internal operand form, at the edge of the array."""

from collections.abc import Sequence

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.arithmetic.fp_form import OperandForm, leading_zeros, named
from hw.spec.number import NumberFormat, number_format


class FpDecode(wiring.Component):
    """Decode one code of any format of the build: combinational, one per row and one per column.

    value = (-1)**sign * significand * 2**(exponent - (significand_bits - 1)), exact. Subnormals are
    normalised here, once, so the cells of the array know neither formats nor subnormal operands.

    Parameters
    ----------
    formats : sequence of str
        8- and 16-bit floating-point formats; `select` is the index into it.

    Members
    -------
    code : In, as wide as the widest format; narrower codes sit in the low bits
    select : In, index of the format; 0 bits wide if there is one format only
    o : Out, `OperandForm`
    """

    latency = 0

    def __init__(self, formats: Sequence[str]):
        self.form = OperandForm(formats)
        self.formats = [number_format(name) for name in formats]
        super().__init__(
            {
                "code": In(max(f.bits for f in self.formats)),
                "select": In((len(formats) - 1).bit_length()),
                "o": Out(self.form),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        fields = [self._fields(fmt) for fmt in self.formats]
        names = ("sign", "raised", "fraction", "bias", "infinity", "nan")
        chosen = {}
        for name in names:
            width = max(len(Value.cast(f[name])) for f in fields)
            chosen[name] = Signal(width, name=name)
        for index, _ in enumerate(self.formats):
            condition = self.select == index if len(fields) > 1 else C(1)
            with m.If(condition):
                m.d.comb += [chosen[name].eq(fields[index][name]) for name in names]

        significand_bits = self.form.significand_bits
        hidden = chosen["fraction"][significand_bits - 1]
        zeros = leading_zeros(m, "leading", chosen["fraction"])
        zero = named(m, "is_zero", ~chosen["fraction"].any())
        special = chosen["infinity"] | chosen["nan"]
        m.d.comb += [
            self.o.sign.eq(chosen["sign"]),
            self.o.zero.eq(zero & ~special),
            self.o.infinity.eq(chosen["infinity"]),
            self.o.nan.eq(chosen["nan"]),
            self.o.significand.eq(chosen["fraction"] << Mux(hidden, 0, zeros)),
            self.o.exponent.eq(Mux(zero, 0, chosen["raised"] - chosen["bias"] - zeros)),
        ]
        return m

    def _fields(self, fmt: NumberFormat) -> dict[str, ValueLike]:
        """Sign, exponent field of at least 1, left-justified significand, bias and classes of one format."""
        fraction = self.code[: fmt.fraction_bits]
        exponent = self.code[fmt.fraction_bits : fmt.bits - 1]
        normal = exponent.any()
        if fmt.has_infinity:
            infinity, nan = exponent.all() & ~fraction.any(), exponent.all() & fraction.any()
        else:
            infinity, nan = C(0, 1), exponent.all() & fraction.all()
        below = self.form.significand_bits - 1 - fmt.fraction_bits
        return {
            "sign": self.code[fmt.bits - 1],
            "raised": Cat(exponent[0] | ~normal, exponent[1:]),
            "fraction": Cat(C(0, below), fraction, normal),
            "bias": C(fmt.bias, 7),
            "infinity": infinity,
            "nan": nan,
        }
