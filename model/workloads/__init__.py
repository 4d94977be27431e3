"""One file per workload, each exporting `WORKLOAD`; the file's name is its name. No chip names here."""

import sys

from hw.base import catalog
from hw.spec.chip import Chip
from model.work.workload import Workload


def names() -> list[str]:
    """The names of all workloads."""
    return catalog.names(sys.modules[__name__])


def default(chip: Chip) -> str:
    """The workload a chip runs if none is named."""
    return chip.kind.workload


def load(name: str) -> Workload:
    """The workload called `name`; raises `InputError` listing the known ones."""
    return catalog.load(sys.modules[__name__], "WORKLOAD", name, "workload")
