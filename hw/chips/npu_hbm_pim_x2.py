"""The system `npu_hbm_pim` with two HBM-PIM pseudo-channels: weights lie in both by outputs."""

from dataclasses import replace

from hw.chips.npu_hbm_pim import CHIP as NPU_HBM_PIM
from hw.spec.chip import Chip
from hw.spec.system import SystemSpec

CHIP = Chip(
    title="NPU core of 16 x 4, vector unit and two HBM-PIM pseudo-channels, FP16",
    machine=replace(NPU_HBM_PIM.machine_as(SystemSpec), channels=2),
    clock=NPU_HBM_PIM.clock,
)
