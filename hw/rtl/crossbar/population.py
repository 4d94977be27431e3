"""Population counts of wide words."""

from amaranth.hdl import *


def population(value: Value) -> Value:
    """How many bits of `value` are 1: fields of 1, 2, 4, ... bits are added in pairs, a level in one addition."""
    width = 1 << (len(value) - 1).bit_length()
    total, field = value, 1
    while field < width:
        mask = sum(((1 << field) - 1) << place for place in range(0, width, 2 * field))
        total = ((total & mask) + ((total >> field) & mask))[:width]
        field *= 2
    return total[: len(value).bit_length()]
