"""Commands of a processing-in-memory device as data: micro-operations, encodings, command sets.

Model, RTL decoder and assembler all read the same tuples, so nobody writes a command's meaning twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hw.base.error import InputError

MICRO_OPERATIONS: dict[str, str] = {
    # operands; a word is one column (256 bits, 16 lanes), a and b and c are the unit's operand latches
    "align": "register indices come from the DRAM address, whatever the instruction's aligned bit says",
    "fetch_source_0": "a = the word source 0 names (bank column, vector register, scalar on all lanes, output latch)",
    "fetch_source_1": "b = the word source 1 names",
    "fetch_source_2": "c = the word source 2 names",
    "fetch_destination": "c = the word the destination holds now",
    "read_column": "b = the addressed column of the open row, in every bank of the command's scope",
    "read_buffer": "a = the global buffer's word at the command's column",
    "read_pair": "a = the addressed column of the even bank and b = that of the odd bank of each pair",
    "pair_operands": "if the command's paired bit is set, a = the addressed column of the odd bank in the unit of each "
    "pair's even bank, and the units of odd banks rest",
    # arithmetic, lane by lane unless said otherwise; every result is rounded to nearest even
    "multiply": "product = a x b, one rounding; kept in the multiplier's output latch",
    "add_sources": "result = a + b, one rounding; kept in the adder's output latch",
    "add_product": "result = product + c, one rounding; kept in the adder's output latch",
    "take_product": "result = product",
    "take_source": "result = a",
    "rectify": "if the instruction's ReLU bit is set, lanes with the sign bit set become +0",
    "multiply_accumulate": "accumulator = accumulator + sum of the lane products a x b: one alignment, one rounding",
    "evaluate_activation": "activation register = f(accumulator), f chosen by the activation mode register",
    # results
    "write_destination": "the destination's word = result",
    "store_register": "on a WR trigger: the addressed column = GRF_A word (even bank) or GRF_B word (odd bank)",
    "write_column": "the addressed column = the result, or the word on the data bus",
    "write_result_pair": "the addressed column of the bank after each pair's odd bank = result",
    "load_accumulator": "accumulator of every unit = its lane of the word on the data bus",
    "load_buffer": "global buffer word at the command's column = the word on the data bus, or the column just read",
    "store_buffer": "the addressed column = the global buffer's word at the command's column",
    "drive_accumulator": "the data bus = all accumulators of the channel, one lane each, in the unit's format",
    "drive_activation": "the data bus = all activation registers of the channel, one lane each",
    "drive_column": "the data bus = the column just read",
    # rows and modes
    "open_row": "the command's row becomes the open row of every bank in scope",
    "close_row": "no row is open in the banks in scope",
    "toggle_mode": "register mode becomes memory mode and the reverse",
    # sequencing of the instruction memory
    "repeat_count": "stay at this instruction for (count + 1) triggers",
    "repeat_aligned": "in address-aligned mode stay at this instruction for one trigger per register of a file",
    "branch": "go on at (own place - offset + 1) for `iterations` times, then fall through; takes no trigger",
    "halt": "triggers do nothing until the PIM mode is entered again",
}
"""The closed vocabulary: a new one is a change of interpreter, decoder and unit; a new command is a line of data."""

Scope = Literal["unit", "bank", "bank_group", "channel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Bits `low` to `low + width - 1` of an instruction word.

    Parameters
    ----------
    name : str
        Name by which commands and the assembler use it.
    low, width : int
        Lowest bit, and number of bits. Fields of different commands may overlap.
    """

    name: str
    low: int
    width: int

    @property
    def mask(self) -> int:
        """Largest value the field holds."""
        return (1 << self.width) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command or instruction.

    Parameters
    ----------
    name : str
        Its mnemonic, distinct in the command set.
    opcode : int
        Value of the field "opcode", distinct in the command set.
    requires : tuple of str
        The states in which it is legal; a row state ("open", "closed") or a mode of the device.
    operations : tuple of str
        Micro-operations in order.
    fields : tuple of str
        Encoding fields it uses beside the opcode, in the order the assembler writes them.
    scope : Scope
        What it acts on.
    bus : "read", "write" or None
        Data bus use.
    """

    name: str
    opcode: int
    requires: tuple[str, ...]
    operations: tuple[str, ...]
    fields: tuple[str, ...] = ()
    scope: Scope = "unit"
    bus: Literal["read", "write"] | None = None

    def __post_init__(self) -> None:
        for operation in self.operations:
            if operation not in MICRO_OPERATIONS:
                raise InputError(f"{self.name} must be made of known micro-operations, not {operation!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCommand:
    """A host-level command: one request that becomes `repeats` device commands on successive columns.

    `register_mode`: the device must be in register mode (else in memory mode). `blocking`: the host waits for it.

    Parameters
    ----------
    name : str
        Its mnemonic.
    opcode : int
        Its code among the host-level commands; not that of the device command.
    command : str
        Name of the device command it becomes; "" if it becomes none.
    fields : tuple of str
        What it says beside the opcode: "bank", "row", and "opsize" for the number of device commands.
    """

    name: str
    opcode: int
    command: str
    fields: tuple[str, ...]
    register_mode: bool = False
    blocking: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSet:
    """A PIM device's commands.

    Parameters
    ----------
    title : str
        Its name for people, used in messages.
    commands : tuple of Command
        Device commands or instructions; names and opcodes are distinct.
    fields : tuple of Field
        Encoding of one instruction word of `word_bits`; the field "opcode" is always there.
    operands : dict of str to int
        Operand kinds and their codes; empty if commands name no operands.
    host_commands : tuple of HostCommand
        Requests of the host that become device commands; empty if the host only reads and writes memory.
    """

    title: str
    word_bits: int
    commands: tuple[Command, ...]
    fields: tuple[Field, ...]
    operands: dict[str, int] = field(default_factory=dict)
    host_commands: tuple[HostCommand, ...] = ()

    def __post_init__(self) -> None:
        names = [c.name for c in self.commands]
        codes = [c.opcode for c in self.commands]
        if len(set(names)) != len(names) or len(set(codes)) != len(codes):
            raise InputError(f"names and opcodes of {self.title} must be distinct, not repeated")
        known = {f.name: f for f in self.fields}
        if "opcode" not in known:
            raise InputError(f"{self.title} must have a field named opcode, not only {', '.join(known)}")
        for item in self.fields:
            if item.low + item.width > self.word_bits:
                raise InputError(
                    f"field {item.name} must end below bit {self.word_bits}, not at {item.low + item.width}"
                )
        for command in self.commands:
            if command.opcode > known["opcode"].mask:
                raise InputError(
                    f"opcode of {command.name} must fit {known['opcode'].width} bits, not {command.opcode}"
                )
            for name in command.fields:
                if name not in known:
                    raise InputError(f"{command.name} must use known fields, not {name!r}")
        for request in self.host_commands:
            if request.command and request.command not in names:
                raise InputError(f"{request.name} must become a known command, not {request.command!r}")

    def field(self, name: str) -> Field:
        """The encoding field called `name`."""
        return next(f for f in self.fields if f.name == name)

    def command(self, name: str) -> Command:
        """The command called `name`; raises `InputError` listing the known ones."""
        for command in self.commands:
            if command.name == name:
                return command
        raise InputError(
            f"a command of {self.title} must be one of {', '.join(c.name for c in self.commands)}, not {name!r}"
        )

    def host_command(self, name: str) -> HostCommand:
        """The host-level command called `name`; raises `InputError` listing the known ones."""
        for request in self.host_commands:
            if request.name == name:
                return request
        raise InputError(
            f"a host command of {self.title} must be one of "
            f"{', '.join(r.name for r in self.host_commands)}, not {name!r}"
        )

    def by_opcode(self, opcode: int) -> Command | None:
        """The command with this opcode, None if there is none."""
        return next((c for c in self.commands if c.opcode == opcode), None)

    def encode(self, name: str, values: Mapping[str, int]) -> int:
        """The instruction word; fields not given are 0. Raises `InputError` for a value that does not fit."""
        command = self.command(name)
        word = command.opcode << self.field("opcode").low
        for key, value in values.items():
            if key not in command.fields:
                raise InputError(f"{name} must use the fields {', '.join(command.fields) or 'none'}, not {key!r}")
            item = self.field(key)
            if not 0 <= value <= item.mask:
                raise InputError(f"{key} of {name} must be from 0 to {item.mask}, not {value}")
            word |= value << item.low
        return word

    def decode(self, word: int) -> tuple[Command, dict[str, int]]:
        """Command and field values of an instruction word; raises `InputError` for an unknown opcode."""
        code = self.field("opcode")
        command = self.by_opcode(word >> code.low & code.mask)
        if command is None:
            raise InputError(
                f"an opcode of {self.title} must be one of "
                f"{', '.join(str(c.opcode) for c in self.commands)}, not {word >> code.low & code.mask}"
            )
        return command, {n: word >> self.field(n).low & self.field(n).mask for n in command.fields}
