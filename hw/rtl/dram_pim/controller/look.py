"""A descriptor before its commands: kept, completed by its pointer, checked."""

from amaranth.hdl import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

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


class Look(wiring.Component):
    """Holds one descriptor. Its code is known in the cycle after `i_look`, its fields in the cycle after `i_take`.

    Members
    -------
    i_take : In(1); i_word : In(DESCRIPTOR_BITS)
    i_look : In(1); i_pointer : In(16), the low bits of the word at the transfer's pointer
    o_transfer, o_gemv : Out, the fields of a transfer, of a GEMV
    o_address : Out(40), DRAM address of a transfer's first word
    o_destination : Out(16), the first word of the shared memory that is written
    o_code : Out(4), why it is refused, or 0
    """

    def __init__(self, spec: ControllerSpec) -> None:
        self.spec = spec
        super().__init__(
            {
                "i_take": In(1),
                "i_word": In(DESCRIPTOR_BITS),
                "i_look": In(1),
                "i_pointer": In(16),
                "o_transfer": Out(TRANSFER),
                "o_gemv": Out(GEMV),
                "o_address": Out(40),
                "o_destination": Out(16),
                "o_code": Out(4),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec = self.spec
        organisation = spec.pim.dram.organisation
        word = Signal(DESCRIPTOR_BITS)
        transfer, gemv = self.o_transfer, self.o_gemv
        banks = ceil_log2(organisation.banks)
        with m.If(self.i_take):
            m.d.sync += word.eq(self.i_word)
        m.d.comb += [Value.cast(transfer).eq(word), Value.cast(gemv).eq(word)]
        with m.If(self.i_look):
            m.d.sync += self.o_address.eq(
                transfer.address
                + Mux(transfer.indirect, self.i_pointer[banks:] * transfer.scale + self.i_pointer[:banks], 0)
            )

        moves = Signal()
        multiplies = Signal()
        m.d.comb += [
            moves.eq((transfer.opcode == OPCODE_READ) | (transfer.opcode == OPCODE_WRITE)),
            multiplies.eq(gemv.opcode == OPCODE_GEMV),
            self.o_destination.eq(Mux(moves, transfer.shared, gemv.destination)),
        ]
        words = transfer.outer * transfer.groups * transfer.run
        last_word = (
            self.o_address
            + transfer.outer_stride * (transfer.outer - 1)[:8]
            + transfer.stride * (transfer.groups - 1)[:16]
            + (transfer.run - 1)[:8]
        )
        accumulators = spec.pim.register("MAC").entries
        columns = min(spec.pim.register("GB").entries, organisation.columns)
        last_column = gemv.column + (gemv.copies - 1)[:8] * gemv.pitch + gemv.columns
        left = (spec.rows - gemv.row)[:16]  # rows from the first on
        causes = [
            (~moves & ~multiplies, 1),
            (moves & (words == 0), 2),
            (
                multiplies
                & (
                    (gemv.columns == 0)
                    | (gemv.outputs == 0)
                    | (gemv.copies == 0)
                    | ~(gemv.load | gemv.clear | gemv.multiply | gemv.read)
                ),
                2,
            ),
            (moves & (transfer.shared + words > spec.shared_words), 3),
            (moves & transfer.indirect & (transfer.pointer >= spec.shared_words), 3),
            (multiplies & gemv.load & (gemv.source + gemv.columns > spec.shared_words), 3),
            (multiplies & gemv.read & (gemv.destination + gemv.outputs > spec.shared_words), 3),
            (moves & (last_word >= spec.words), 4),
            (
                multiplies
                & gemv.multiply
                & (
                    (gemv.row >= spec.rows)
                    | Mux(
                        gemv.row_step <= 1,
                        gemv.outputs > gemv.copies * left,
                        gemv.row_step * (gemv.outputs - 1)[:8] >= left,
                    )
                ),
                4,
            ),
            (multiplies & ((gemv.outputs > accumulators) | (last_column > columns)), 5),
        ]
        code: Value = Const(0, 4)
        for condition, number in reversed(causes):
            code = Mux(condition, number, code)
        m.d.comb += self.o_code.eq(code)
        assert ceil_log2(organisation.rows) <= 16, "rows must fit the descriptor"
        return m
