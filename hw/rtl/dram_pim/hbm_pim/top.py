"""An HBM-PIM pseudo-channel as RTL."""

from amaranth.lib import wiring

from hw.rtl.dram_pim.hbm_pim.channel import HbmPimChannel
from hw.spec.pim import PimSpec

ROWS = 128
"""Rows of each bank's cell array that are built."""

DELIVERED = "channel"
"""Top that is delivered if none is named."""


def top(machine: PimSpec, rows: int = ROWS) -> wiring.Component:
    """One pseudo-channel with `rows` rows in each bank, timed as its DRAM's default preset."""
    return HbmPimChannel(machine, machine.dram.resolve(), rows=rows)
