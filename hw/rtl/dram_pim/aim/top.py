"""A GDDR6-AiM channel as RTL."""

from amaranth.lib import wiring

from hw.rtl.dram_pim.aim.channel import AimChannel
from hw.spec.pim import PimSpec

ROWS = 64
"""Rows of each bank's cell array that are built."""

DELIVERED = "channel"
"""Top that is delivered if none is named."""


def top(machine: PimSpec, rows: int = ROWS) -> wiring.Component:
    """One channel with `rows` rows in each bank, timed as its DRAM's default preset."""
    return AimChannel(machine, machine.dram.resolve(), rows=rows)
