"""Prices of what a system counted: the channel by every source of its memory, the core by a published table."""

from dataclasses import replace

from hw.base.error import InputError
from hw.spec.machine import Machine
from hw.spec.system import SystemSpec
from model.energy import dram, npu_prices
from model.energy.price import Energy, price
from model.energy.table import EnergyTable
from model.record import Measurement, Result

CORE_TABLE = npu_prices.TABLES[0]
TABLES = tuple(dram.names())
"""All sources of DRAM energies."""


def table(name: str, machine: Machine) -> EnergyTable:
    """The source of DRAM energies called `name`, with the core's events by the leading published table.

    The core's external memory is the shared memory of all units, on the chip: what a source says of it is left out.
    """
    if not isinstance(machine, SystemSpec):
        raise InputError(f"energies of a system price systems, not a machine of kind {machine.kind!r}")
    channel, core = dram.load(name), npu_prices.table(CORE_TABLE, machine.core)
    inside = {event: fact for event, fact in core.energies.items() if not event.startswith("external_memory.")}
    return replace(
        channel,
        title=f"{channel.title}; core: {core.title}",
        energies={**inside, **channel.energies},
        leaves_out=f"shared memory, vector unit; of the channel {channel.leaves_out}; of the core {core.leaves_out}",
    )


def prices(
    chip_name: str, machine: Machine, result: Result, random: Measurement | None
) -> tuple[list[tuple[str, Energy]], list[str]]:
    """(source, energy) by each source of the channel's DRAM."""
    if not isinstance(machine, SystemSpec):
        raise InputError(f"energies of a system price systems, not a machine of kind {machine.kind!r}")
    return [(name, price(result.counts, table(name, machine))) for name in dram.sources_of(machine.pim)], []
