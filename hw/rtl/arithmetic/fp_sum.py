"""Sum of two floating-point terms rounded once: what the fused multiply-accumulate and the adder share."""

from types import SimpleNamespace

from amaranth.hdl import *

from hw.rtl.arithmetic.fp_form import Cuts, leading_zeros, named, shift_right_sticky
from hw.spec.number import NumberFormat


def unpack(m: Module, name: str, code: Value, fmt: NumberFormat) -> SimpleNamespace:
    """Sign, exponent field of at least 1, significand with hidden bit, infinity and NaN of `code`.

    A subnormal keeps its leading zeros: the adder needs no normalised terms at the least exponent.
    """
    fraction = code[: fmt.fraction_bits]
    exponent = code[fmt.fraction_bits : fmt.bits - 1]
    normal = named(m, f"{name}_normal", exponent.any())
    top = named(m, f"{name}_top", exponent.all())
    return SimpleNamespace(
        sign=code[fmt.bits - 1],
        exponent=Cat(exponent[0] | ~normal, exponent[1:]),
        significand=Cat(fraction, normal),
        infinity=top & ~fraction.any(),
        nan=top & fraction.any(),
    )


def round_sum(m: Module, cuts: Cuts, fmt: NumberFormat, term: SimpleNamespace) -> Signal:
    """Code of RNE(x + y) in `fmt`, as steps 2 to 7; step n may be followed by a register.

    `term` has x_sign, x_exponent (signed, may be any), x_significand and the same of y, whose exponent is
    at least 1, and nan, infinity, infinity_sign. Exponents are fields of `fmt` (biased); significands
    have `fraction_bits` + 1 bits and are normalised unless zero or at exponent 1 or below it only by value.
    A zero x must have exponent 1.

    The term of the larger exponent stays, the other is shifted right with guard, round and sticky bit.
    Equal exponents, or x below the subnormal range beside a subnormal y, may leave the smaller value on
    the left; so both differences are formed and the positive one is taken, which is as large as the
    comparator it saves. The stayed exponent is at least 1, so normalising never shifts right.
    """
    p, q = fmt.fraction_bits + 1, fmt.fraction_bits + 4
    # step 2: order by exponent
    ahead = named(m, "ahead", term.x_exponent - term.y_exponent)
    x_stays = named(m, "x_stays", ahead > 0)
    distance = named(m, "distance", Mux(x_stays, ahead, -ahead)[: len(ahead)])
    width = (q + 1).bit_length()
    s = cuts.after(
        2,
        stay=Mux(x_stays, term.x_significand, term.y_significand),
        move=Mux(x_stays, term.y_significand, term.x_significand),
        exponent=Mux(x_stays, term.x_exponent, term.y_exponent)[: fmt.exponent_bits + 1],
        far=Mux(distance[width:].any(), (1 << width) - 1, distance[:width]),
        stay_sign=Mux(x_stays, term.x_sign, term.y_sign),
        subtract=term.x_sign ^ term.y_sign,
        zero_sign=term.x_sign & term.y_sign,
        nan=term.nan,
        infinity=term.infinity,
        infinity_sign=term.infinity_sign,
    )
    # step 3: align
    moved = shift_right_sticky(m, "align", Cat(C(0, 2), s.move), s.far)
    s = cuts.after(
        3,
        moved=moved,
        **{k: getattr(s, k) for k in ("stay", "exponent", "stay_sign", "subtract", "zero_sign")},
        **{k: getattr(s, k) for k in ("nan", "infinity", "infinity_sign")},
    )
    # step 4: add, or both differences
    stay = Cat(C(0, 3), s.stay)
    total = named(m, "total", (stay + (s.moved ^ s.subtract.replicate(q)) + s.subtract)[: q + 1])
    reverse = named(m, "reverse", (s.moved - stay)[:q])
    # with subtract the carry out says that the difference is not negative
    negative = named(m, "negative", s.subtract & ~total[q])
    magnitude = Mux(s.subtract, Mux(negative, reverse, total[:q]), total)
    s = cuts.after(
        4,
        magnitude=magnitude,
        sign=s.stay_sign ^ negative,
        **{k: getattr(s, k) for k in ("exponent", "zero_sign", "nan", "infinity", "infinity_sign")},
    )
    # step 5: how far to normalise; a shift by the whole exponent ends in the subnormal range
    zeros = leading_zeros(m, "sum", s.magnitude)
    limited = named(m, "limited", zeros > s.exponent)
    s = cuts.after(
        5,
        magnitude=s.magnitude,
        shift=Mux(limited, s.exponent, zeros)[: len(zeros)],
        exponent=s.exponent,
        sign=Mux(s.magnitude.any(), s.sign, s.zero_sign),
        **{k: getattr(s, k) for k in ("nan", "infinity", "infinity_sign")},
    )
    # step 6: normalise; the hidden bit is now the top one
    s = cuts.after(
        6,
        normal=(s.magnitude << s.shift)[: q + 1],
        exponent=(s.exponent + 1 - s.shift)[: fmt.exponent_bits + 1],
        **{k: getattr(s, k) for k in ("sign", "nan", "infinity", "infinity_sign")},
    )
    # step 7: round half to even; a carry out of the fraction steps the exponent by itself
    hidden, fraction = s.normal[q], s.normal[q + 1 - p : q]
    guard, sticky = s.normal[q - p], s.normal[: q - p].any()
    field = Mux(hidden, s.exponent, 0)
    rounded = named(m, "rounded", Cat(fraction, field) + (guard & (sticky | fraction[0])))
    top = (1 << fmt.exponent_bits) - 1
    overflow = named(m, "overflow", rounded[p - 1 :] >= top)
    nan_code = (top << fmt.fraction_bits) | (1 << (fmt.fraction_bits - 1))
    finite = Mux(overflow, top << fmt.fraction_bits, rounded[: fmt.bits - 1])
    special = Mux(s.nan, nan_code, Cat(C(top << fmt.fraction_bits, fmt.bits - 1), s.infinity_sign))
    return named(m, "code", Mux(s.nan | s.infinity, special, Cat(finite[: fmt.bits - 1], s.sign)))
