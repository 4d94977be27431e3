"""What clock a machine reaches at the gates, beside the clock that its chip's description states.

`tb gates core --chip NAME --write` maps a whole core, or the parts of a PIM device, and keeps its longest path here by
the description of the machine; everything that turns cycles into seconds says whether the stated clock is above it, or
that nobody has measured one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from hw.base.digest import digest, plain
from hw.gates import scaling
from hw.gates.core_clocks import CLOCKS
from hw.spec.chip import Chip
from hw.spec.machine import Machine

NODES = (28, 16, 7)
"""Nodes at which the note says what the gates would reach, nm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """The highest clock of one machine at the gates.

    Parameters
    ----------
    ghz : float
        One over the longest path of the logic, buffers built and gates sized, memories answering at once, GHz.
    node_nm : int
        Of the cell library, nm.
    slowest : str
        The part of the machine in which that path lies.
    """

    ghz: float
    node_nm: int
    slowest: str


def digest_of(machine: Machine | None) -> str:
    """Of the description, the key of the clocks that are kept."""
    return digest(plain(machine))


def reached(chip: Chip) -> Reached | None:
    """Of the chip's machine; None if no machine of this description was mapped whole."""
    kept = CLOCKS.get(digest_of(chip.machine))
    return None if kept is None else Reached(ghz=kept[1], node_nm=kept[2], slowest=kept[3])


def note(chip: Chip) -> str:
    """One sentence on the clock that the chip's seconds are of: above what its gates reach, within it, or not
    measured; of a chip of published facts alone, that no gates of it are here."""
    if chip.machine is None:
        return "no gates of this chip are here: times in seconds are of what its maker states"
    found, clock = reached(chip), chip.stated_clock
    stated = "no clock is stated" if clock is None else f"{clock.nominal:g} GHz is stated ({clock.confidence})"
    if found is None:
        return (
            f"{stated}, and no clock of this machine was measured at the gates here (`kcloud-cosim gates core` does, "
            "for cores and PIM devices)"
        )
    reach = f"the gates of this machine reach {found.ghz:.3f} GHz in {found.node_nm} nm ({found.slowest})"
    if clock is None or clock.nominal <= found.ghz:
        return f"{stated}, and {reach}"
    elsewhere = []
    for node in NODES:
        delay = scaling.delay_factor(node)
        elsewhere.append(
            f"{found.ghz / delay.nominal:.2f} at {node} nm ({found.ghz / delay.high:.2f} to "
            f"{found.ghz / delay.low:.2f})"
        )
    return (
        f"{stated}, and {reach}; scaled, {', '.join(elsewhere)}: times in seconds are of the stated clock, "
        f"{clock.nominal / found.ghz:.1f} times as fast as these gates"
    )


def short(chip: Chip) -> str:
    """The same for a list, in a few words; "" for published facts alone."""
    if chip.machine is None:
        return ""
    found, clock = reached(chip), chip.stated_clock
    stated = "" if clock is None else f"clock stated {clock.nominal:g} GHz, "
    if found is None:
        return f"{stated}none measured at the gates"
    return f"{stated}gates reach {found.ghz:.2f} in {found.node_nm} nm"


def source(kept: Mapping[str, tuple[str, float, int, str]]) -> str:
    """The text of `hw/gates/core_clocks.py`: digest of a machine's description -> its chip, GHz, nm, slowest part."""
    lines = [
        '"""Highest clocks of machines that were mapped whole: digest -> title of a chip, GHz, nm, slowest part."""',
        "",
    ]
    lines += ["# Written by `tb gates core --write`.", "", "CLOCKS: dict[str, tuple[str, float, int, str]] = {"]
    for key, (title, ghz, node, slowest) in sorted(kept.items(), key=lambda item: item[1]):
        texts = [json.dumps(text) for text in (title, slowest)]
        lines += [f'    "{key}": (', f"        {texts[0]},", f"        {ghz},", f"        {node},"]
        lines += [f"        {texts[1]},", "    ),"]
    lines += ["}", '"""Clocks by the digest of a machine: one of another description has none."""', ""]
    return "\n".join(lines)
