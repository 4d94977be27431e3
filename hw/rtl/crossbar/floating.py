"""Between BF16 and the integers of crossbars: the largest exponent of a word, alignment, rounding of sums."""

from amaranth.hdl import *

from hw.spec.crossbar import SUM_BITS

EXPONENT_BITS, MANTISSA_BITS = 8, 7
QUIET_NAN = 0x7FC0
INFINITY = 0x7F80


def largest_exponent(m: Module, name: str, word: Value, lanes: int) -> Value:
    """Largest exponent field of `lanes` BF16 numbers, by a tree."""
    level: list[Value] = [word.word_select(lane, 16)[MANTISSA_BITS:15] for lane in range(lanes)]
    depth = 0
    while len(level) > 1:
        following: list[Value] = []
        for i in range(0, len(level) - 1, 2):
            larger = Signal(EXPONENT_BITS, name=f"{name}_{depth}_{i}")
            m.d.comb += larger.eq(Mux(level[i] > level[i + 1], level[i], level[i + 1]))
            following.append(larger)
        level, depth = following + level[len(level) // 2 * 2 :], depth + 1
    return level[0]


def aligned(m: Module, name: str, number: Value, exponent: Value) -> Value:
    """The integer of 8 bits nearest to a BF16 number times 2**(133 - `exponent`), half to even, at most 127 in size.

    `exponent` is at least the number's own.
    """
    own, fraction = number[MANTISSA_BITS:15], number[:MANTISSA_BITS]
    distance = Signal(EXPONENT_BITS, name=f"{name}_distance")
    # nine bits below the point are enough: what is farther away is below a half
    fixed, kept = Signal(18, name=f"{name}_fixed"), Signal(9, name=f"{name}_kept")
    m.d.comb += [
        distance.eq(exponent - own),
        # the significand in units of 2**-10 of the result, shifted right by at least one place
        fixed.eq(Mux((own == 0) | (distance > 9), 0, Cat(C(0, 9), fraction, C(1, 1)) >> distance[:4])),
        kept.eq(fixed[10:] + (fixed[9] & (fixed[:9].any() | fixed[10]))),
    ]
    size = Mux(kept > 127, 127, kept[:7])
    return Mux(number[15], -size, size)[:8]


def rounded(m: Module, name: str, total: Value, exponent: Value, scale: Value, invalid: Value) -> Value:
    """BF16 of `total` (signed, 32 bits) times 2**(`exponent` - 133 + `scale`), half to even; NaN if `invalid`."""
    size, place = Signal(SUM_BITS, name=f"{name}_size"), Signal(range(SUM_BITS), name=f"{name}_place")
    top, up = Signal(MANTISSA_BITS + 2, name=f"{name}_top"), Signal(name=f"{name}_up")
    left = Signal(SUM_BITS, name=f"{name}_left")
    biased = Signal(signed(11), name=f"{name}_biased")
    negative = total < 0
    m.d.comb += size.eq(Mux(negative, -total, total))
    for bit in range(SUM_BITS):
        with m.If(size[bit]):
            m.d.comb += place.eq(bit)
    m.d.comb += [
        left.eq((size << ~place)[:SUM_BITS]),
        up.eq(left[23] & (left[:23].any() | left[24])),
        top.eq(left[24:] + up),
        # 127 of the format, 133 of the inputs' unit; a carry moves the point by one
        biased.eq(place + exponent + scale - 6 + top[8]),
    ]
    fraction = Mux(top[8], 0, top[:MANTISSA_BITS])
    found = Cat(fraction, biased[:EXPONENT_BITS], negative)
    large = Cat(C(INFINITY, 15), negative)
    return Mux(invalid, QUIET_NAN, Mux((size == 0) | (biased <= 0), 0, Mux(biased >= 255, large, found)))
