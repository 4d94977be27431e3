"""A GDDR6-AiM channel as RTL, and the controller that drives it."""

from hw.rtl.dram_pim.aim.units import AimUnits
from hw.rtl.dram_pim.command_port import CommandPort
from hw.rtl.dram_pim.controller.aim import AimController
from hw.spec.dram import Timing
from hw.spec.memory_controller import ControllerSpec
from hw.spec.pim import PimSpec

ROWS = 64
"""Rows of each bank's cell array that are built."""

DELIVERED = "channel"
"""Top that is delivered if none is named."""


def top(machine: PimSpec, rows: int = ROWS) -> CommandPort:
    """One channel with `rows` rows in each bank, timed as its DRAM's default preset."""
    return channel(machine, machine.dram.resolve(), rows=rows)


def channel(machine: PimSpec, timing: Timing, *, rows: int = ROWS) -> CommandPort:
    """One channel with `rows` rows in each bank."""
    return CommandPort(machine, timing, AimUnits(machine, timing), rows=rows)


def controller(spec: ControllerSpec, timing: Timing) -> AimController:
    """What drives such a channel from descriptors."""
    return AimController(spec, timing)
