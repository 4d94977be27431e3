"""The loops of a descriptor: which command is needed next, with which addresses."""

from collections.abc import Mapping

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.rtl.dram_pim.bank_array import column_bits, row_bits
from hw.rtl.dram_pim.controller.descriptor import GEMV, TRANSFER
from hw.spec.memory_controller import (
    CONTROLLER_LABELS,
    OPCODE_GEMV,
    TRANSFER_FIELDS,
    ControllerSpec,
    Phase,
    in_register_mode,
)

LEVELS = 3
"""Loops of a phase at most."""


class Loops(wiring.Component):
    """Walks through the phases that a descriptor asks for; phases that it does not ask for take no cycle.

    Members
    -------
    i_start : In(1), the fields are those of a new descriptor; its first command is shown from the next cycle on
    i_transfer, i_gemv : In, its fields; i_address : In(40), DRAM address of a transfer's first word
    i_advance : In(1), the command shown is issued in this cycle
    o_last : Out(1), it is the descriptor's last
    o_command, o_bank, o_row, o_column, o_accumulator : Out, the command needed
    o_shared : Out(16), the word of the shared memory that it carries
    o_label : Out, index of its label
    o_register_mode : Out(1), it needs the register mode
    o_rows : Out(1), the row must be open before it; o_wide : Out(1), in every bank
    o_brings : Out(1), a read of it brings a word: always; o_holds : Out(1), a due refresh waits: never
    """

    def __init__(self, spec: ControllerSpec, phases: Mapping[int, tuple[Phase, ...]]) -> None:
        self.spec, self.phases = spec, phases
        organisation = spec.pim.dram.organisation
        opcode = max(c.opcode for c in spec.pim.commands.commands).bit_length()
        super().__init__(
            {
                "i_start": In(1),
                "i_transfer": In(TRANSFER),
                "i_gemv": In(GEMV),
                "i_address": In(40),
                "i_advance": In(1),
                "o_last": Out(1),
                "o_command": Out(opcode),
                "o_bank": Out(ceil_log2(organisation.banks)),
                "o_row": Out(row_bits(organisation)),
                "o_column": Out(column_bits(organisation)),
                "o_accumulator": Out(5),
                "o_shared": Out(16),
                "o_label": Out(range(len(CONTROLLER_LABELS))),
                "o_register_mode": Out(1),
                "o_rows": Out(1),
                "o_wide": Out(1),
                "o_brings": Out(1),
                "o_holds": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        organisation = self.spec.pim.dram.organisation
        commands = self.spec.pim.commands
        transfer, gemv = self.i_transfer, self.i_gemv
        m.d.comb += self.o_brings.eq(1)
        every = [(opcode, phase) for opcode, phases in self.phases.items() for phase in phases]
        opcode = transfer.opcode
        asked = [(opcode == code) & (gemv[phase.flag] if phase.flag else Const(1)) for code, phase in every]
        phase = Signal(range(len(every)))
        # the first phase asked for, and the next one after the present
        first, following, more = Signal.like(phase), Signal.like(phase), Signal()
        for i in reversed(range(len(every))):
            with m.If(asked[i]):
                m.d.comb += first.eq(i)
        # later assignments win: walk from the last phase down
        for i in reversed(range(len(every))):
            with m.If(asked[i] & (phase < i)):
                m.d.comb += [following.eq(i), more.eq(1)]

        # three loops, the last the fastest; those that a phase lacks run once
        places = [Signal(16, name=f"place_{level}") for level in range(LEVELS)]
        counts = [Signal(16, name=f"count_{level}") for level in range(LEVELS)]
        outer, inner = places[1], places[2]
        column = Signal(8)  # first column of the present output
        copy = Signal(8)  # its place in the row
        row = Signal(row_bits(organisation))
        group, block = Signal(40), Signal(40)  # DRAM addresses of the first words of the two inner loops
        shared = Signal(16)
        moves = Signal()
        m.d.comb += moves.eq(opcode != OPCODE_GEMV)
        by_place = Signal()  # the middle loop goes from place to place of the rows or the buffer
        with m.Switch(phase):
            for i, (_, item) in enumerate(every):
                fields = transfer if item.counts[0] in TRANSFER_FIELDS else gemv
                command = commands.command(item.command)
                lengths = [1] * (LEVELS - len(item.counts)) + [fields[name] for name in item.counts]
                with m.Case(i):
                    m.d.comb += [counts[level].eq(length) for level, length in enumerate(lengths)]
                    m.d.comb += [
                        by_place.eq(len(item.counts) == 2),
                        self.o_command.eq(command.opcode),
                        self.o_label.eq(list(CONTROLLER_LABELS).index(item.label)),
                        self.o_register_mode.eq(in_register_mode(command)),
                        self.o_rows.eq(gemv.multiply if item.opens else "open" in command.requires),
                        self.o_wide.eq(transfer.wide if command.scope == "bank" else 1),
                        self.o_accumulator.eq(outer if len(item.counts) == 2 else inner),
                    ]
        ends = [Signal(name=f"ends_{level}") for level in range(LEVELS)]
        m.d.comb += [end.eq(place + 1 == count) for end, place, count in zip(ends, places, counts, strict=True)]
        m.d.comb += self.o_last.eq(Cat(*ends).all() & ~more)
        low, middle = ceil_log2(organisation.banks), column_bits(organisation)
        address = Signal(low + middle + len(row))
        m.d.comb += [
            address.eq(group + inner),
            self.o_bank.eq(Mux(moves, address[:low], 0)),
            self.o_row.eq(Mux(moves, address[low + middle :], row)),
            self.o_column.eq(Mux(moves, address[low : low + middle], column + inner)),
            self.o_shared.eq(Mux(moves, shared, shared + inner)),
        ]
        to_start = [copy.eq(0), column.eq(gemv.column), row.eq(gemv.row)]
        with m.If(self.i_start):
            m.d.sync += [
                phase.eq(first),
                *(place.eq(0) for place in places),
                *to_start,
                group.eq(self.i_address),
                block.eq(self.i_address),
                shared.eq(Mux(moves, transfer.shared, gemv.source)),
            ]
        with m.Elif(self.i_advance):
            m.d.sync += inner.eq(inner + 1)
            with m.If(moves):
                m.d.sync += shared.eq(shared + 1)
            with m.If(ends[2]):
                m.d.sync += [
                    inner.eq(0),
                    outer.eq(outer + 1),
                    group.eq(group + transfer.stride),
                    column.eq(column + gemv.pitch),
                    copy.eq(copy + 1),
                ]
                with m.If(by_place & (copy + 1 == gemv.copies)):
                    m.d.sync += [copy.eq(0), column.eq(gemv.column), row.eq(row + gemv.row_step)]
                with m.If(ends[1]):
                    onward = block + transfer.outer_stride
                    m.d.sync += [outer.eq(0), places[0].eq(places[0] + 1), block.eq(onward), group.eq(onward)]
                    with m.If(ends[0]):
                        m.d.sync += [phase.eq(following), places[0].eq(0), *to_start]
        return m
