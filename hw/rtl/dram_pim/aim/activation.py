"""The activation unit of a GDDR6-AiM bank: linear pieces from the open row, ReLU, leaky ReLU."""

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.base.error import InputError
from hw.rtl.arithmetic.fp_convert import FpConvert
from hw.rtl.arithmetic.fp_lane import FpLane
from hw.spec.pim import PimSpec

_NAN = 0x7FC0


def bf16_code(value: float) -> int:
    """The BF16 code of `value`, rounded to nearest even."""
    import struct

    bits = struct.unpack("<I", struct.pack("<f", value))[0]
    return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16


class AimActivation(wiring.Component):
    """f(BF16(x)) as a BF16 code, two cycles after `i_valid`; one evaluation every two cycles.

    A table's row holds pairs (slope, offset), 8 in a column, piece 0 first. y = RN_bf16(RN_fp32(slope x + offset)).

    Members
    -------
    i_valid : In(1); i_mode : In, index of the function
    i_x : In(32), FP32 code, in the cycle of `i_valid`
    o_read : Out(1); o_column : Out
        The column of the bank's open row that is needed, same cycle.
    i_word : In(column bits), that column, one cycle later
    o_valid : Out(1); o_y : Out(16)
    """

    def __init__(self, spec: PimSpec) -> None:
        self.spec = spec
        organisation = spec.dram.organisation
        tables = [a for a in spec.activations if a.kind == "table"]
        if len({(a.limit, a.segments) for a in tables}) != 1:
            raise InputError(f"the tables of {spec.title} must share one range and number of pieces")
        self.segments = tables[0].segments
        self.limit_bits = int(tables[0].limit).bit_length() - 1
        self.scale_bits = (self.segments // int(2 * tables[0].limit)).bit_length() - 1
        pieces = organisation.columns * organisation.column_bits // 32
        if tables[0].limit != 1 << self.limit_bits or self.segments != (2 << self.limit_bits) << self.scale_bits:
            raise InputError(f"range and pieces per unit of the tables of {spec.title} must be powers of two")
        if self.segments > pieces:
            raise InputError(f"a table of {spec.title} must fit one row, {pieces} pieces, not {self.segments}")
        columns = max(organisation.columns - 1, 1).bit_length()
        super().__init__(
            {
                "i_valid": In(1),
                "i_mode": In(max(len(spec.activations) - 1, 1).bit_length()),
                "i_x": In(32),
                "o_read": Out(1),
                "o_column": Out(columns),
                "i_word": In(organisation.column_bits),
                "o_valid": Out(1),
                "o_y": Out(16),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec = self.spec
        m.submodules.narrow_x = narrow_x = FpConvert(("bf16",), latency=0)
        m.submodules.narrow_y = narrow_y = FpConvert(("bf16",), latency=0)
        m.submodules.line = line = FpLane(("bf16",), ("bf16",), latency=1)
        m.d.comb += [narrow_x.x.eq(self.i_x), narrow_y.x.eq(line.o)]

        # the piece: floor((x + limit) scale), x held within the range
        x = Signal(16, name="x")
        m.d.comb += x.eq(narrow_x.o)
        sign, exponent, fraction = x[15], x[7:15], x[:7]
        nan = exponent.all() & fraction.any()
        beyond = Signal(name="beyond")
        m.d.comb += beyond.eq((exponent >= 127 + self.limit_bits) & ~nan)
        # |x| scale = significand / 2**down, below half the pieces
        top = 127 + 7 - self.scale_bits
        down = Signal(4, name="down")
        m.d.comb += down.eq(Mux(exponent + 9 < top, 9, top - exponent))
        significand = Cat(fraction, exponent.any())
        whole = Signal(9, name="whole")
        partial = Signal(name="partial")
        m.d.comb += [whole.eq(significand >> down), partial.eq((significand & ((1 << down) - 1)).any())]
        half = self.segments // 2
        piece = Signal(range(self.segments), name="piece")
        m.d.comb += piece.eq(
            Mux(
                nan, half, Mux(beyond, Mux(sign, 0, self.segments - 1), Mux(sign, half - whole - partial, half + whole))
            )
        )
        kinds = [a.kind for a in spec.activations]
        is_table = Cat(*(C(kind == "table", 1) for kind in kinds)).bit_select(self.i_mode, 1)
        held = Cat(C(0, 7), C(127 + self.limit_bits, 8), sign)
        m.d.comb += [self.o_read.eq(self.i_valid & is_table), self.o_column.eq(piece[3:])]

        # one cycle later the column is there
        reading = Signal(name="reading")
        done = Signal(name="done")
        operand = Signal(16, name="operand")
        inside = Signal(3, name="inside")
        mode = Signal.like(self.i_mode, name="mode")
        was_nan = Signal(name="was_nan")
        m.d.sync += [reading.eq(self.i_valid), done.eq(reading)]
        with m.If(self.i_valid):
            m.d.sync += [
                operand.eq(Mux(beyond & is_table, held, x)),
                inside.eq(piece[:3]),
                mode.eq(self.i_mode),
                was_nan.eq(nan),
            ]
        pair = self.i_word.word_select(inside, 32)
        one = bf16_code(1.0)
        slope = Signal(16, name="slope")
        offset = Signal(16, name="offset")
        with m.Switch(mode):
            for index, activation in enumerate(spec.activations):
                with m.Case(index):
                    if activation.kind == "table":
                        m.d.comb += [slope.eq(pair[:16]), offset.eq(pair[16:])]
                    else:
                        # x times one of two slopes; the offset takes the product's sign so that zeros keep theirs
                        negative = operand[15] & operand[:15].any()
                        m.d.comb += [
                            slope.eq(Mux(negative, bf16_code(activation.slope), one)),
                            offset.eq(operand & 0x8000),
                        ]
        m.d.comb += [line.a.eq(operand), line.b.eq(slope), line.c.eq(Cat(C(0, 16), offset))]
        # ReLU of a negative value is +0, also where the value is infinite
        cleared = Signal(name="cleared")
        lost = Signal(name="lost")
        relu = Cat(*(C(kind == "relu", 1) for kind in kinds)).bit_select(mode, 1)
        m.d.sync += [cleared.eq(relu & operand[15] & operand[:15].any() & ~was_nan), lost.eq(was_nan)]
        result = narrow_y.o
        m.d.comb += [
            self.o_valid.eq(done),
            self.o_y.eq(Mux(cleared, 0, Mux(lost | ((result & 0x7FFF) > 0x7F80), _NAN, result))),
        ]
        return m
