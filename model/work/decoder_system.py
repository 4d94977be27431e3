"""The systems that the decoder runs on."""

from dataclasses import replace

from hw import chips
from hw.spec.core import CoreSpec
from hw.spec.dma import DmaSpec
from hw.spec.mac_array import MacArraySpec
from hw.spec.system import SystemSpec


def decoder_system(device: str) -> SystemSpec:
    """A core of 16 x 4 cells and a channel of `device`, one clock of 1 GHz."""
    pim = chips.load(device).pim
    assert pim is not None
    pim = replace(pim, dram=replace(pim.dram, clock_ns=1.0))
    core = CoreSpec(
        array=MacArraySpec(rows=16, columns=4, activation_format=pim.number, weight_format=pim.number),
        activation_words=2048,
        weight_words=1024,
        accumulator_rows=256,
        output_words=1024,
        parameter_words=4,
        output_format=pim.number,
        dma=DmaSpec(bytes_per_cycle=32, latency_cycles=4, external_beats=8192),
    )
    return SystemSpec(core=core, pim=pim, rows=64 if pim.align_bits else 256, program_words=1 << 16)
