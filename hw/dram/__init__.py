"""One file per DRAM standard, each exporting `DRAM`; the file's name is the standard's name."""

import sys

from hw.base import catalog
from hw.spec.dram import DramSpec


def names() -> list[str]:
    """The names of all standards."""
    return catalog.names(sys.modules[__name__])


def load(name: str) -> DramSpec:
    """The standard called `name`; raises `InputError` listing the known ones."""
    return catalog.load(sys.modules[__name__], "DRAM", name, "DRAM standard")
