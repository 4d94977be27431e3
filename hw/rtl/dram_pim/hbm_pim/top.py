"""An HBM-PIM pseudo-channel as RTL, and the controller that drives it."""

from hw.rtl.dram_pim.command_port import CommandPort
from hw.rtl.dram_pim.controller.hbm_pim import HbmPimController
from hw.rtl.dram_pim.hbm_pim.units import HbmPimUnits
from hw.spec.dram import Timing
from hw.spec.memory_controller import ControllerSpec
from hw.spec.pim import PimSpec

ROWS = 128
"""Rows of each bank's cell array that are built."""

DELIVERED = "channel"
"""Top that is delivered if none is named."""


def top(machine: PimSpec, rows: int = ROWS) -> CommandPort:
    """One pseudo-channel with `rows` rows in each bank, timed as its DRAM's default preset."""
    return channel(machine, machine.dram.resolve(), rows=rows)


def channel(machine: PimSpec, timing: Timing, *, rows: int = ROWS) -> CommandPort:
    """One pseudo-channel with `rows` rows in each bank."""
    return CommandPort(machine, timing, HbmPimUnits(machine), rows=rows)


def controller(spec: ControllerSpec, timing: Timing) -> HbmPimController:
    """What drives such a channel from descriptors."""
    return HbmPimController(spec, timing)
