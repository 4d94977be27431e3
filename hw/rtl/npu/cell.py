"""One cell of the weight-stationary array."""

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.arithmetic.fp_form import OperandForm
from hw.rtl.arithmetic.fp_mac import FpMac
from hw.spec.mac_array import MacArraySpec
from hw.spec.number import number_format


def cell_signature(array: MacArraySpec) -> wiring.Signature:
    """Ports of a `Cell`."""
    activation, weight = operand_shapes(array)
    partial_sum = unsigned(32) if array.is_floating_point else signed(array.partial_sum_bits)
    return wiring.Signature(
        {
            "i_activation": In(activation),
            "i_swap": In(1),
            "i_load": In(1),
            "i_weight": In(weight),
            "i_partial_sum": In(partial_sum),
            "o_activation": Out(activation),
            "o_swap": Out(1),
            "o_load": Out(1),
            "o_weight": Out(weight),
            "o_partial_sum": Out(partial_sum),
        }
    )


class Cell(wiring.Component):
    """Multiply-accumulate cell with two weight registers, or one.

    `o_partial_sum` = `i_partial_sum` + `i_activation` * weight, `mac_latency` cycles later. The weight is
    the active one; with `i_swap` it is the shadow one, from this very cycle on. With `i_load` the shadow
    takes `i_weight` at the end of the cycle, so a swap in the same cycle still uses the old one. With one
    weight register (`weight_double_buffer` off) that one is loaded in the same way and swaps mean nothing.

    Integers: exact. A lane of two INT4 adds two products, low half times low half and high half times
    high half. Floating point: operands are in the bits of `OperandForm`, sums are FP32 codes, one rounding
    (`FpMac`); the cell does not know which format was decoded into the form.

    Members
    -------
    i_activation, o_activation : moves right one column per cycle; signed for one integer per lane
    i_swap, o_swap, i_load, o_load : 1, move right with it
    i_weight : shadow of the cell above; signed for one integer per lane
    o_weight : shadow of this cell
    i_partial_sum, o_partial_sum : signed for integers; moves down one row per `mac_latency` cycles
    """

    def __init__(self, array: MacArraySpec) -> None:
        self.spec = array
        super().__init__(cell_signature(array))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        active = Signal.like(self.i_weight, reset_less=True)
        shadow = Signal.like(self.i_weight, reset_less=True)
        weight = Signal.like(self.i_weight)

        if self.spec.weight_double_buffer:
            m.d.comb += [weight.eq(Mux(self.i_swap, shadow, active)), self.o_weight.eq(shadow)]
            with m.If(self.i_swap):
                m.d.sync += active.eq(shadow)
            with m.If(self.i_load):
                m.d.sync += shadow.eq(self.i_weight)
            m.d.sync += self.o_swap.eq(self.i_swap)
        else:
            m.d.comb += [weight.eq(active), self.o_weight.eq(active)]
            with m.If(self.i_load):
                m.d.sync += active.eq(self.i_weight)

        # Activation and its control bits move right
        activation = Signal.like(self.i_activation, reset_less=True)
        m.d.sync += [
            activation.eq(self.i_activation),
            self.o_load.eq(self.i_load),
        ]
        m.d.comb += self.o_activation.eq(activation)

        if self.spec.is_floating_point:
            self._multiply_add_float(m, weight)
        else:
            self._multiply_add_integer(m, weight)
        return m

    def _multiply_add_integer(self, m: Module, weight: Signal) -> None:
        """The sum moves down; deeper cells delay product and sum alike before the final addition."""
        product: Value = self.i_activation * weight
        if self.spec.terms_per_lane == 2:
            halves = [(v[:4].as_signed(), v[4:].as_signed()) for v in (self.i_activation, weight)]
            product = sum((a * w for a, w in zip(*halves, strict=True)), start=Const(0))
        above: Value = self.i_partial_sum
        for stage in range(self.spec.mac_latency - 1):
            late_product = Signal(product.shape(), reset_less=True, name=f"product_{stage}")
            late_above = Signal.like(self.i_partial_sum, reset_less=True, name=f"above_{stage}")
            m.d.sync += [late_product.eq(product), late_above.eq(above)]
            product, above = late_product, late_above
        partial_sum = Signal.like(self.o_partial_sum, reset_less=True)
        m.d.sync += partial_sum.eq(above + product)
        m.d.comb += self.o_partial_sum.eq(partial_sum)

    def _multiply_add_float(self, m: Module, weight: Signal) -> None:
        a_form, b_form = OperandForm([self.spec.activation_format]), OperandForm([self.spec.weight_format])
        m.submodules.mac = mac = FpMac(a_form, b_form, latency=self.spec.mac_latency)
        m.d.comb += [
            mac.a.eq(a_form(self.i_activation)),
            mac.b.eq(b_form(weight)),
            mac.c.eq(self.i_partial_sum),
            self.o_partial_sum.eq(mac.o),
        ]


def operand_shapes(array: MacArraySpec) -> tuple[Shape, Shape]:
    """Shapes of an activation and a weight inside the array: decoded form, INT4 pair or signed integer."""
    shapes = []
    for name in (array.activation_format, array.weight_format):
        if array.is_floating_point:
            shapes.append(unsigned(OperandForm([name]).size))
        elif array.terms_per_lane == 2:
            shapes.append(unsigned(8))
        else:
            shapes.append(signed(number_format(name).bits))
    return shapes[0], shapes[1]
