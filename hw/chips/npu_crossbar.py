"""NPU core, vector unit, non-volatile crossbars for the weights and one GDDR6-AiM channel for keys and values."""

from dataclasses import replace

from hw.chips.npu_aim import CHIP as NPU_AIM
from hw.spec.chip import Chip
from hw.spec.crossbar import CrossbarSpec
from hw.spec.system import SystemSpec

CHIP = Chip(
    title="NPU core of 16 x 4, vector unit, 1 MiB of crossbars and one GDDR6-AiM channel, BF16",
    machine=replace(
        NPU_AIM.machine_as(SystemSpec),
        # As the chip reram_22nm, lossless; 64 arrays share the periphery of a tile: of published macros of megabits few
        # of many rows and columns are read at a time.
        crossbar=CrossbarSpec(
            rows=128, columns=16, cell_bits=2, scheme="differential", input_signed=True, columns_per_adc=8, adc_bits=10,
            wordline_cycles=1, settle_cycles=1, adc_cycles=1, sample_and_hold=True, tiles=8, arrays=64, lanes=16,
            buffer_words=2, parameter_words=1, write_cycles=50, verify_cycles=5,
        ),
    ),
    clock=NPU_AIM.clock,
)
