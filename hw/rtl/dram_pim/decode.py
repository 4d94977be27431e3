"""Command or instruction word to micro-operations: generated from a command set, one case per command."""

from typing import Any

from amaranth.hdl import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.common.enumeration import enumeration
from hw.spec.pim_command import CommandSet


def operations_layout(commands: CommandSet) -> data.StructLayout:
    """One bit per micro-operation the set uses."""
    used = dict.fromkeys(op for command in commands.commands for op in command.operations)
    return data.StructLayout({name: 1 for name in used})


def fields_layout(commands: CommandSet) -> data.StructLayout:
    """Every encoding field but the opcode."""
    return data.StructLayout({f.name: f.width for f in commands.fields if f.name != "opcode"})


def present_layout(commands: CommandSet) -> data.StructLayout:
    """One bit for every encoding field but the opcode."""
    return data.StructLayout({f.name: 1 for f in commands.fields if f.name != "opcode"})


def instruction_names(commands: CommandSet) -> Any:
    """The opcodes as an enumeration, for waveforms."""
    return enumeration("Instruction", {c.name: c.opcode for c in commands.commands})


class CommandDecode(wiring.Component):
    """Combinational.

    Members
    -------
    i_word : In(word_bits)
    o_known : Out(1)
        The opcode is one of a command.
    o_operations : Out(operations_layout)
        All 0 if it is not.
    o_fields : Out(fields_layout)
    o_present : Out
        One bit per field: the command has it.
    """

    def __init__(self, commands: CommandSet) -> None:
        self.set = commands
        super().__init__(
            {
                "i_word": In(commands.word_bits),
                "o_known": Out(1),
                "o_operations": Out(operations_layout(commands)),
                "o_fields": Out(fields_layout(commands)),
                "o_present": Out(present_layout(commands)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        code = self.set.field("opcode")
        for item in self.set.fields:
            if item.name != "opcode":
                m.d.comb += self.o_fields[item.name].eq(self.i_word[item.low : item.low + item.width])
        opcode = Signal(code.width)
        m.d.comb += opcode.eq(self.i_word[code.low : code.low + code.width])
        shown = Signal(instruction_names(self.set), name="instruction")
        m.d.comb += Value.cast(shown).eq(opcode)
        with m.Switch(opcode):
            for command in self.set.commands:
                with m.Case(command.opcode):
                    m.d.comb += self.o_known.eq(1)
                    m.d.comb += [self.o_operations[operation].eq(1) for operation in command.operations]
                    m.d.comb += [self.o_present[name].eq(1) for name in command.fields]
        return m
