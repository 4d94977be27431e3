"""The internal form of a floating-point operand, and the small circuits every unit shares."""

from collections.abc import Collection, Sequence
from types import SimpleNamespace

from amaranth.hdl import *
from amaranth.lib import data

from hw.base.error import InputError
from hw.spec.number import NumberFormat, number_format


def storage_format(name: str) -> NumberFormat:
    """The 8- or 16-bit floating-point format called `name`; `InputError` for any other."""
    fmt = number_format(name)
    if fmt.is_integer or fmt.bits > 16:
        raise InputError(f"an operand format must be an 8- or 16-bit floating-point format, not {name!r}")
    return fmt


class OperandForm(data.StructLayout):
    """One operand after decoding: (-1)**sign * significand * 2**(exponent - (significand_bits - 1)).

    The significand is normalised, its top bit set for every finite value but zero, subnormals included.
    Both widths are the least that hold every format of the build; with FP16 and BF16 in it the exponent
    is signed of 9 bits (-133 to 127) and the significand has 11.

    Parameters
    ----------
    formats : sequence of str
        Storage formats that are decoded into this form.

    Members
    -------
    sign : 1 bit; exponent : signed; significand : unsigned; zero, infinity, nan : 1 bit each, exclusive.
        Exponent and significand are 0 for zero and of no meaning for infinity and NaN.
    """

    def __init__(self, formats: Sequence[str]):
        if not formats:
            raise InputError("an operand form needs at least one floating-point format, none was given")
        chosen = [storage_format(name) for name in formats]
        least = min(1 - f.bias - f.fraction_bits for f in chosen)
        greatest = max((1 << f.exponent_bits) - 1 - f.bias for f in chosen)
        self.formats = tuple(formats)
        self.significand_bits = max(f.fraction_bits + 1 for f in chosen)
        self.exponent_bits = max((-least - 1).bit_length(), greatest.bit_length()) + 1
        super().__init__(
            {
                "sign": 1,
                "exponent": signed(self.exponent_bits),
                "significand": self.significand_bits,
                "zero": 1,
                "infinity": 1,
                "nan": 1,
            }
        )


class Cuts:
    """Optional pipeline registers between the numbered steps of a circuit.

    A unit of latency n has registers at n - 1 of its step boundaries and at its output; a unit of latency
    0 is combinational. Registers hold data only, so they have no reset.
    """

    def __init__(self, m: Module, positions: Collection[int]):
        self._m = m
        self._positions = positions

    def after(self, step: int, **values: ValueLike) -> SimpleNamespace:
        """The same values, named, behind a register if the boundary after `step` is cut."""
        cut = step in self._positions
        domain = self._m.d.sync if cut else self._m.d.comb
        named = {}
        for name, value in values.items():
            held = Signal.like(Value.cast(value), name=f"{name}_{step}", reset_less=cut)
            domain += held.eq(value)
            named[name] = held
        return SimpleNamespace(**named)


def named(m: Module, name: str, value: ValueLike) -> Signal:
    """`value` as a signal: computed once however often it is used, and visible in the waveform."""
    held = Signal.like(Value.cast(value), name=name)
    m.d.comb += held.eq(value)
    return held


def leading_zeros(m: Module, name: str, value: Value) -> Signal:
    """Number of zeros above the highest set bit of `value`; its width if `value` is zero."""
    width = len(value)
    levels = max(1, (width - 1).bit_length())
    # Padding below with ones leaves the count alone, and stops it at the width for a zero value.
    padded = Cat(C((1 << ((1 << levels) - width)) - 1, (1 << levels) - width), value)
    bits = []
    for level in reversed(range(levels)):
        half = 1 << level
        high = named(m, f"{name}_high_{level}", ~padded[half:].any())
        bits.append(high)
        padded = named(m, f"{name}_rest_{level}", Mux(high, padded[:half], padded[half:]))
    full = named(m, f"{name}_none", ~padded) if width == 1 << levels else C(0, 1)
    return named(m, f"{name}_zeros", Cat(*reversed(bits)) + full)


def shift_right_sticky(m: Module, name: str, value: Value, amount: Value) -> Signal:
    """`value` shifted right by `amount`, with the OR of all bits lost in a new lowest bit."""
    shifted, lost = value, C(0, 1)
    for level in range(len(amount)):
        step = 1 << level
        gone = shifted[:step].any()
        kept = shifted[step:] if step < len(value) else C(0, 1)
        lost = named(m, f"{name}_lost_{level}", lost | (amount[level] & gone))
        shifted = named(m, f"{name}_by_{step}", Mux(amount[level], kept, shifted)[: len(value)])
    return named(m, f"{name}_shifted", Cat(lost, shifted))
