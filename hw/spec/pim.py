"""A processing-in-memory device as data: micro-operations, commands, encodings, registers and modes.

Model, RTL decoder and assembler all read the same tuples, so nobody writes a command's meaning twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hw.spec.dram import DramSpec
from hw.spec.error import InputError
from hw.spec.number import number_format

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

ERRORS: dict[str, int] = {
    "early": 1,             # a timing rule is not yet met
    "wrong_row_state": 2,   # ACT on an open bank, a column command on a closed bank or another row, REF with open rows
    "wrong_mode": 3,        # the command is not legal in the device's mode
    "unknown_opcode": 4,    # a trigger met an instruction word of no command
    "jump_range": 5,        # a JUMP leaves the program, or more than JUMPS_PER_TRIGGER follow one another
    "bank_mismatch": 6,     # the instruction names the other bank of the pair than the trigger addresses
}
"""Codes of the sticky error status: the first refused command sets it, and a refused command changes nothing else."""

JUMPS_PER_TRIGGER = 3
"""JUMPs that may follow one another between two triggers: one per clock fits between column commands."""


def aligned_index(kind: str, accumulates: bool, row: int, column: int) -> int:
    """Register index of operand kind GRF_A or GRF_B in address-aligned mode.

    Column bits 2:0; but for GRF_A of an instruction that accumulates, {row bit 0, column bits 4:3}.
    """
    if kind == "GRF_A" and accumulates:
        return (row & 1) << 2 | column >> 3 & 3
    return column & 7


Scope = Literal["unit", "bank", "bank_group", "channel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Bits `low` to `low + width - 1` of an instruction word."""

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
    opcode : int
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
    commands : tuple of Command
    fields : tuple of Field
        Encoding of one instruction word of `word_bits`; the field "opcode" is always there.
    operands : dict of str to int
        Operand kinds and their codes; empty if commands name no operands.
    host_commands : tuple of HostCommand
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
                raise InputError(f"field {item.name} must end below bit {self.word_bits}, "
                                 f"not at {item.low + item.width}")
        for command in self.commands:
            if command.opcode > known["opcode"].mask:
                raise InputError(f"opcode of {command.name} must fit {known['opcode'].width} bits, "
                                 f"not {command.opcode}")
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
        raise InputError(f"a command of {self.title} must be one of {', '.join(c.name for c in self.commands)}, "
                         f"not {name!r}")

    def host_command(self, name: str) -> HostCommand:
        """The host-level command called `name`; raises `InputError` listing the known ones."""
        for request in self.host_commands:
            if request.name == name:
                return request
        raise InputError(f"a host command of {self.title} must be one of "
                         f"{', '.join(r.name for r in self.host_commands)}, not {name!r}")

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
            raise InputError(f"an opcode of {self.title} must be one of "
                             f"{', '.join(str(c.opcode) for c in self.commands)}, not {word >> code.low & code.mask}")
        return command, {n: word >> self.field(n).low & self.field(n).mask for n in command.fields}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterFile:
    """Registers of `entries` x `bits`. If `row` is given, column `column + i` of that reserved row writes entry (or
    group of entries) i of all units at once while the device is in an all-bank mode.

    `per`: "unit" (one copy in each unit) or "channel" (one copy shared by all units).
    """

    name: str
    entries: int
    bits: int
    per: Literal["unit", "channel"] = "unit"
    row: int | None = None
    column: int | None = None
    columns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeChange:
    """`command` at `row` (and `column`, if not None) in each of `banks` takes the device from a mode to another.

    `data_bit`: for writes, the value bit 0 of the data must have. The change happens when the last of the banks has
    been reached, in any order.
    """

    before: str
    after: str
    command: str
    row: int
    banks: tuple[int, ...]
    column: int | None = None
    data_bit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """A function of the activation unit.

    kind "relu": max(x, 0). kind "leaky_relu": x if x >= 0 else slope x. kind "table": y = slope[i] x + offset[i] with
    i = floor((x + limit) segments / (2 limit)), x held within [-limit, limit).
    """

    name: str
    code: int
    kind: Literal["relu", "leaky_relu", "table"]
    slope: float = 0.0
    limit: float = 0.0
    segments: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PimSpec:
    """A PIM device: a DRAM, a command set and the units beside the banks.

    Parameters
    ----------
    dram : DramSpec
    commands : CommandSet
    units : int
        Units of one channel.
    banks_per_unit : int
    lanes : int
        Lanes of one unit; lanes x format bits = column bits.
    number : str
        Format of operands and results.
    accumulator : str
        Format the accumulator keeps between commands.
    align_bits : int
        Fraction bits kept below the largest exponent in the aligned adder tree; 0 if there is no tree.
    modes : tuple of str
        The first is the mode after reset.
    mode_changes : tuple of ModeChange
    registers : tuple of RegisterFile
    row_without_trigger_bit : int or None
        Rows with this address bit set never trigger an instruction.
    park_row : int or None
        Row the banks are left at around mode changes.
    activations : tuple of Activation
    """

    title: str
    dram: DramSpec
    commands: CommandSet
    units: int
    banks_per_unit: int
    lanes: int
    number: str
    accumulator: str
    modes: tuple[str, ...]
    registers: tuple[RegisterFile, ...]
    mode_changes: tuple[ModeChange, ...] = ()
    align_bits: int = 0
    row_without_trigger_bit: int | None = None
    park_row: int | None = None
    activations: tuple[Activation, ...] = ()

    def __post_init__(self) -> None:
        organisation = self.dram.organisation
        if self.units * self.banks_per_unit != organisation.banks:
            raise InputError(f"units x banks_per_unit must be the {organisation.banks} banks of the DRAM, "
                             f"not {self.units} x {self.banks_per_unit}")
        bits = number_format(self.number).bits
        number_format(self.accumulator)
        if self.lanes * bits != organisation.column_bits:
            raise InputError(f"lanes x bits of {self.number} must be the column's {organisation.column_bits} bits, "
                             f"not {self.lanes} x {bits}")
        for change in self.mode_changes:
            for mode in (change.before, change.after):
                if mode not in self.modes:
                    raise InputError(f"a mode change must name modes of {', '.join(self.modes)}, not {mode!r}")

    def register(self, name: str) -> RegisterFile:
        """The register file called `name`; raises `InputError` listing the known ones."""
        for register in self.registers:
            if register.name == name:
                return register
        raise InputError(f"a register file of {self.title} must be one of "
                         f"{', '.join(r.name for r in self.registers)}, not {name!r}")

    def change(self, before: str, after: str) -> ModeChange:
        """The step from mode `before` to mode `after`; raises `InputError` if there is none."""
        for step in self.mode_changes:
            if (step.before, step.after) == (before, after):
                return step
        raise InputError(f"{self.title} must have a step from {before} to {after}, which it has not")
