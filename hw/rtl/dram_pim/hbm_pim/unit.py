"""The unit of an HBM-PIM bank pair: 16 lanes of FP16, vector and scalar registers."""

from amaranth.hdl import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.arithmetic.fp_add import FpAdd
from hw.rtl.arithmetic.fp_mul import FpMul
from hw.rtl.common.register_file import RegisterFile
from hw.rtl.dram_pim.decode import operations_layout
from hw.spec.pim import PimSpec

LATENCY = 4
"""Cycles from a column command to its result in a register or at a bank: one column spacing (tCCD_L)."""

PLACES = ("destination", "source_0", "source_1", "source_2")
"""Fields of an instruction that name an operand."""

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


class _State:
    """Registers of a unit, and the step of a trigger that is added and then written."""

    def __init__(self, spec: PimSpec, bits: int) -> None:
        self.scalars = Signal(bits)
        self.adder_out = Signal(bits)
        self.multiplier_out = Signal(bits)
        self.a, self.b, self.c = (Signal(bits, name=name) for name in "abc")
        self.held = Signal(execute_layout(spec), name="step")
        self.adding = Signal()
        self.writing = Signal()
        self.first = Signal(bits)
        self.second = Signal(bits)


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
        at = _State(self.spec, self.bits)
        files = self._files(m)
        stored = self._fetch(m, files, at)
        self._calculate(m, stored, at)
        result = self._result(m, at)
        self._write(m, files, result, at)
        return m

    def _files(self, m: Module) -> dict[str, RegisterFile]:
        """The vector registers, read for every operand and for a store."""
        e, files = self.i_execute, {}
        for name in ("GRF_A", "GRF_B"):
            file = self.spec.register(name)
            files[name] = RegisterFile(file.entries, file.bits, len(PLACES) + 1)
            m.submodules[name.lower()] = files[name]
            for n, place in enumerate([*PLACES, "store"]):
                index = e.column if place == "store" else e[f"{place}_index"]
                m.d.comb += getattr(files[name], f"i_address_{n}").eq(index)
        return files

    def _word(self, m: Module, files: dict[str, RegisterFile], at: _State, n: int, place: str) -> Signal:
        """The word that the operand at `place`, number `n` of `PLACES`, names."""
        e, lanes = self.i_execute, self.spec.lanes
        plain = {"A_OUT": at.adder_out, "M_OUT": at.multiplier_out, "EVEN_BANK": self.i_even, "ODD_BANK": self.i_odd}
        value = Signal(self.bits, name=f"{place}_word")
        with m.Switch(e[f"{place}_kind"]):
            for kind, code in self.spec.commands.operands.items():
                with m.Case(code):
                    if kind in files:
                        m.d.comb += value.eq(getattr(files[kind], f"o_data_{n}"))
                    elif kind.startswith("SRF"):
                        scalar = at.scalars.word_select(
                            Cat(e[f"{place}_index"], C(kind == "SRF_A", 1)), self.bits // lanes
                        )
                        m.d.comb += value.eq(scalar.replicate(lanes))
                    else:
                        m.d.comb += value.eq(plain[kind])
        return value

    def _fetch(self, m: Module, files: dict[str, RegisterFile], at: _State) -> Value:
        """Operands; the word a store writes."""
        op = self.i_execute.operations
        words = {place: self._word(m, files, at, n, place) for n, place in enumerate(PLACES)}
        m.d.comb += [
            at.a.eq(Mux(op.fetch_source_0, words["source_0"], 0)),
            at.b.eq(Mux(op.fetch_source_1, words["source_1"], 0)),
            at.c.eq(Mux(op.fetch_destination, words["destination"], Mux(op.fetch_source_2, words["source_2"], 0))),
        ]
        return Mux(self.i_execute.odd, files["GRF_B"].o_data_4, files["GRF_A"].o_data_4)

    def _calculate(self, m: Module, stored: Value, at: _State) -> None:
        """Multiply; a cycle later add."""
        e, op, now, lanes = self.i_execute, self.i_execute.operations, at.held.operations, self.spec.lanes
        lane_bits = self.bits // lanes
        product = Signal(self.bits)
        total = Signal(self.bits)
        m.d.sync += [at.adding.eq(self.i_valid), at.writing.eq(at.adding)]
        with m.If(self.i_valid):
            m.d.sync += [
                at.held.eq(e),
                at.first.eq(Mux(op.store_register, stored, at.a)),
                at.second.eq(Mux(op.add_product, at.c, at.b)),
            ]
        for lane in range(lanes):
            multiply, add = FpMul(self.spec.number, latency=0), FpAdd(self.spec.number, latency=0)
            m.submodules[f"multiply_{lane}"], m.submodules[f"add_{lane}"] = multiply, add
            m.d.comb += [
                multiply.x.eq(at.a.word_select(lane, lane_bits)),
                multiply.y.eq(at.b.word_select(lane, lane_bits)),
                product.word_select(lane, lane_bits).eq(multiply.o),
                add.x.eq(Mux(now.add_product, at.multiplier_out, at.first).word_select(lane, lane_bits)),
                add.y.eq(at.second.word_select(lane, lane_bits)),
                total.word_select(lane, lane_bits).eq(add.o),
            ]
        with m.If(self.i_valid & op.multiply):
            m.d.sync += at.multiplier_out.eq(product)
        with m.If(at.adding & (now.add_sources | now.add_product)):
            m.d.sync += at.adder_out.eq(total)

    def _result(self, m: Module, at: _State) -> Signal:
        """What is written: product, source (rectified), stored register or sum."""
        now, lanes = at.held.operations, self.spec.lanes
        lane_bits = self.bits // lanes
        words = [at.first.word_select(lane, lane_bits) for lane in range(lanes)]
        rectified = Cat(*(Mux(word[-1], 0, word) for word in words))
        result = Signal(self.bits)
        m.d.comb += result.eq(
            Mux(
                now.take_product,
                at.multiplier_out,
                Mux(
                    now.take_source,
                    Mux(now.rectify & at.held.relu, rectified, at.first),
                    Mux(now.store_register, at.first, at.adder_out),
                ),
            )
        )
        return result

    def _write(self, m: Module, files: dict[str, RegisterFile], result: Signal, at: _State) -> None:
        """The result to a bank or register; registers that the host loads."""
        held, now, kinds = at.held, at.held.operations, self.spec.commands.operands
        kind = held.destination_kind
        write = at.writing & now.write_destination
        store = at.writing & now.store_register & held.store
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
            m.d.sync += at.scalars.eq(self.i_data)
        with m.Elif(write & ((kind == kinds["SRF_M"]) | (kind == kinds["SRF_A"]))):
            m.d.sync += at.scalars.eq(result)
        with m.If(write & (kind == kinds["A_OUT"])):
            m.d.sync += at.adder_out.eq(result)
        with m.If(write & (kind == kinds["M_OUT"])):
            m.d.sync += at.multiplier_out.eq(result)
