"""One lane of the vector unit: a multiplier, an adder, an order and a function between FP32 numbers."""

from amaranth.hdl import *
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.arithmetic.fp32 import Fp32Multiply, order_key
from hw.rtl.arithmetic.fp_add import FpAdd
from hw.rtl.npu.vector_unit.function import EXP2, RECIPROCAL, ROOT, Function


class UnitCode(enum.Enum, shape=4):
    """What a micro-operation does, as `hw.spec.vector_micro.Unit`."""

    MOVE = 0
    MULTIPLY = 1
    ADD = 2
    MAXIMUM = 3
    EXP2 = 4
    RECIPROCAL = 5
    ROOT = 6
    SELECT = 7
    STORE = 8
    STORE_INDEX = 9
    TURN_IN = 10
    TURN_OUT = 11


class Lane(wiring.Component):
    """o = unit(x, y), combinational: one micro-operation of one lane.

    Members
    -------
    i_unit : In(UnitCode)
    x, y : In(32), FP32 codes; o : Out(32)
        x + y, x * y, the larger of x and y (x of equals), a function of x; x itself for other units.
    i_x_index, i_y_index : In(16), places of x and y for SELECT
    o_y_wins : Out(1), SELECT takes y: it is larger, or equal with a lower place
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "i_unit": In(UnitCode),
                "x": In(32),
                "y": In(32),
                "o": Out(32),
                "i_x_index": In(16),
                "i_y_index": In(16),
                "o_y_wins": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.multiply = multiply = Fp32Multiply()
        m.submodules.add = add = FpAdd("fp32", latency=0)
        m.submodules.function = function = Function()
        for unit in (multiply, add):
            m.d.comb += [unit.x.eq(self.x), unit.y.eq(self.y)]
        x_key, y_key = order_key(m, "x", self.x), order_key(m, "y", self.y)
        m.d.comb += [
            function.x.eq(self.x),
            function.i_select.eq(
                Mux(self.i_unit == UnitCode.EXP2, EXP2, Mux(self.i_unit == UnitCode.RECIPROCAL, RECIPROCAL, ROOT))
            ),
            self.o_y_wins.eq((y_key > x_key) | ((y_key == x_key) & (self.i_y_index < self.i_x_index))),
        ]
        with m.Switch(self.i_unit):
            with m.Case(UnitCode.MULTIPLY):
                m.d.comb += self.o.eq(multiply.o)
            with m.Case(UnitCode.ADD):
                m.d.comb += self.o.eq(add.o)
            with m.Case(UnitCode.MAXIMUM):
                m.d.comb += self.o.eq(Mux(y_key > x_key, self.y, self.x))
            with m.Case(UnitCode.EXP2, UnitCode.RECIPROCAL, UnitCode.ROOT):
                m.d.comb += self.o.eq(function.o)
            with m.Case(UnitCode.SELECT):
                m.d.comb += self.o.eq(Mux(self.o_y_wins, self.y, self.x))
            with m.Default():
                m.d.comb += self.o.eq(self.x)
        return m
