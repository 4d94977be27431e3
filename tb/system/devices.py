"""The controllers that benches run: which device, how many banks, how often it refreshes."""

from dataclasses import replace

from hw import chips
from hw.base.error import InputError
from hw.spec.dram import Timing
from hw.spec.memory_controller import ControllerSpec
from hw.spec.pim import PimSpec

ROWS = 16
"""Rows of each bank."""

SHARED_WORDS = 256

DEVICES = {
    "aim_4": (2, 2, 331),
    "aim_16": (4, 4, 613),
}
"""Name -> bank groups, banks of each, refresh interval in cycles: short, so that refresh falls into every phase."""


def smaller(pim: PimSpec, groups: int, banks: int) -> PimSpec:
    """The device at a command clock of 1 ns, with so many banks and a unit beside each."""
    organisation = replace(pim.dram.organisation, bank_groups=groups, banks_per_group=banks)
    return replace(pim, dram=replace(pim.dram, organisation=organisation, clock_ns=1.0), units=groups * banks)


def controller(name: str) -> tuple[ControllerSpec, Timing]:
    """Controller and timing called `name`; raises `InputError` listing the known ones."""
    if name not in DEVICES:
        raise InputError(f"a controller must be one of {', '.join(DEVICES)}, not {name!r}")
    groups, banks, interval = DEVICES[name]
    pim = chips.load("aim").pim
    assert pim is not None
    spec = ControllerSpec(pim=smaller(pim, groups, banks), rows=ROWS, shared_words=SHARED_WORDS)
    return spec, spec.pim.dram.resolve(overrides={"t_refi": interval})
