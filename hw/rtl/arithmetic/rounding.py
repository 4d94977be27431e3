"""Requantisation in binary32: integers to floats, one float multiplication, back to an integer."""

from types import SimpleNamespace

from amaranth.hdl import *

from hw.rtl.arithmetic.fp_form import leading_zeros, named, shift_right_sticky

_FRACTION = 24
"""Bits of a binary32 significand."""


def to_binary32(m: Module, name: str, value: Value) -> SimpleNamespace:
    """Signed integer `value` of at most 33 bits, rounded to binary32, ties to even.

    `sign`; `significand` of 24 bits, top bit set unless zero; `exponent` (signed) of its lowest bit.
    """
    width = len(value)
    sign = named(m, f"{name}_sign", value[-1])
    magnitude = Signal(width, name=f"{name}_magnitude")
    m.d.comb += magnitude.eq(Mux(sign, -value, value))
    zeros = leading_zeros(m, name, magnitude)
    normal = named(m, f"{name}_normal", (magnitude << zeros)[:width])
    below = width - _FRACTION
    kept, guard, rest = normal[below:], normal[below - 1], normal[: below - 1].any()
    rounded = named(m, f"{name}_rounded", kept + (guard & (rest | kept[0])))
    carry = rounded[_FRACTION]
    return SimpleNamespace(
        sign=sign,
        significand=Mux(carry, rounded >> 1, rounded)[:_FRACTION],
        exponent=named(m, f"{name}_exponent", below - zeros + carry),
    )


def scale_binary32(
    m: Module, name: str, *, sign: Value, x: Value, y: Value, exponent: Value, shift: Value, bits: int
) -> Signal:
    """x * y * 2**(exponent - 31 - shift) with `sign`, in binary32, then to an integer, ties to even both times.

    `x`, `y` are 24-bit significands, normalised or zero, `exponent` the sum of those of their lowest bits.
    The result saturates to `bits` signed bits, at most 24.
    """
    product = named(m, f"{name}_product", x * y)
    high = product[-1]
    normal = named(m, f"{name}_product_normal", Mux(high, product, product << 1)[: 2 * _FRACTION])
    kept, guard, rest = normal[_FRACTION:], normal[_FRACTION - 1], normal[: _FRACTION - 1].any()
    rounded = named(m, f"{name}_product_rounded", kept + (guard & (rest | kept[0])))
    carry = rounded[_FRACTION]
    significand = named(m, f"{name}_product_significand", Mux(carry, rounded >> 1, rounded)[:_FRACTION])
    weight = named(m, f"{name}_weight", exponent + (_FRACTION - 1 - 31) + high + carry - shift)

    # A normalised significand whose lowest bit weighs 2**(bits - 24) or more is out of range: saturate
    large = named(m, f"{name}_large", (weight >= bits - _FRACTION) & significand.any())
    most = _FRACTION + 1  # then only the sticky bit is left
    right = named(m, f"{name}_right", Mux(weight < -most, most, Mux(weight < 0, -weight, 0))[: most.bit_length()])
    shifted = shift_right_sticky(m, name, Cat(C(0, 1), significand), right)
    sticky, half, integer = shifted[0], shifted[1], shifted[2:]
    magnitude = named(m, f"{name}_integer", integer + (half & (sticky | integer[0])))
    top = (1 << (bits - 1)) - 1
    limited = named(m, f"{name}_limited", Mux(large | (magnitude > top + sign), top + sign, magnitude)[:bits])
    result = Signal(signed(bits), name=f"{name}_scaled")
    m.d.comb += result.eq(Mux(sign, -limited, limited))
    return result
