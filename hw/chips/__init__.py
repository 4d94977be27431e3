"""One file per chip, each exporting `CHIP`; the file's name is the chip's name.

A chip may also lie in a file of the user's own, Python or JSON, anywhere: it is given by its path and known by the
file's stem.
"""

import argparse
import sys
from typing import TypeVar

from hw.base import catalog, own_file
from hw.base.error import InputError
from hw.spec.chip import Chip

_Machine = TypeVar("_Machine")


def names() -> list[str]:
    """The names of all chips, the user's own included."""
    return sorted({*catalog.names(sys.modules[__name__]), *own_file.registered("chip")})


def load(name: str) -> Chip:
    """The chip called `name`, or in the file of this path.

    Raises `InputError` with the nearest known name, or file and line of what is wrong in a chip's file.
    """
    if own_file.is_path(name):
        name = own_file.register("chip", name)
    path = own_file.registered("chip").get(name)
    if path is None:
        chip = catalog.load(sys.modules[__name__], "CHIP", name, "chip")
    elif path.suffix == ".json":
        from hw.spec.from_json import read_chip

        chip = read_chip(path)
    else:
        chip = catalog.constant_of(own_file.module_of(path, "chip"), "CHIP", name, "chip")
    if not isinstance(chip, Chip):
        raise InputError(f"CHIP in the file of chip {name!r} must be a Chip, not {chip!r}; correct it")
    return chip


def load_all() -> tuple[dict[str, Chip], list[str]]:
    """Every chip that can be loaded, by name, and one sentence for each that cannot: its file is unfinished."""
    found, broken = dict[str, Chip](), list[str]()
    for name in names():
        try:
            found[name] = load(name)
        except InputError as error:
            broken.append(f"left out: {error}")
    return found, broken


def option(text: str) -> str:
    """What `--chip` was given, as the chip's name: a name as it is, a path as the stem of its file."""
    try:
        return own_file.register("chip", text) if own_file.is_path(text) else text
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def machine(chip: Chip, spec: type[_Machine], needed: str = "this") -> _Machine:
    """`Chip.machine_as`, naming the chips whose machine is described by `spec` if that of `chip` is not."""
    known = "" if isinstance(chip.machine, spec) else ", ".join(with_machine(spec))
    return chip.machine_as(spec, needed, known)


def with_machine(spec: type) -> list[str]:
    """The names of the chips whose machine is described by `spec`."""
    return [name for name, chip in load_all()[0].items() if isinstance(chip.machine, spec)]
