"""NPU core, vector unit and one GDDR6-AiM channel behind one stream of descriptors: runs a language model."""

from dataclasses import replace

from hw.chips.aim import CHIP as AIM
from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from hw.spec.dma import DmaSpec
from hw.spec.fact import Fact
from hw.spec.mac_array import MacArraySpec
from hw.spec.pim import PimSpec
from hw.spec.system import SystemSpec

_CHANNEL = AIM.machine_as(PimSpec)

CHIP = Chip(
    title="NPU core of 16 x 4, vector unit and one GDDR6-AiM channel, BF16",
    machine=SystemSpec(
        core=CoreSpec(
            array=MacArraySpec(rows=16, columns=4, activation_format="bf16", weight_format="bf16"),
            activation_words=2048, weight_words=1024, accumulator_rows=256, output_words=1024, parameter_words=4,
            output_format="bf16",
            dma=DmaSpec(bytes_per_cycle=32, latency_cycles=4, external_beats=8192),
        ),
        pim=replace(_CHANNEL, dram=replace(_CHANNEL.dram, clock_ns=1.0)),  # one clock for all
        rows=64,
        program_words=1 << 16,
    ),
    clock=Fact(nominal=1.0, unit="GHz", confidence="assumed", source="the channel's, taken for all units"),
)
