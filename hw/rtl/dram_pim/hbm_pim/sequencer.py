"""The instruction memory of an HBM-PIM channel and its program counter, shared by all units."""

from typing import Any

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.base.error import InputError
from hw.rtl.dram_pim.decode import (
    CommandDecode,
    fields_layout,
    instruction_names,
    operations_layout,
    present_layout,
)
from hw.spec.pim import JUMPS_PER_TRIGGER, PimSpec


class _State:
    """What triggers have changed, and how far the look-ahead over JUMPs has come."""

    def __init__(self, fields: Any, bits: int) -> None:
        self.counter = Signal(bits)
        self.halted = Signal()
        self.jump = Signal(len(fields.iterations))
        self.jump_place = Signal(bits)
        self.jumped = Signal()
        self.repeat = Signal(len(fields.count) + 1)
        self.repeat_place = Signal(bits)
        self.repeats = Signal()
        # the look-ahead
        self.place = Signal(bits)
        self.ahead_jump = Signal(len(fields.iterations))
        self.ahead_place = Signal(bits)
        self.ahead_jumped = Signal()
        self.jumps = Signal(range(JUMPS_PER_TRIGGER + 1))
        self.bad = Signal()


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
        m.submodules.decode = decode = CommandDecode(self.set)
        at = _State(decode.o_fields, len(self.o_counter))
        instruction = self._fetch(m, decode, at)
        branch = self._look_ahead(m, decode, at)
        m.d.comb += [
            self.o_operations.eq(decode.o_operations),
            self.o_fields.eq(decode.o_fields),
            self.o_present.eq(decode.o_present),
            self.o_unknown.eq(~decode.o_known & ~at.halted),
            self.o_jump_range.eq(branch),
            self.o_halts.eq(decode.o_operations.halt | at.halted),
            self.o_counter.eq(at.place),
            self.o_opcode.eq(Value.cast(instruction)),
        ]
        self._step(m, decode, at)
        self._restart(m, at)
        return m

    def _fetch(self, m: Module, decode: CommandDecode, at: _State) -> Signal:
        """The instruction memory, a column a write; the opcode at the place looked at, for waveforms as text."""
        words = [Signal(len(self.i_data), name=f"instructions_{i}") for i in range(self.columns)]
        for i, word in enumerate(words):
            with m.If(self.i_write & (self.i_entry == i)):
                m.d.sync += word.eq(self.i_data)
        column_words = Array(words)[at.place[(self.per_column - 1).bit_length() :]]
        inside = at.place[: (self.per_column - 1).bit_length()]
        m.d.comb += decode.i_word.eq(column_words.word_select(inside, self.set.word_bits))
        shown = Signal(instruction_names(self.set), name="instruction")
        m.d.comb += Value.cast(shown).eq(decode.i_word[self.set.field("opcode").low :])
        return shown

    def _look_ahead(self, m: Module, decode: CommandDecode, at: _State) -> Signal:
        """Follow one JUMP a cycle; whether there is one at the place looked at."""
        fields, place = decode.o_fields, at.place
        new = ~at.ahead_jumped | (at.ahead_place != place)
        left = Signal.like(at.jump)
        target = Signal(signed(len(fields.offset) + 2))
        m.d.comb += left.eq(Mux(new, fields.iterations, at.ahead_jump))
        m.d.comb += target.eq(place + 1 - Mux(left.any(), fields.offset, 0))
        outside = (target < 0) | (target >= self.entries)
        branch = Signal()
        m.d.comb += branch.eq(decode.o_operations.branch & ~at.halted)
        with m.If(branch & ~at.bad & (at.jumps != JUMPS_PER_TRIGGER)):
            m.d.sync += at.jumps.eq(at.jumps + 1)
            with m.If(outside):
                m.d.sync += at.bad.eq(1)
            with m.Else():
                m.d.sync += [
                    place.eq(target),
                    at.ahead_jump.eq(left - left.any()),
                    at.ahead_place.eq(place),
                    at.ahead_jumped.eq(1),
                ]
        return branch

    def _step(self, m: Module, decode: CommandDecode, at: _State) -> None:
        """A trigger: the instruction after the one executed."""
        fields, operations, place, repeat = decode.o_fields, decode.o_operations, at.place, at.repeat
        aligned = operations.repeat_aligned & ((fields.aligned & decode.o_present.aligned) | operations.align)
        total = Signal.like(repeat)
        now_left = Signal.like(repeat)
        m.d.comb += total.eq(Mux(operations.repeat_count, fields.count + 1, Mux(aligned, 8, 1)))
        m.d.comb += now_left.eq(Mux(at.repeats & (at.repeat_place == place), repeat, total) - 1)
        following = Signal(len(place))
        again = now_left.any()
        m.d.comb += following.eq(Mux(again | (place == self.entries - 1), place, place + 1))
        with m.If(self.i_trigger):
            with m.If(self.o_halts):
                m.d.sync += at.halted.eq(1)
            with m.Else():
                m.d.sync += [
                    at.counter.eq(following),
                    place.eq(following),
                    at.jumps.eq(0),
                    at.bad.eq(0),
                    at.jump.eq(at.ahead_jump),
                    at.jump_place.eq(at.ahead_place),
                    at.jumped.eq(at.ahead_jumped),
                    repeat.eq(now_left),
                    at.repeat_place.eq(place),
                    at.repeats.eq(again),
                ]

    def _restart(self, m: Module, at: _State) -> None:
        """A write begins the look-ahead anew where the last trigger left it, a start at instruction 0."""
        with m.If(self.i_write):
            m.d.sync += [
                at.place.eq(at.counter),
                at.jumps.eq(0),
                at.bad.eq(0),
                at.ahead_jump.eq(at.jump),
                at.ahead_place.eq(at.jump_place),
                at.ahead_jumped.eq(at.jumped),
            ]
        with m.If(self.i_start):
            m.d.sync += [
                at.counter.eq(0),
                at.place.eq(0),
                at.jumps.eq(0),
                at.bad.eq(0),
                at.halted.eq(0),
                at.repeats.eq(0),
                at.jump.eq(0),
                at.jumped.eq(0),
                at.ahead_jump.eq(0),
                at.ahead_jumped.eq(0),
            ]
