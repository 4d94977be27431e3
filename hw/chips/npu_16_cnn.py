"""The 16 x 16 INT8 core with copy channels, convolution and pooling."""

from dataclasses import replace

from hw.chips.npu_16_dma import CHIP as NPU_16_DMA
from hw.spec.chip import Chip
from hw.spec.core import CoreSpec

CHIP = Chip(
    title="16 x 16 INT8 core with copy channels, convolution and max pooling",
    machine=replace(NPU_16_DMA.machine_as(CoreSpec), convolution=True), clock=NPU_16_DMA.clock,
)
