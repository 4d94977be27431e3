"""What kind of number a code is: NaN, infinity, beyond a format; and how many lanes are."""

from collections.abc import Sequence

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.arithmetic.fp_round import largest_code
from hw.spec.mac_array import MacArraySpec
from hw.spec.number import FORMATS, NumberFormat, number_format


def is_nan(code: Value, fmt: NumberFormat) -> Value:
    """`code` is a NaN of `fmt`; never for integers."""
    if fmt.is_integer:
        return Const(0)
    exponent, fraction = code[fmt.fraction_bits : fmt.bits - 1], code[: fmt.fraction_bits]
    return exponent.all() & (fraction.any() if fmt.has_infinity else fraction.all())


def is_infinity(code: Value, fmt: NumberFormat) -> Value:
    """`code` is an infinity of `fmt`; never for integers and E4M3."""
    if fmt.is_integer or not fmt.has_infinity:
        return Const(0)
    return code[fmt.fraction_bits : fmt.bits - 1].all() & ~code[: fmt.fraction_bits].any()


def is_beyond(code: Value, fmt: NumberFormat, saturate: bool) -> Value:
    """The FP32 `code` is finite and rounds beyond the largest value of `fmt`; with `saturate` also if infinite.

    That is so from the midpoint above the largest value on. The midpoint itself rounds to even: away from an odd
    largest significand (all ones), back to the even one of E4M3.
    """
    fp32 = FORMATS["fp32"]
    largest = largest_code(fmt)
    exponent, fraction = largest >> fmt.fraction_bits, largest & ((1 << fmt.fraction_bits) - 1)
    dropped = fp32.fraction_bits - fmt.fraction_bits
    least = ((exponent - fmt.bias + fp32.bias) << fp32.fraction_bits) + (fraction << dropped) + (1 << (dropped - 1))
    least += 1 - fraction % 2
    infinity = 0xFF << fp32.fraction_bits
    return (code[:31] >= least) & (code[:31] < infinity + saturate)


def count_ones(flags: Sequence[Value]) -> Value:
    """How many of `flags` (1 bit each) are high: a balanced tree of adders."""
    if not flags:
        return Const(0)
    if len(flags) == 1:
        return Value.cast(flags[0])
    half = len(flags) // 2
    return (count_ones(flags[:half]) + count_ones(flags[half:]))[: len(flags).bit_length()]


class OperandWatch(wiring.Component):
    """Counts special operands on their way into the array, one cycle late.

    Members
    -------
    i_activation, i_weight : In
        Words of `rows` and `columns` lanes, entering in this cycle if `i_activation_valid`, `i_weight_valid`.
    o_nan, o_infinity : Out(ceil_log2(rows + columns + 1))
        Lanes of both.
    """

    def __init__(self, array: MacArraySpec) -> None:
        self.spec = array
        super().__init__(
            {
                "i_activation": In(array.rows * array.activation_lane_bits),
                "i_activation_valid": In(1),
                "i_weight": In(array.columns * array.weight_lane_bits),
                "i_weight_valid": In(1),
                "o_nan": Out(range(array.rows + array.columns + 1)),
                "o_infinity": Out(range(array.rows + array.columns + 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec = self.spec
        operands = (
            (self.i_activation, self.i_activation_valid, spec.activation_format, spec.rows),
            (self.i_weight, self.i_weight_valid, spec.weight_format, spec.columns),
        )
        for output, kind in ((self.o_nan, is_nan), (self.o_infinity, is_infinity)):
            flags = [
                valid & kind(word.word_select(lane, len(word) // lanes), number_format(name))
                for word, valid, name, lanes in operands
                for lane in range(lanes)
            ]
            m.d.sync += output.eq(count_ones(flags))
        return m
