"""The systems a decoder runs on: a core, a vector unit and one DRAM-PIM channel, all in the channel's format; one has
crossbars besides."""

from dataclasses import replace

from hw import chips
from hw.base.error import InputError
from hw.spec.core import CoreSpec
from hw.spec.crossbar import CrossbarSpec
from hw.spec.dma import DmaSpec
from hw.spec.mac_array import MacArraySpec
from hw.spec.system import SystemSpec

SYSTEMS = {"npu_aim": "aim", "npu_hbm_pim": "hbm_pim", "npu_crossbar": "aim"}
"""System -> the PIM device beside its core; of the one with crossbars the memory of keys, values and embedding."""

CROSSBARS = CrossbarSpec(
    rows=128, columns=16, cell_bits=2, scheme="differential", input_signed=True, columns_per_adc=8, adc_bits=10,
    wordline_cycles=1, settle_cycles=1, adc_cycles=1, sample_and_hold=True, tiles=8, arrays=64, lanes=16,
    buffer_words=2, parameter_words=1, write_cycles=50, verify_cycles=5,
)  # fmt: skip
"""Of npu_crossbar: 1 MiB of weights as in the chip reram_22nm, lossless; 64 arrays share the periphery of a tile, as in
published macros of megabits few of many rows and columns are read at a time."""


def decoder_system(name: str) -> SystemSpec:
    """The system called `name`, or the one around the PIM device of that name: 16 x 4 cells, one clock of 1 GHz."""
    if name not in SYSTEMS and name not in SYSTEMS.values():
        raise InputError(f"a system must be one of {', '.join(SYSTEMS)}, not {name!r}")
    pim = chips.load(SYSTEMS.get(name, name)).pim
    crossbar = CROSSBARS if name == "npu_crossbar" else None
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
    rows = 64 if pim.align_bits else 256
    return SystemSpec(core=core, pim=pim, rows=rows, program_words=1 << 16, crossbar=crossbar)
