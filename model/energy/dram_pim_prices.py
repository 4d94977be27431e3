"""Prices of what a DRAM-PIM channel counted, by every source of its memory."""

from hw.base.error import InputError
from hw.spec.machine import Machine
from hw.spec.pim import PimSpec
from model.energy import dram
from model.energy.price import Energy, price
from model.energy.table import EnergyTable
from model.record import Measurement, Result

TABLES = tuple(dram.names())
"""All sources of DRAM energies."""


def table(name: str, machine: Machine) -> EnergyTable:
    """The source called `name`: its energies hold for every device."""
    return dram.load(name)


def prices(
    chip_name: str, machine: Machine, result: Result, random: Measurement | None
) -> tuple[list[tuple[str, Energy]], list[str]]:
    """(source, energy) by each source of the machine's DRAM; nothing is weighed by toggles."""
    if not isinstance(machine, PimSpec):
        raise InputError(f"DRAM energies price PIM devices, not a machine of kind {machine.kind!r}")
    return [(name, price(result.counts, dram.load(name))) for name in dram.sources_of(machine)], []
