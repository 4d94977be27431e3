"""The 16 x 16 INT8 core with copy channels: operands start and results end in an external memory."""

from dataclasses import replace

from hw.chips.npu_16 import CHIP as NPU_16
from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from hw.spec.dma import DmaSpec

CHIP = Chip(
    title="16 x 16 INT8 core with copy channels of 16 bytes per cycle and 32 cycles latency",
    machine=replace(
        NPU_16.machine_as(CoreSpec),
        dma=DmaSpec(bytes_per_cycle=16, latency_cycles=32, external_beats=1 << 16, banks=16)),
    clock=NPU_16.clock,
)
