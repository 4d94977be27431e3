"""Switching activity: Verilator's SAIF file to toggles per component.

RTL activity of a zero-delay simulation: no glitches. Counted are the bits of named signals where they are driven;
inputs belong to the component that drives them, clock and reset to none.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hw.base.error import InputError

_INSTANCE = re.compile(r"\(INSTANCE (\S+)")
_NET = re.compile(r"\((\S+) \(T0 .*\(TC (\d+)\)")


def bit_toggles(saif: Path) -> Iterator[tuple[str, str, int]]:
    """(instance path, signal name, toggles) of every bit in a SAIF file as Verilator writes it. Errors as `bits`."""
    return ((path, re.sub(r"\[\d+\]$", "", name), count) for path, name, count in bits(saif))


def bits(saif: Path) -> Iterator[tuple[str, str, int]]:
    """(instance path, name with the bit's number if it has one, toggles) of every bit in a SAIF file.

    Raises `InputError` if the file is missing or ends early.
    """
    path: list[str] = []
    opened: list[bool] = []  # for each open parenthesis: is it an instance's?
    complete = False
    try:
        with open(saif, errors="replace") as file:
            for line in file:
                text = line.strip()
                if (match := _NET.match(text)) and text.endswith("))"):
                    name = match[1].replace("\\", "")
                    yield ".".join(path), name, int(match[2])
                    continue
                if match := _INSTANCE.match(text):
                    path.append(match[1].replace("\\", ""))
                    opened.append(True)
                    continue
                for character in re.sub(r'"[^"]*"', "", text) if not text.startswith("//") else "":
                    if character == "(":
                        opened.append(False)
                    elif character == ")" and opened:
                        if opened.pop():
                            path.pop()
                        complete = not opened
    except OSError as error:
        raise InputError(f"the activity file {saif} must be readable, not: {error.strerror}; run again") from error
    if not complete:
        raise InputError(f"the activity file {saif} must be a complete SAIF file, it ends early; run again")


def toggles(saif: Path, manifest: Mapping[str, Any], components: Mapping[str, str]) -> dict[str, int]:
    """Toggles of each component of the design in `<top>.dut`.

    `components` maps an instance's path below `dut` to a component; the longest match decides, "" is the rest.
    """
    top = manifest["name"]
    driven = {
        s["path"] for s in manifest["signals"] if not s["input"] and s["path"].rpartition(".")[2] not in ("clk", "rst")
    }
    prefix = f"{top}.dut"
    found: dict[str, int] = {}
    for instance, name, count in bit_toggles(saif):
        if (instance != prefix and not instance.startswith(prefix + ".")) or f"{instance}.{name}" not in driven:
            continue
        if _is_field(name, instance, driven):
            continue
        component = _component(instance[len(prefix) + 1 :], components)
        if component:
            found[component] = found.get(component, 0) + count
    return dict(sorted(found.items()))


def _is_field(name: str, instance: str, driven: set[str]) -> bool:
    """Whether `name` is a field of a structure that is counted as a whole."""
    head, dot, _ = name.rpartition(".")
    return bool(dot) and f"{instance}.{head}" in driven


def _component(instance: str, components: Mapping[str, str]) -> str:
    while instance:
        if instance in components:
            return components[instance]
        instance = instance.rpartition(".")[0]
    return components.get("", "")
