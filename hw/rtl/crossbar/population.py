"""Population counts of wide words."""

from amaranth.hdl import *


def population(m: Module, name: str, value: Value) -> Value:
    """How many bits of `value` are 1: fields of 1, 2, 4, ... bits are added in pairs, a level in one addition.

    Each level is a signal of its own, `<name>_<field>`: an expression that holds the one before twice would grow by a
    factor of two with every level.
    """
    width = 1 << (len(value) - 1).bit_length()
    total, field = value, 1
    while field < width:
        mask = sum(((1 << field) - 1) << place for place in range(0, width, 2 * field))
        level = Signal(width, name=f"{name}_{field}")
        m.d.comb += level.eq((total & mask) + ((total >> field) & mask))
        total, field = level, 2 * field
    return total[: len(value).bit_length()]
