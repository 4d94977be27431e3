"""One file per PIM command set, each exporting `COMMANDS`; the file's name is the set's name."""

import sys

from hw.base import catalog
from hw.spec.pim_command import CommandSet


def names() -> list[str]:
    """The names of all command sets."""
    return catalog.names(sys.modules[__name__])


def load(name: str) -> CommandSet:
    """The command set called `name`; raises `InputError` listing the known ones."""
    return catalog.load(sys.modules[__name__], "COMMANDS", name, "PIM command set")
