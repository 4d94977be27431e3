"""A descriptor before its commands: kept, completed by its pointer, checked."""

from abc import abstractmethod
from typing import Any

from amaranth.hdl import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.spec.hbm_pim_controller import HBM_GEMV_FIELDS, OPCODE_HBM_GEMV, REGISTERS
from hw.spec.memory_controller import (
    DESCRIPTOR_BITS,
    GEMV_FIELDS,
    OPCODE_GEMV,
    OPCODE_READ,
    OPCODE_WRITE,
    TRANSFER_FIELDS,
    ControllerSpec,
)

TRANSFER = data.StructLayout(TRANSFER_FIELDS)
GEMV = data.StructLayout(GEMV_FIELDS)
HBM_GEMV = data.StructLayout(HBM_GEMV_FIELDS)


class Look(wiring.Component):
    """Holds one descriptor. Its code is known in the cycle after `i_look`, its fields in the cycle after `i_take`.

    Parameters
    ----------
    spec : ControllerSpec
    opcode : int
        Of the product.
    layout : StructLayout
        Of its fields.

    Members
    -------
    i_take : In(1); i_word : In(DESCRIPTOR_BITS)
    i_look : In(1); i_pointer : In(16), the low bits of the word at the transfer's pointer
    o_transfer, o_gemv : Out, the fields of a transfer, of a product
    o_pointer : Out(16), word of the shared memory to look at
    o_address : Out(40), DRAM address of a transfer's first word
    o_destination : Out(16), the first word of the shared memory that is written
    o_code : Out(4), why it is refused, or 0
    """

    def __init__(self, spec: ControllerSpec, opcode: int, layout: data.StructLayout) -> None:
        self.spec, self.opcode = spec, opcode
        super().__init__(
            {
                "i_take": In(1),
                "i_word": In(DESCRIPTOR_BITS),
                "i_look": In(1),
                "i_pointer": In(16),
                "o_transfer": Out(TRANSFER),
                "o_gemv": Out(layout),
                "o_pointer": Out(16),
                "o_address": Out(40),
                "o_destination": Out(16),
                "o_code": Out(4),
            }
        )

    @abstractmethod
    def _product(self, gemv: Any) -> list[tuple[Value, int]]:
        """Why a product is refused: conditions and their codes, the first that holds counts."""

    def _destination(self, gemv: Any) -> Value:
        """The first word of the shared memory that a product writes."""
        return Const(0, 16)

    def _pointed(self, transfer: Any) -> Value:
        """What a pointer adds to the address."""
        banks = ceil_log2(self.spec.pim.dram.organisation.banks)
        return self.i_pointer[banks:] * transfer.scale + self.i_pointer[:banks]

    def _transfer(self, transfer: Any) -> list[tuple[Value, int]]:
        """The same for transfers."""
        spec = self.spec
        words = transfer.outer * transfer.groups * transfer.run
        last_word = (
            self.o_address
            + transfer.outer_stride * (transfer.outer - 1)[:8]
            + transfer.stride * (transfer.groups - 1)[:16]
            + (transfer.run - 1)[:8]
        )
        return [
            (words == 0, 2),
            (transfer.shared + words > spec.shared_words, 3),
            (transfer.indirect & (transfer.pointer >= spec.shared_words), 3),
            (last_word >= spec.words, 4),
        ]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word = Signal(DESCRIPTOR_BITS)
        transfer, gemv = self.o_transfer, self.o_gemv
        with m.If(self.i_take):
            m.d.sync += word.eq(self.i_word)
        m.d.comb += [Value.cast(transfer).eq(word), Value.cast(gemv).eq(word), self.o_pointer.eq(transfer.pointer)]
        with m.If(self.i_look):
            m.d.sync += self.o_address.eq(transfer.address + Mux(transfer.indirect, self._pointed(transfer), 0))
        moves, multiplies = Signal(), Signal()
        m.d.comb += [
            moves.eq((transfer.opcode == OPCODE_READ) | (transfer.opcode == OPCODE_WRITE)),
            multiplies.eq(gemv.opcode == self.opcode),
            self.o_destination.eq(Mux(moves, transfer.shared, self._destination(gemv))),
        ]
        causes = [(~moves & ~multiplies, 1)]
        causes += [(moves & condition, code) for condition, code in self._transfer(transfer)]
        causes += [(multiplies & condition, code) for condition, code in self._product(gemv)]
        code: Value = Const(0, 4)
        for condition, number in reversed(causes):
            code = Mux(condition, number, code)
        m.d.comb += self.o_code.eq(code)
        return m


class AimLook(Look):
    """Of an AiM channel; see `Look`."""

    def __init__(self, spec: ControllerSpec) -> None:
        super().__init__(spec, OPCODE_GEMV, GEMV)

    def _destination(self, gemv: Any) -> Value:
        return gemv.destination

    def _product(self, gemv: Any) -> list[tuple[Value, int]]:
        spec = self.spec
        accumulators = spec.pim.register("MAC").entries
        columns = min(spec.pim.register("GB").entries, spec.pim.dram.organisation.columns)
        last_column = gemv.column + (gemv.copies - 1)[:8] * gemv.pitch + gemv.columns
        left = (spec.rows - gemv.row)[:16]  # rows from the first on
        beyond = (gemv.row >= spec.rows) | Mux(
            gemv.row_step <= 1, gemv.outputs > gemv.copies * left, gemv.row_step * (gemv.outputs - 1)[:8] >= left
        )
        asked = gemv.load | gemv.clear | gemv.multiply | gemv.read
        return [
            ((gemv.columns == 0) | (gemv.outputs == 0) | (gemv.copies == 0) | ~asked, 2),
            (gemv.load & (gemv.source + gemv.columns > spec.shared_words), 3),
            (gemv.read & (gemv.destination + gemv.outputs > spec.shared_words), 3),
            (gemv.multiply & beyond, 4),
            ((gemv.outputs > accumulators) | (last_column > columns), 5),
        ]


class HbmLook(Look):
    """Of an HBM-PIM channel; see `Look`."""

    def __init__(self, spec: ControllerSpec) -> None:
        super().__init__(spec, OPCODE_HBM_GEMV, HBM_GEMV)

    def _pointed(self, transfer: Any) -> Value:
        return self.i_pointer * transfer.scale

    def _product(self, gemv: Any) -> list[tuple[Value, int]]:
        spec = self.spec
        tiles = (gemv.words + (REGISTERS - 1))[3:]
        per_row = spec.pim.dram.organisation.columns // REGISTERS
        return [
            ((gemv.words == 0) | (gemv.passes == 0), 2),
            (gemv.source + gemv.words > spec.shared_words, 3),
            (gemv.row + 2 * tiles * gemv.passes > spec.rows, 4),
            (gemv.results + (gemv.passes + (per_row - 1))[ceil_log2(per_row) :] > spec.rows, 4),
            ((gemv.first != 0) & (gemv.first + gemv.words > REGISTERS), 5),
            (gemv.row[0], 5),
        ]
