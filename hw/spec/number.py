"""Number formats by name, and the widths that follow from them."""

from dataclasses import dataclass

from hw.base.error import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberFormat:
    """A storage format of `bits` bits.

    Integers are two's complement (`exponent_bits` = 0). Floating-point formats have a sign bit,
    `exponent_bits` and `fraction_bits`; `has_infinity` is False for OCP E4M3, whose all-ones exponent
    holds normal numbers and one NaN pattern per sign.

    Parameters
    ----------
    name : str
        Key of `FORMATS`, lower case.
    bits : int
        All bits of a number, sign included.
    exponent_bits, fraction_bits : int
        Bits of the two fields of a floating-point number; 0 for integers.
    has_infinity : bool
        Floating point: the all-ones exponent with fraction 0 is infinity.
    """

    name: str
    bits: int
    exponent_bits: int = 0
    fraction_bits: int = 0
    has_infinity: bool = True

    @property
    def is_integer(self) -> bool:
        """True for two's complement formats."""
        return self.exponent_bits == 0

    @property
    def bias(self) -> int:
        """Exponent bias, 2**(exponent_bits-1) - 1; 0 for integers."""
        return 0 if self.is_integer else (1 << (self.exponent_bits - 1)) - 1

    @property
    def minimum(self) -> int:
        """Smallest value of an integer format."""
        return -(1 << (self.bits - 1))

    @property
    def lowest_code(self) -> int:
        """Code of the lowest value that is no NaN: minus infinity, or the negative number of largest size."""
        if self.is_integer:
            return 1 << (self.bits - 1)
        finite = (1 << (self.bits - 1)) - 2 if not self.has_infinity else 0
        sign = 1 << (self.bits - 1)
        return sign | (finite or ((1 << self.exponent_bits) - 1) << self.fraction_bits)

    @property
    def maximum(self) -> int:
        """Largest value of an integer format."""
        return (1 << (self.bits - 1)) - 1


FORMATS: dict[str, NumberFormat] = {
    f.name: f
    for f in (
        NumberFormat(name="int4", bits=4),
        NumberFormat(name="int8", bits=8),
        NumberFormat(name="int32", bits=32),
        NumberFormat(name="fp32", bits=32, exponent_bits=8, fraction_bits=23),
        NumberFormat(name="fp16", bits=16, exponent_bits=5, fraction_bits=10),
        NumberFormat(name="bf16", bits=16, exponent_bits=8, fraction_bits=7),
        # OCP 8-bit floating point specification (OFP8), revision 1.0, 2023
        NumberFormat(name="fp8_e4m3", bits=8, exponent_bits=4, fraction_bits=3, has_infinity=False),
        NumberFormat(name="fp8_e5m2", bits=8, exponent_bits=5, fraction_bits=2),
    )
}


OPERAND_CODES: dict[str, int] = {"int4": 1, "int8": 2, "fp16": 3, "bf16": 4, "fp8_e4m3": 5, "fp8_e5m2": 6}
"""Operand format -> its code in a descriptor; 0 there means whatever the core was built for."""


def number_format(name: str) -> NumberFormat:
    """The format called `name`; raises `InputError` listing the known ones."""
    if name not in FORMATS:
        raise InputError(f"a number format must be one of {', '.join(FORMATS)}, not {name!r}")
    return FORMATS[name]
