# pyright: reportAttributeAccessIssue=false
"""The blocks that are synthesised on their own, as small Amaranth components around the operators."""

# A component's members come from its signature at run time.
# pyright: reportAttributeAccessIssue=false

from amaranth.hdl import Module, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Adder(wiring.Component):
    """``sum = a + b`` modulo 2**width, combinational."""

    def __init__(self, width: int) -> None:
        super().__init__({"a": In(unsigned(width)), "b": In(unsigned(width)), "sum": Out(unsigned(width))})

    def elaborate(self, platform: object) -> Module:
        """The adder."""
        m = Module()
        m.d.comb += self.sum.eq(self.a + self.b)
        return m


class Multiplier(wiring.Component):
    """``product = a * b``, signed, full width, combinational."""

    def __init__(self, width: int) -> None:
        super().__init__({"a": In(signed(width)), "b": In(signed(width)), "product": Out(signed(2 * width))})

    def elaborate(self, platform: object) -> Module:
        """The multiplier."""
        m = Module()
        m.d.comb += self.product.eq(self.a * self.b)
        return m


class MacSlice(wiring.Component):
    """``result = a * weight + addend`` combinational: the arithmetic of one INT8 cell without its registers."""

    def __init__(self, width: int = 8, sum_width: int = 20) -> None:
        super().__init__(
            {
                "a": In(signed(width)),
                "weight": In(signed(width)),
                "addend": In(signed(sum_width)),
                "result": Out(signed(sum_width)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """The slice."""
        m = Module()
        m.d.comb += self.result.eq(self.a * self.weight + self.addend)
        return m


class Delay(wiring.Component):
    """`width` registers: one stage of the skew at the edges of an array."""

    def __init__(self, width: int) -> None:
        super().__init__({"i": In(unsigned(width)), "o": Out(unsigned(width))})

    def elaborate(self, platform: object) -> Module:
        """The registers."""
        m = Module()
        m.d.sync += self.o.eq(self.i)
        return m
