"""Prices of what an NPU core counted: published energies of operations, and tables measured at its own gates."""

from hw.base.error import InputError
from hw.spec.core import CoreSpec
from hw.spec.machine import Machine
from model.energy.price import Energy, price
from model.energy.table import EnergyTable, measured_for, table_for
from model.record import Measurement, Result

TABLES = ("tpuv4i_7nm", "horowitz_45nm")
"""The published tables a run is priced by, the first one leading."""


def table(name: str, machine: Machine) -> EnergyTable:
    """The table called `name` as energies of the events of `machine`."""
    if not isinstance(machine, CoreSpec):
        raise InputError(f"energy table {name!r} prices NPU cores, not a machine of kind {machine.kind!r}")
    return table_for(name, machine)


def prices(
    chip_name: str, machine: Machine, result: Result, random: Measurement | None
) -> tuple[list[tuple[str, Energy]], list[str]]:
    """(name, energy) by each table that fits, and one sentence for each that does not any more.

    `random` is the run on random operands whose toggles weigh the published energies.
    """
    reference = (random.result.counts, random.result.toggles) if random else None
    found = [
        (name, price(result.counts, table(name, machine), toggles=result.toggles, reference=reference))
        for name in TABLES
    ]
    assert isinstance(machine, CoreSpec)
    at_gates, notices = measured_for(chip_name, machine)
    found += [
        (f"gates_{number}", price(result.counts, measured, cycles=result.cycles))
        for number, measured in enumerate(at_gates, start=1)
    ]
    return found, notices
