"""What clock a core reaches at the gates, beside the clock that its chip's description states.

`tb gates core --chip NAME --write` maps a whole core and keeps its longest path here by the description of the core;
everything that turns cycles into seconds says so when the stated clock is above it.
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
    """The highest clock of one core at the gates.

    Parameters
    ----------
    ghz : float
        One over the longest path of the logic, buffers built and gates sized, memories answering at once, GHz.
    node_nm : int
        Of the cell library, nm.
    slowest : str
        The part of the core in which that path lies.
    """

    ghz: float
    node_nm: int
    slowest: str


def digest_of(machine: Machine | None) -> str:
    """Of the description, the key of the clocks that are kept."""
    return digest(plain(machine))


def reached(chip: Chip) -> Reached | None:
    """Of the chip's core; None if no core of this description was mapped whole."""
    kept = CLOCKS.get(digest_of(chip.machine))
    return None if kept is None else Reached(ghz=kept[1], node_nm=kept[2], slowest=kept[3])


def note(chip: Chip) -> str:
    """One sentence if the clock of the description is above what the gates of the core reach; "" if it is not, or if
    no gates are known."""
    found = reached(chip)
    if found is None or chip.clock is None or chip.clock.nominal <= found.ghz:
        return ""
    elsewhere = []
    for node in NODES:
        delay = scaling.delay_factor(node)
        elsewhere.append(
            f"{found.ghz / delay.nominal:.2f} at {node} nm ({found.ghz / delay.high:.2f} to "
            f"{found.ghz / delay.low:.2f})"
        )
    return (
        f"{chip.clock.nominal:g} GHz is stated ({chip.clock.confidence}), and the gates of this core reach "
        f"{found.ghz:.3f} GHz in {found.node_nm} nm ({found.slowest}); scaled, {', '.join(elsewhere)}: times in "
        f"seconds are of the stated clock, {chip.clock.nominal / found.ghz:.1f} times as fast as these gates"
    )


def short(chip: Chip) -> str:
    """The same for a list, in a few words; "" if there is nothing to say."""
    found = reached(chip)
    if found is None or not note(chip) or chip.clock is None:
        return ""
    return f"clock stated {chip.clock.nominal:g} GHz, gates reach {found.ghz:.2f} in {found.node_nm} nm"


def source(kept: Mapping[str, tuple[str, float, int, str]]) -> str:
    """The text of `hw/gates/core_clocks.py`: digest of a core's description -> its chip, GHz, nm, slowest part."""
    lines = [
        '"""Highest clocks of cores that were mapped whole: digest -> title of a chip, GHz, nm, slowest part."""',
        "",
    ]
    lines += ["# Written by `tb gates core --write`.", "", "CLOCKS: dict[str, tuple[str, float, int, str]] = {"]
    for key, (title, ghz, node, slowest) in sorted(kept.items(), key=lambda item: item[1]):
        texts = [json.dumps(text) for text in (title, slowest)]
        lines += [f'    "{key}": (', f"        {texts[0]},", f"        {ghz},", f"        {node},"]
        lines += [f"        {texts[1]},", "    ),"]
    lines += ["}", '"""Clocks by the digest of `CoreSpec`: a core of another description has none."""', ""]
    return "\n".join(lines)
