"""The core of a chip as RTL, by its dataflow."""

from hw.rtl.npu.core import Core
from hw.rtl.npu.mac_array import CellStyle
from hw.rtl.npu.output_stationary_core import OsCore
from hw.spec.core import CoreSpec

DELIVERED = "axi"
"""Top that is delivered if none is named: the core behind AXI."""


def top(machine: CoreSpec, *, cells: CellStyle = "inline") -> Core:
    """The core: commands, host writes and results at its ports, see `hw.rtl.npu.signature`."""
    return Core(machine, cells=cells) if machine.array.dataflow == "ws" else OsCore(machine)
