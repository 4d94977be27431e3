"""Commands, answers and counters of a DRAM channel with units beside its banks."""

from collections.abc import Iterable, Mapping
from typing import Any

from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.common.enumeration import enumeration
from hw.rtl.dram_pim.bank_array import ColumnPort, column_bits, row_bits
from hw.rtl.dram_pim.decode import operations_layout
from hw.spec.dram_command import DRAM_COMMANDS
from hw.spec.pim import ERRORS, PimSpec
from hw.spec.pim_command import CommandSet

ERROR_BITS = 3
COUNTER_BITS = 40


HOST_ONLY = {"SYNC", "EOC"}
"""Names in timing rules that are no commands of the device."""

Reason = enumeration("Reason", {"OK": 0} | {name.upper(): code for name, code in ERRORS.items()})
"""Why a command is refused."""


def reserved_rows(spec: PimSpec) -> dict[str, int]:
    """Texts of the rows that have a fixed meaning: mode changes, registers, parking."""
    named = {f"TO_{change.after}": change.row for change in spec.mode_changes if change.command != "WR"}
    for file in spec.registers:
        if file.row is not None:
            named["REGISTERS"] = file.row
    return named if spec.park_row is None else named | {"PARK": spec.park_row}


def port_commands(spec: PimSpec) -> CommandSet:
    """The commands of the port: the device's own if they are all that its timing rules name, else those of a DRAM."""
    names = {c for rule in spec.dram.rules for c in (*rule.before, *rule.after)} - HOST_ONLY
    return spec.commands if names <= {c.name for c in spec.commands.commands} else DRAM_COMMANDS


def command_kinds(spec: PimSpec) -> Any:
    """The commands of the channel's port as an enumeration, for waveforms; see `port_commands`."""
    return enumeration("Command", {c.name: c.opcode for c in port_commands(spec).commands})


def command_layout(spec: PimSpec) -> data.StructLayout:
    """One command of the port without its data."""
    organisation = spec.dram.organisation
    kinds = command_kinds(spec)
    return data.StructLayout(
        {
            "kind": max(kind.value for kind in kinds).bit_length(),
            "bank": (organisation.banks - 1).bit_length(),
            "row": row_bits(organisation),
            "column": column_bits(organisation),
            "accumulator": 5,
            **({"paired": 1} if any(f.name == "paired" for f in spec.commands.fields) else {}),
        }
    )


class UnitsSignature(wiring.Signature):
    """The units of a device beside the banks, as the command port has them: what a command does to them.

    A command is offered in one cycle and judged in it; only an accepted one may change anything.

    Members
    -------
    i_command : In(command_layout); i_data : In(column bits)
        The command offered and its word.
    i_accept : In(1)
        It is carried out.
    i_operations : In(operations_layout)
        Its micro-operations.
    i_reached : In(banks); i_addressed : In(1)
        Banks its scope reaches, and whether that is one bank.
    i_mode : In
        Mode of the device.
    i_word : In(column bits)
        The column that the bank of the cycle before shows.
    o_targets : Out(banks)
        Banks it reaches in this mode.
    o_wrong_mode : Out(1)
        It is not legal in this mode, beside what its requirements say.
    o_reason : Out(ERROR_BITS)
        Why the units refuse a command that the memory takes; 0 if they do not.
    o_changes_mode : Out(1); o_next_mode : Out
    o_answers : Out(1); o_answer : Out(column bits)
        It brings a word; the word of the command before.
    columns : Out(ColumnPort)
    events : Out(an amount for each of `events`), counted if the command is accepted
    i_config_<name> : In, registers of the device that are set from outside

    Parameters
    ----------
    spec : PimSpec
    events : iterable of str
    config : mapping
        Name -> bits of the registers set from outside.
    """

    def __init__(self, spec: PimSpec, events: Iterable[str], config: Mapping[str, int] | None = None) -> None:
        organisation = spec.dram.organisation
        banks, bits, modes = organisation.banks, organisation.column_bits, mode_bits(spec)
        super().__init__(
            {
                "i_command": In(command_layout(spec)),
                "i_data": In(bits),
                "i_accept": In(1),
                "i_operations": In(operations_layout(port_commands(spec))),
                "i_reached": In(banks),
                "i_addressed": In(1),
                "i_mode": In(modes),
                "i_word": In(bits),
                **{f"i_config_{name}": In(width) for name, width in (config or {}).items()},
                "o_targets": Out(banks),
                "o_wrong_mode": Out(1),
                "o_reason": Out(ERROR_BITS),
                "o_changes_mode": Out(1),
                "o_next_mode": Out(modes),
                "o_answers": Out(1),
                "o_answer": Out(bits),
                "columns": Out(ColumnPort(organisation)),
                "events": Out(wiring.Signature({event: Out(range(banks + 1)) for event in events})),
            }
        )


def mode_bits(spec: PimSpec) -> int:
    """Bits of the index of a mode."""
    return (len(spec.modes) - 1).bit_length()


PORT_EVENTS: dict[str, str] = {
    "precharge": "precharge commands accepted",
    "refresh": "refreshes accepted",
}
"""Counters of every channel."""

AIM_EVENTS: dict[str, str] = {
    "activate": "banks opened",
    "bank_read": "columns read from banks",
    "bank_write": "columns written into banks",
    "word_in": "data words taken from the bus",
    "word_out": "data words driven on the bus",
    "unit_mac": "units that multiplied and accumulated a column",
    "multiply": "pairs of banks multiplied lane by lane",
    "activation": "activations evaluated",
    "mode": "changes between memory and register mode",
}
"""Counters of AiM's units beside `PORT_EVENTS`, commands of every unit or bank added up."""

HBM_PIM_EVENTS: dict[str, str] = {
    "activate": "ACT commands accepted while one bank is addressed",
    "activate_broadcast": "ACT commands accepted that open several banks",
    "read": "read commands accepted that drive the data bus",
    "write": "write commands accepted that store the word on the data bus in a bank",
    "control": "write commands accepted that load a register or change the mode",
    "mac": "triggers that multiply and accumulate",
    "compute": "triggers that do anything else but store",
    "store": "triggers that store a register",
    "idle_trigger": "triggers that do nothing",
}
"""Counters of HBM-PIM's units beside `PORT_EVENTS`."""
