"""Commands, answers and counters of a DRAM channel with units beside its banks."""

from typing import Any

from amaranth.lib import data

from hw.rtl.common.enumeration import enumeration
from hw.rtl.dram_pim.bank_array import column_bits, row_bits
from hw.spec.pim import ERRORS, PimSpec

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


def command_kinds(spec: PimSpec) -> Any:
    """The commands of the channel's port as an enumeration, for waveforms.

    Opcodes of the command set where its commands are those of the DRAM port, else the names the timing rules use,
    sorted.
    """
    own = {c.name: c.opcode for c in spec.commands.commands}
    names = sorted({c for rule in spec.dram.rules for c in (*rule.before, *rule.after)} - HOST_ONLY)
    if set(names) <= set(own):
        return enumeration("Command", own)
    return enumeration("Command", {name: i for i, name in enumerate(names)})


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


AIM_EVENTS: dict[str, str] = {
    "activate": "banks opened",
    "precharge": "precharge commands accepted",
    "refresh": "refreshes accepted",
    "bank_read": "columns read from banks",
    "bank_write": "columns written into banks",
    "word_in": "data words taken from the bus",
    "word_out": "data words driven on the bus",
    "unit_mac": "units that multiplied and accumulated a column",
    "multiply": "pairs of banks multiplied lane by lane",
    "activation": "activations evaluated",
    "mode": "changes between memory and register mode",
}
"""Counters of an AiM channel, commands of every unit or bank added up."""

PIM_EVENTS: dict[str, str] = {
    "activate": "ACT commands accepted while one bank is addressed",
    "activate_broadcast": "ACT commands accepted that open several banks",
    "precharge": "precharge commands accepted",
    "read": "read commands accepted that drive the data bus",
    "write": "write commands accepted that store the word on the data bus in a bank",
    "control": "write commands accepted that load a register or change the mode",
    "refresh": "refreshes accepted",
    "mac": "triggers that multiply and accumulate",
    "compute": "triggers that do anything else but store",
    "store": "triggers that store a register",
    "idle_trigger": "triggers that do nothing",
}
"""Counters of an HBM-PIM channel."""
