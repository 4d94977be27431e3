"""One file per chip, each exporting `CHIP`; the file's name is the chip's name."""

import sys

from hw.base import catalog
from hw.spec.chip import Chip


def names() -> list[str]:
    """The names of all chips."""
    return catalog.names(sys.modules[__name__])


def load(name: str) -> Chip:
    """The chip called `name`; raises `InputError` listing the known ones."""
    return catalog.load(sys.modules[__name__], "CHIP", name, "chip")
