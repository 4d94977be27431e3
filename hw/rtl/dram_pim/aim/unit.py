"""The unit beside a GDDR6-AiM bank: 16 BF16 multipliers, adder tree, FP32 accumulators, activation."""

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.base.error import InputError
from hw.rtl.arithmetic.fp_convert import FpConvert
from hw.rtl.arithmetic.fp_dot import FRACTION_BITS, FpDot
from hw.rtl.common.register_file import RegisterFile
from hw.rtl.dram_pim.aim.activation import AimActivation
from hw.spec.pim import PimSpec


class AimUnit(wiring.Component):
    """One sum of 16 products and an accumulator at a time, aligned once, rounded once to FP32.

    The accumulator is FP32 and the tree keeps `spec.align_bits` bits below the largest exponent: the vendor's widths
    are unpublished; these lose less than 2**-22 of the largest term, below half a place of the BF16 that is read.

    Parameters
    ----------
    spec : PimSpec
    latency : 0 or 1
        Registers inside the tree. A sum is in its accumulator `latency` + 2 cycles after the command of its MAC, so
        MACs into one accumulator must be `latency` + 1 cycles apart.

    Members
    -------
    i_mac : In(1)
        The cycle after a MAC: `i_bank` is the bank's column, `i_buffer` the global buffer's word.
    i_activate : In(1)
        The cycle after AF16; `o_table`, `o_column` ask for a column of the open row, on `i_bank` a cycle later.
    i_accumulator : In(5), the accumulator both work on
    i_mode : In, index of the activation
    i_load : In(1); i_index : In(5); i_data : In(16)
        Accumulator = BF16 word, now. `i_index` also addresses the reads.
    o_accumulator, o_activated : Out(16)
        BF16 of the accumulator, and the activation register, at `i_index`.
    """

    def __init__(self, spec: PimSpec, *, latency: int = 1) -> None:
        if spec.align_bits != FRACTION_BITS or spec.accumulator != "fp32" or spec.number != "bf16":
            raise InputError(
                f"the tree of {spec.title} must keep {FRACTION_BITS} bits and add BF16 products in FP32, "
                f"not {spec.align_bits}, {spec.number} and {spec.accumulator}"
            )
        self.spec = spec
        self.dot = FpDot(lanes=spec.lanes, name=spec.number, latency=latency)
        self.activation = AimActivation(spec)
        self.accumulators = RegisterFile(spec.register("MAC").entries, 32, 2)
        self.activated = RegisterFile(spec.register("AF").entries, 16, 1)
        bits = spec.dram.organisation.column_bits
        super().__init__(
            {
                "i_mac": In(1),
                "i_activate": In(1),
                "i_accumulator": In(5),
                "i_mode": In(self.activation.i_mode.shape()),
                "i_bank": In(bits),
                "i_buffer": In(bits),
                "i_load": In(1),
                "i_index": In(5),
                "i_data": In(16),
                "o_table": Out(1),
                "o_column": Out(self.activation.o_column.shape()),
                "o_accumulator": Out(16),
                "o_activated": Out(16),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.dot, m.submodules.activation = dot, activation = self.dot, self.activation
        m.submodules.accumulators, m.submodules.activated = accumulators, activated = self.accumulators, self.activated
        m.submodules.narrow = narrow = FpConvert(("bf16",), latency=0)
        added: Value = self.i_mac
        place: Value = self.i_accumulator
        if self.dot.latency:
            added, place = Signal(name="added"), Signal(5, name="place")
            m.d.sync += added.eq(self.i_mac)
            with m.If(self.i_mac):
                m.d.sync += place.eq(self.i_accumulator)
        m.d.comb += [
            accumulators.i_address_0.eq(self.i_accumulator),
            accumulators.i_address_1.eq(self.i_index),
            # operands only in the cycle of a MAC: the tree is quiet otherwise
            dot.a.eq(Mux(self.i_mac, self.i_buffer, 0)),
            dot.b.eq(Mux(self.i_mac, self.i_bank, 0)),
            dot.c.eq(Mux(self.i_mac, accumulators.o_data_0, 0)),
            accumulators.i_write.eq(added | self.i_load),
            accumulators.i_address.eq(Mux(self.i_load, self.i_index, place)),
            accumulators.i_data.eq(Mux(self.i_load, Cat(C(0, 16), self.i_data), dot.o)),
            narrow.x.eq(accumulators.o_data_1),
            self.o_accumulator.eq(narrow.o),
        ]
        # the activation register is written two cycles later
        delayed: list[Signal] = []
        value: Value = self.i_accumulator
        for i in range(2):
            later = Signal(5, name=f"activation_place_{i}")
            m.d.sync += later.eq(value)
            delayed.append(later)
            value = later
        m.d.comb += [
            activation.i_valid.eq(self.i_activate),
            activation.i_mode.eq(self.i_mode),
            activation.i_x.eq(accumulators.o_data_0),
            activation.i_word.eq(self.i_bank),
            self.o_table.eq(activation.o_read),
            self.o_column.eq(activation.o_column),
            activated.i_write.eq(activation.o_valid),
            activated.i_address.eq(delayed[-1]),
            activated.i_data.eq(activation.o_y),
            activated.i_address_0.eq(self.i_index),
            self.o_activated.eq(activated.o_data_0),
        ]
        return m
