"""One file per stage of the programme, each exporting `STAGE`; the file's name is the stage's name."""

import sys

from hw.base import catalog
from model.projection.stage import Stage


def names() -> list[str]:
    """The names of all stages, in order."""
    return catalog.names(sys.modules[__name__])


def load(name: str) -> Stage:
    """The stage called `name`; raises `InputError` listing the known ones."""
    return catalog.load(sys.modules[__name__], "STAGE", name, "stage")
