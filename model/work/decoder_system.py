"""The systems a decoder runs on: a core, a vector unit and one DRAM-PIM channel, all in the channel's format."""

from dataclasses import replace

from hw import chips
from hw.base.error import InputError
from hw.spec.core import CoreSpec
from hw.spec.dma import DmaSpec
from hw.spec.mac_array import MacArraySpec
from hw.spec.system import SystemSpec

SYSTEMS = {"npu_aim": "aim", "npu_hbm_pim": "hbm_pim"}
"""System -> the PIM device beside its core."""


def decoder_system(name: str) -> SystemSpec:
    """The system called `name`, or the one around the PIM device of that name: 16 x 4 cells, one clock of 1 GHz."""
    if name not in SYSTEMS and name not in SYSTEMS.values():
        raise InputError(f"a system must be one of {', '.join(SYSTEMS)}, not {name!r}")
    pim = chips.load(SYSTEMS.get(name, name)).pim
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
