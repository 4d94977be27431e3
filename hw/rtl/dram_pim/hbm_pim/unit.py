"""The unit of an HBM-PIM bank pair: 16 lanes of FP16, vector and scalar registers."""

from amaranth.hdl import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.arithmetic.fp_add import FpAdd
from hw.rtl.arithmetic.fp_mul import FpMul
from hw.rtl.common.register_file import RegisterFile
from hw.rtl.dram_pim.hbm_pim.decode import PLACES, operations_layout
from hw.spec.pim import PimSpec

LATENCY = 4
"""Cycles from a column command to its result in a register or at a bank: one column spacing (tCCD_L)."""

KIND_BITS = 3
INDEX_BITS = 3


def execute_layout(spec: PimSpec) -> data.StructLayout:
    """What all units are told in the cycle after a trigger: micro-operations, and kind and index of each operand.

    "relu": the instruction's bit. "store": the trigger is a write. "odd": it addresses the odd bank.
    """
    return data.StructLayout(
        {
            "operations": operations_layout(spec.commands),
            "relu": 1,
            "store": 1,
            "odd": 1,
            "column": INDEX_BITS,
            **{f"{place}_kind": KIND_BITS for place in PLACES},
            **{f"{place}_index": INDEX_BITS for place in PLACES},
        }
    )


class PimUnit(wiring.Component):
    """Multiply and add with a rounding each, in three cycles after the trigger: fetch and multiply, add, write.

    Members
    -------
    i_execute : In(execute_layout); i_valid : In(1)
        The cycle after a trigger; the banks show the column read.
    i_even, i_odd : In(column bits)
        Columns of the two banks.
    i_write_a, i_write_b, i_write_s : In(1); i_entry, i_data : In
        Register writes of the all-bank modes.
    i_clear : In(1)
        The accumulating registers become zero.
    o_write_even, o_write_odd : Out(1); o_data : Out(column bits)
        The addressed column of a bank becomes `o_data`.
    """

    def __init__(self, spec: PimSpec) -> None:
        self.spec = spec
        self.bits = spec.dram.organisation.column_bits
        super().__init__(
            {
                "i_execute": In(execute_layout(spec)),
                "i_valid": In(1),
                "i_even": In(self.bits),
                "i_odd": In(self.bits),
                "i_write_a": In(1),
                "i_write_b": In(1),
                "i_write_s": In(1),
                "i_entry": In(INDEX_BITS),
                "i_data": In(self.bits),
                "i_clear": In(1),
                "o_write_even": Out(1),
                "o_write_odd": Out(1),
                "o_data": Out(self.bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec, bits, lanes = self.spec, self.bits, self.spec.lanes
        lane_bits = bits // lanes
        kinds = spec.commands.operands
        e, op = self.i_execute, self.i_execute.operations
        reads = [*PLACES, "store"]
        files = {}
        for name in ("GRF_A", "GRF_B"):
            file = spec.register(name)
            files[name] = RegisterFile(file.entries, file.bits, len(reads))
            m.submodules[name.lower()] = files[name]
            for n, place in enumerate(reads):
                index = e.column if place == "store" else e[f"{place}_index"]
                m.d.comb += getattr(files[name], f"i_address_{n}").eq(index)
        scalars = Signal(bits)
        adder_out = Signal(bits)
        multiplier_out = Signal(bits)

        # fetch
        def word(n: int, place: str) -> Signal:
            value = Signal(bits, name=f"{place}_word")
            with m.Switch(e[f"{place}_kind"]):
                for kind, code in kinds.items():
                    with m.Case(code):
                        if kind in files:
                            m.d.comb += value.eq(getattr(files[kind], f"o_data_{n}"))
                        elif kind.startswith("SRF"):
                            scalar = scalars.word_select(Cat(e[f"{place}_index"], C(kind == "SRF_A", 1)), lane_bits)
                            m.d.comb += value.eq(scalar.replicate(lanes))
                        else:
                            m.d.comb += value.eq(
                                {
                                    "A_OUT": adder_out,
                                    "M_OUT": multiplier_out,
                                    "EVEN_BANK": self.i_even,
                                    "ODD_BANK": self.i_odd,
                                }[kind]
                            )
            return value

        words = {place: word(n, place) for n, place in enumerate(PLACES)}
        a = Signal(bits)
        b = Signal(bits)
        c = Signal(bits)
        m.d.comb += [
            a.eq(Mux(op.fetch_source_0, words["source_0"], 0)),
            b.eq(Mux(op.fetch_source_1, words["source_1"], 0)),
            c.eq(Mux(op.fetch_destination, words["destination"], Mux(op.fetch_source_2, words["source_2"], 0))),
        ]
        stored = Mux(e.odd, files["GRF_B"].o_data_4, files["GRF_A"].o_data_4)

        # multiply; then add; then write
        held = Signal(execute_layout(spec), name="step")
        now = held.operations
        adding = Signal()
        writing = Signal()
        first = Signal(bits)
        second = Signal(bits)
        product = Signal(bits)
        total = Signal(bits)
        m.d.sync += [adding.eq(self.i_valid), writing.eq(adding)]
        with m.If(self.i_valid):
            m.d.sync += [
                held.eq(e),
                first.eq(Mux(op.store_register, stored, a)),
                second.eq(Mux(op.add_product, c, b)),
            ]
        for lane in range(lanes):
            multiply, add = FpMul(spec.number, latency=0), FpAdd(spec.number, latency=0)
            m.submodules[f"multiply_{lane}"], m.submodules[f"add_{lane}"] = multiply, add
            m.d.comb += [
                multiply.x.eq(a.word_select(lane, lane_bits)),
                multiply.y.eq(b.word_select(lane, lane_bits)),
                product.word_select(lane, lane_bits).eq(multiply.o),
                add.x.eq(Mux(now.add_product, multiplier_out, first).word_select(lane, lane_bits)),
                add.y.eq(second.word_select(lane, lane_bits)),
                total.word_select(lane, lane_bits).eq(add.o),
            ]
        with m.If(self.i_valid & op.multiply):
            m.d.sync += multiplier_out.eq(product)
        with m.If(adding & (now.add_sources | now.add_product)):
            m.d.sync += adder_out.eq(total)

        rectified = Cat(
            *(
                Mux(first.word_select(lane, lane_bits)[-1], 0, first.word_select(lane, lane_bits))
                for lane in range(lanes)
            )
        )
        result = Signal(bits)
        m.d.comb += result.eq(
            Mux(
                now.take_product,
                multiplier_out,
                Mux(
                    now.take_source,
                    Mux(now.rectify & held.relu, rectified, first),
                    Mux(now.store_register, first, adder_out),
                ),
            )
        )
        kind = held.destination_kind
        write = writing & now.write_destination
        store = writing & now.store_register & held.store
        m.d.comb += [
            self.o_data.eq(result),
            self.o_write_even.eq((write & (kind == kinds["EVEN_BANK"])) | (store & ~held.odd)),
            self.o_write_odd.eq((write & (kind == kinds["ODD_BANK"])) | (store & held.odd)),
        ]
        for name, load in (("GRF_A", self.i_write_a), ("GRF_B", self.i_write_b)):
            file = files[name]
            m.d.comb += [
                file.i_write.eq(load | (write & (kind == kinds[name]))),
                file.i_address.eq(Mux(load, self.i_entry, held.destination_index)),
                file.i_data.eq(Mux(load, self.i_data, result)),
            ]
        m.d.comb += files["GRF_B"].i_clear.eq(self.i_clear)
        with m.If(self.i_write_s):
            m.d.sync += scalars.eq(self.i_data)
        with m.Elif(write & ((kind == kinds["SRF_M"]) | (kind == kinds["SRF_A"]))):
            m.d.sync += scalars.eq(result)
        with m.If(write & (kind == kinds["A_OUT"])):
            m.d.sync += adder_out.eq(result)
        with m.If(write & (kind == kinds["M_OUT"])):
            m.d.sync += multiplier_out.eq(result)
        return m
