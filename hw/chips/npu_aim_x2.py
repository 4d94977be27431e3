"""The system `npu_aim` with two GDDR6-AiM channels: a token's products go through both at a time."""

from dataclasses import replace

from hw.chips.npu_aim import CHIP as NPU_AIM
from hw.spec.chip import Chip
from hw.spec.system import SystemSpec

CHIP = Chip(
    title="NPU core of 16 x 4, vector unit and two GDDR6-AiM channels, BF16",
    machine=replace(NPU_AIM.machine_as(SystemSpec), channels=2),
    clock=NPU_AIM.clock,
)
