"""The instruction memory of an HBM-PIM channel and its program counter, shared by all units."""

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.base.error import InputError
from hw.rtl.dram_pim.hbm_pim.decode import (
    PimDecode,
    fields_layout,
    instruction_names,
    operations_layout,
    present_layout,
)
from hw.spec.pim import JUMPS_PER_TRIGGER, PimSpec


class PimSequencer(wiring.Component):
    """One instruction per trigger; JUMPs are followed between triggers, one a cycle.

    What a trigger changes (counter, repeats, JUMP iterations) is kept apart from the look-ahead over JUMPs, so a
    refused trigger changes nothing. The look-ahead starts again after a trigger, a write and a start, and needs
    `JUMPS_PER_TRIGGER` cycles: the column spacing of the device must be longer than that.

    Members
    -------
    i_write : In(1); i_entry : In; i_data : In(column bits)
        Writes one column of instruction words.
    i_start : In(1)
        The PIM mode is entered: go on at instruction 0.
    i_trigger : In(1)
        Execute the instruction shown.
    o_operations, o_fields, o_present, o_opcode : Out
        The instruction the next trigger executes.
    o_unknown, o_jump_range : Out(1)
        The next trigger must be refused.
    o_halts : Out(1)
        The next trigger does nothing: EXIT was met, now or before.
    o_counter : Out(5)
        Place of that instruction.
    """

    def __init__(self, spec: PimSpec) -> None:
        self.set = spec.commands
        file = spec.register("CRF")
        self.entries, self.columns = file.entries, file.columns
        self.per_column = file.entries // file.columns
        spacing = spec.dram.resolve()["read_to_read_l"]
        if spacing <= JUMPS_PER_TRIGGER:
            raise InputError(
                f"column commands of {spec.title} must be more than {JUMPS_PER_TRIGGER} cycles apart for "
                f"its JUMPs to be followed in time, not {spacing}"
            )
        place_bits = (file.entries - 1).bit_length()
        super().__init__(
            {
                "i_write": In(1),
                "i_entry": In(max(file.columns - 1, 1).bit_length()),
                "i_data": In(self.per_column * file.bits),
                "i_start": In(1),
                "i_trigger": In(1),
                "o_operations": Out(operations_layout(self.set)),
                "o_fields": Out(fields_layout(self.set)),
                "o_present": Out(present_layout(self.set)),
                "o_opcode": Out(self.set.field("opcode").width),
                "o_unknown": Out(1),
                "o_jump_range": Out(1),
                "o_halts": Out(1),
                "o_counter": Out(place_bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.decode = decode = PimDecode(self.set)
        fields, operations = decode.o_fields, decode.o_operations
        bits = len(self.o_counter)
        # what triggers have changed
        counter = Signal(bits)
        halted = Signal()
        jump = Signal(len(fields.iterations))
        jump_place = Signal(bits)
        jumped = Signal()
        repeat = Signal(len(fields.count) + 1)
        repeat_place = Signal(bits)
        repeats = Signal()
        # the look-ahead
        place = Signal(bits)
        ahead_jump = Signal.like(jump)
        ahead_place = Signal(bits)
        ahead_jumped = Signal()
        jumps = Signal(range(JUMPS_PER_TRIGGER + 1))
        bad = Signal()

        words = [Signal(len(self.i_data), name=f"instructions_{i}") for i in range(self.columns)]
        for i, word in enumerate(words):
            with m.If(self.i_write & (self.i_entry == i)):
                m.d.sync += word.eq(self.i_data)
        column_words = Array(words)[place[(self.per_column - 1).bit_length() :]]
        inside = place[: (self.per_column - 1).bit_length()]
        m.d.comb += decode.i_word.eq(column_words.word_select(inside, self.set.word_bits))
        shown = Signal(instruction_names(self.set), name="instruction")
        m.d.comb += Value.cast(shown).eq(decode.i_word[self.set.field("opcode").low :])

        # follow one JUMP a cycle
        new = ~ahead_jumped | (ahead_place != place)
        left = Signal.like(jump)
        target = Signal(signed(len(fields.offset) + 2))
        m.d.comb += left.eq(Mux(new, fields.iterations, ahead_jump))
        m.d.comb += target.eq(place + 1 - Mux(left.any(), fields.offset, 0))
        outside = (target < 0) | (target >= self.entries)
        branch = Signal()
        m.d.comb += branch.eq(operations.branch & ~halted)
        with m.If(branch & ~bad & (jumps != JUMPS_PER_TRIGGER)):
            m.d.sync += jumps.eq(jumps + 1)
            with m.If(outside):
                m.d.sync += bad.eq(1)
            with m.Else():
                m.d.sync += [
                    place.eq(target),
                    ahead_jump.eq(left - left.any()),
                    ahead_place.eq(place),
                    ahead_jumped.eq(1),
                ]
        m.d.comb += [
            self.o_operations.eq(operations),
            self.o_fields.eq(fields),
            self.o_present.eq(decode.o_present),
            self.o_unknown.eq(~decode.o_known & ~halted),
            self.o_jump_range.eq(branch),
            self.o_halts.eq(operations.halt | halted),
            self.o_counter.eq(place),
            self.o_opcode.eq(Value.cast(shown)),
        ]

        # the instruction after the one executed
        aligned = operations.repeat_aligned & ((fields.aligned & decode.o_present.aligned) | operations.align)
        total = Signal.like(repeat)
        now_left = Signal.like(repeat)
        m.d.comb += total.eq(Mux(operations.repeat_count, fields.count + 1, Mux(aligned, 8, 1)))
        m.d.comb += now_left.eq(Mux(repeats & (repeat_place == place), repeat, total) - 1)
        following = Signal(bits)
        again = now_left.any()
        m.d.comb += following.eq(Mux(again | (place == self.entries - 1), place, place + 1))
        with m.If(self.i_trigger):
            with m.If(self.o_halts):
                m.d.sync += halted.eq(1)
            with m.Else():
                m.d.sync += [
                    counter.eq(following),
                    place.eq(following),
                    jumps.eq(0),
                    bad.eq(0),
                    jump.eq(ahead_jump),
                    jump_place.eq(ahead_place),
                    jumped.eq(ahead_jumped),
                    repeat.eq(now_left),
                    repeat_place.eq(place),
                    repeats.eq(again),
                ]
        with m.If(self.i_write):
            m.d.sync += [
                place.eq(counter),
                jumps.eq(0),
                bad.eq(0),
                ahead_jump.eq(jump),
                ahead_place.eq(jump_place),
                ahead_jumped.eq(jumped),
            ]
        with m.If(self.i_start):
            m.d.sync += [
                counter.eq(0),
                place.eq(0),
                jumps.eq(0),
                bad.eq(0),
                halted.eq(0),
                repeats.eq(0),
                jump.eq(0),
                jumped.eq(0),
                ahead_jump.eq(0),
                ahead_jumped.eq(0),
            ]
        return m
