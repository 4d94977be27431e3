"""One cell of the weight-stationary array."""

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.spec.error import InputError
from hw.spec.mac_array import MacArraySpec
from hw.spec.number import number_format


class Cell(wiring.Component):
    """Multiply-accumulate cell with two weight registers; integers.

    `o_partial_sum` = `i_partial_sum` + `i_activation` * weight, `mac_latency` cycles later. The weight is
    the active one; with `i_swap` it is the shadow one, from this very cycle on. With `i_load` the shadow
    takes `i_weight` at the end of the cycle, so a swap in the same cycle still uses the old one.

    Members
    -------
    i_activation, o_activation : signed, moves right one column per cycle
    i_swap, o_swap, i_load, o_load : 1, move right with it
    i_weight : signed, shadow of the cell above
    o_weight : signed, shadow of this cell
    i_partial_sum, o_partial_sum : signed, moves down one row per `mac_latency` cycles
    """

    def __init__(self, array: MacArraySpec) -> None:
        activation, weight = number_format(array.activation_format), number_format(array.weight_format)
        if not (activation.is_integer and weight.is_integer):
            raise InputError(
                f"the integer cell needs integer formats, not {activation.name} and {weight.name}; "
                "choose int8 or int4")
        self.spec = array
        super().__init__({
            "i_activation": In(signed(activation.bits)),
            "i_swap": In(1),
            "i_load": In(1),
            "i_weight": In(signed(weight.bits)),
            "i_partial_sum": In(signed(array.partial_sum_bits)),
            "o_activation": Out(signed(activation.bits)),
            "o_swap": Out(1),
            "o_load": Out(1),
            "o_weight": Out(signed(weight.bits)),
            "o_partial_sum": Out(signed(array.partial_sum_bits)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        active = Signal.like(self.i_weight, reset_less=True)
        shadow = Signal.like(self.i_weight, reset_less=True)
        weight = Signal.like(self.i_weight)

        # Two weight registers
        m.d.comb += [weight.eq(Mux(self.i_swap, shadow, active)), self.o_weight.eq(shadow)]
        with m.If(self.i_swap):
            m.d.sync += active.eq(shadow)
        with m.If(self.i_load):
            m.d.sync += shadow.eq(self.i_weight)

        # Activation and its control bits move right
        activation = Signal.like(self.i_activation, reset_less=True)
        m.d.sync += [
            activation.eq(self.i_activation),
            self.o_swap.eq(self.i_swap),
            self.o_load.eq(self.i_load),
        ]
        m.d.comb += self.o_activation.eq(activation)

        # The sum moves down; deeper cells delay product and sum alike before the final addition
        product, above = self.i_activation * weight, self.i_partial_sum
        for stage in range(self.spec.mac_latency - 1):
            late_product = Signal(product.shape(), reset_less=True, name=f"product_{stage}")
            late_above = Signal.like(self.i_partial_sum, reset_less=True, name=f"above_{stage}")
            m.d.sync += [late_product.eq(product), late_above.eq(above)]
            product, above = late_product, late_above
        partial_sum = Signal.like(self.o_partial_sum, reset_less=True)
        m.d.sync += partial_sum.eq(above + product)
        m.d.comb += self.o_partial_sum.eq(partial_sum)
        return m
