"""The tables of exp2, reciprocal and reciprocal root: piecewise linear, in integers.

Each segment i has a base and a step. With the rest x of the argument inside its segment, a fraction of `rest_bits`:

    exp2         2**(i/128 + x)                1.20 fixed point    base + (step * rest >> rest_bits)
    reciprocal   1 / (1 + i/128 + x)           0.21 fixed point    base - (step * rest >> rest_bits)
    root         1 / sqrt(p (1 + i/128 + x))   0.21 fixed point    as above; p = 1, then p = 2

Bases are the exact values rounded to nearest; steps are differences of neighbouring bases, so the pieces join.
"""

from decimal import Decimal, localcontext
from math import isqrt

SEGMENT_BITS = 7
SEGMENTS = 1 << SEGMENT_BITS
EXP2_BITS = 20
"""Fraction bits of 2**f, f in [0, 1)."""
EXP2_REST_BITS = 9
"""f has 16 bits: 7 choose the segment, 9 are the rest."""
INVERSE_BITS = 21
"""Fraction bits of 1/m and 1/sqrt(m), which lie in (0.5, 1]."""
INVERSE_REST_BITS = 16
"""A significand has 23 bits behind the point: 7 choose the segment, 16 are the rest."""


def exp2_table() -> list[tuple[int, int]]:
    """(base, step) of the 128 segments of 2**f."""
    with localcontext() as context:
        context.prec = 40
        bases = [
            int((Decimal(2) ** (Decimal(i) / SEGMENTS) * 2**EXP2_BITS).to_integral_value()) for i in range(SEGMENTS + 1)
        ]
    return [(bases[i], bases[i + 1] - bases[i]) for i in range(SEGMENTS)]


def reciprocal_table() -> list[tuple[int, int]]:
    """(base, step) of the 128 segments of 1/m, m in [1, 2)."""
    # round(2**21 * 128 / (128 + i))
    bases = [(2 * (SEGMENTS << INVERSE_BITS) + SEGMENTS + i) // (2 * (SEGMENTS + i)) for i in range(SEGMENTS + 1)]
    return [(bases[i], bases[i] - bases[i + 1]) for i in range(SEGMENTS)]


def root_table() -> list[tuple[int, int]]:
    """(base, step) of the 256 segments of 1/sqrt(m): 128 of m in [1, 2), then 128 of m in [2, 4)."""

    def rounded(numerator: int, denominator: int) -> int:  # round(2**21 * sqrt(numerator / denominator))
        return (isqrt((numerator << 2 * INVERSE_BITS + 2) // denominator) + 1) >> 1

    table = []
    for factor in (1, 2):
        bases = [rounded(SEGMENTS, factor * (SEGMENTS + i)) for i in range(SEGMENTS + 1)]
        table += [(bases[i], bases[i] - bases[i + 1]) for i in range(SEGMENTS)]
    return table
