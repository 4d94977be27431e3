"""One file per chip, each exporting `CHIP`; the file's name is the chip's name."""

import sys
from typing import TypeVar

from hw.base import catalog
from hw.spec.chip import Chip

_Machine = TypeVar("_Machine")


def names() -> list[str]:
    """The names of all chips."""
    return catalog.names(sys.modules[__name__])


def load(name: str) -> Chip:
    """The chip called `name`; raises `InputError` listing the known ones."""
    return catalog.load(sys.modules[__name__], "CHIP", name, "chip")


def machine(chip: Chip, spec: type[_Machine], needed: str = "this") -> _Machine:
    """`Chip.machine_as`, naming the chips whose machine is described by `spec` if that of `chip` is not."""
    known = "" if isinstance(chip.machine, spec) else ", ".join(with_machine(spec))
    return chip.machine_as(spec, needed, known)


def with_machine(spec: type) -> list[str]:
    """The names of the chips whose machine is described by `spec`."""
    return [name for name in names() if isinstance(load(name).machine, spec)]
