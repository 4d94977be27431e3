"""Rounding a wide significand to a storage format: what the converter and the FP16 multiplier share."""

from collections.abc import Sequence

from amaranth.hdl import *

from hw.rtl.arithmetic.fp_form import Cuts, named, shift_right_sticky
from hw.spec.number import NumberFormat


def largest_code(fmt: NumberFormat) -> int:
    """Code of the largest finite value: below infinity, or below the NaN of E4M3."""
    if fmt.has_infinity:
        return (((1 << fmt.exponent_bits) - 1) << fmt.fraction_bits) - 1
    return (1 << (fmt.bits - 1)) - 2


def nan_code(fmt: NumberFormat) -> int:
    """Code of the positive NaN that conversions produce: top fraction bit set, E4M3 its only pattern."""
    return largest_code(fmt) + (1 + (1 << (fmt.fraction_bits - 1)) if fmt.has_infinity else 1)


def round_to_storage(
    m: Module,
    cuts: Cuts,
    formats: Sequence[NumberFormat],
    select: Value,
    *,
    sign: Value,
    exponent: Value,
    significand: Value,
    infinity: Value,
    nan: Value,
    saturate: Value,
) -> Signal:
    """Code of RNE((-1)**sign * significand * 2**(exponent - (n-1))), n = bits of the significand.

    One right shift serves normal and subnormal results of every format. The significand must be
    normalised unless the exponent is at or below the least normal one of the format, as for a zero or a
    subnormal FP32 code. Boundary 1 follows the shift amount, boundary 2 the shift; the caller registers
    the result.
    """
    width = len(significand)
    most = width + 1  # then only the sticky bit is left
    per_format = []
    for fmt in formats:
        field = exponent + fmt.bias  # exponent field of the target if that is at least 1
        below = named(m, f"below_{fmt.name}", field < 1)
        drop = named(m, f"drop_{fmt.name}", (width - 1 - fmt.fraction_bits) + Mux(below, 1 - field, 0))
        capped = Mux(drop > most, most, drop)[: most.bit_length()]
        steps = Mux(below, 0, field - 1)[: len(exponent) + 1]
        per_format.append((capped, steps))
    s = cuts.after(
        1,
        drop=_choose(m, "drop", select, [c for c, _ in per_format]),
        steps=_choose(m, "steps", select, [f for _, f in per_format]),
        select=select,
        sign=sign,
        significand=significand,
        infinity=infinity,
        nan=nan,
        saturate=saturate,
    )
    # one more place below, so that the guard bit is kept even when everything is dropped
    shifted = shift_right_sticky(m, "drop", Cat(C(0, 1), s.significand), s.drop)
    s = cuts.after(
        2,
        shifted=shifted,
        **{k: getattr(s, k) for k in ("steps", "select", "sign", "infinity", "nan", "saturate")},
    )
    sticky, guard, kept = s.shifted[0], s.shifted[1], s.shifted[2:]
    rounded = named(m, "kept_rounded", kept + (guard & (sticky | kept[0])))
    codes = []
    for fmt in formats:
        # a hidden bit or a carry out of the fraction adds 1 to the exponent field by itself
        code = named(m, f"code_{fmt.name}", (s.steps << fmt.fraction_bits) + rounded)
        top = largest_code(fmt)
        overflow = s.infinity | (code > top)
        beyond = top + 1  # infinity, or the NaN of E4M3
        finite = Mux(overflow, Mux(s.saturate, top, beyond), code)[: fmt.bits - 1]
        codes.append(Cat(Mux(s.nan, nan_code(fmt), finite)[: fmt.bits - 1], s.sign))
    return _choose(m, "code", s.select, codes)


def _choose(m: Module, name: str, select: Value, choices: Sequence[Value]) -> Signal:
    """The choice of index `select`; the last one for an index beyond."""
    result = choices[-1]
    for index in reversed(range(len(choices) - 1)):
        result = Mux(select == index, choices[index], result)
    return named(m, f"{name}_chosen", result)
