"""The controllers and systems that benches run: which device, how many banks, how often it refreshes."""

from dataclasses import replace

from hw import chips
from hw.base.error import InputError
from hw.spec.core import CoreSpec
from hw.spec.crossbar import CrossbarSpec
from hw.spec.dma import DmaSpec
from hw.spec.dram import Timing
from hw.spec.mac_array import MacArraySpec
from hw.spec.memory_controller import ControllerSpec
from hw.spec.pim import PimSpec
from hw.spec.system import SystemSpec

ROWS = 16
"""Rows of each bank."""

SHARED_WORDS = 256

DEVICES = {
    "aim_4": ("aim", 2, 2, 331),
    "aim_16": ("aim", 4, 4, 613),
    "hbm_pim": ("hbm_pim", 4, 4, 1201),
}
"""Name -> chip, bank groups, banks of each, refresh interval in cycles: short, so that it falls into every phase."""


def smaller(pim: PimSpec, groups: int, banks: int) -> PimSpec:
    """The device at a command clock of 1 ns, with so many banks and a unit beside each."""
    organisation = replace(pim.dram.organisation, bank_groups=groups, banks_per_group=banks)
    return replace(
        pim, dram=replace(pim.dram, organisation=organisation, clock_ns=1.0), units=groups * banks // pim.banks_per_unit
    )


def controller(name: str) -> tuple[ControllerSpec, Timing]:
    """Controller and timing called `name`; raises `InputError` listing the known ones."""
    if name not in DEVICES:
        raise InputError(f"a controller must be one of {', '.join(DEVICES)}, not {name!r}")
    chip, groups, banks, interval = DEVICES[name]
    pim = chips.load(chip).pim
    assert pim is not None
    spec = ControllerSpec(pim=smaller(pim, groups, banks), rows=ROWS, shared_words=SHARED_WORDS)
    return spec, spec.pim.dram.resolve(overrides={"t_refi": interval})


TWO = "two_"
"""Before the name of a channel: two of them."""

WITH_CROSSBARS = "_crossbar"
"""Behind the name of a channel: crossbars beside it."""

CROSSBARS = CrossbarSpec(
    rows=16, columns=16, cell_bits=4, scheme="differential", array="digital", input_signed=True, adc_bits=9,
    columns_per_adc=8, sample_and_hold=True, tiles=2, arrays=5, lanes=16, buffer_words=2, parameter_words=1,
)  # fmt: skip
"""Two tiles of 16 x 16 in RTL, whose five arrays share converters."""


def system(name: str) -> tuple[SystemSpec, Timing]:
    """The smallest system around the channel called `name`, with a core of 4 x 4 cells of its format."""
    controlled, timing = controller(name.removeprefix(TWO).removesuffix(WITH_CROSSBARS))
    number = controlled.pim.number
    core = CoreSpec(
        array=MacArraySpec(rows=4, columns=4, activation_format=number, weight_format=number, mac_latency=1),
        activation_words=64,
        weight_words=64,
        accumulator_rows=64,
        output_words=64,
        parameter_words=4,
        command_entries=4,
        output_format=number,
        dma=DmaSpec(bytes_per_cycle=32, latency_cycles=4, external_beats=SHARED_WORDS, banks=4),
    )
    channels = 1 + name.startswith(TWO)
    crossbar = CROSSBARS if name.endswith(WITH_CROSSBARS) else None
    return SystemSpec(
        core=core, pim=controlled.pim, rows=ROWS, program_words=512, channels=channels, crossbar=crossbar
    ), timing
