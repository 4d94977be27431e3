"""The core of a chip as RTL, by its dataflow."""

from hw.rtl.npu.core import Core
from hw.rtl.npu.mac_array import CellStyle
from hw.rtl.npu.output_stationary import OutputStationary
from hw.rtl.npu.weight_stationary import WeightStationary
from hw.spec.core import CoreSpec

DELIVERED = "axi"
"""Top that is delivered if none is named: the core behind AXI."""


def top(machine: CoreSpec, *, cells: CellStyle = "inline") -> Core:
    """The core: commands, host writes and results at its ports, see `hw.rtl.npu.signature`."""
    weights_stay = machine.array.dataflow == "ws"
    return Core(machine, WeightStationary(machine, cells=cells) if weights_stay else OutputStationary(machine))
