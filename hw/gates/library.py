"""The libraries a netlist can be mapped to, behind one interface."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hw.base.error import InputError
from hw.cells import MINI45_LIBERTY
from hw.gates import liberty
from hw.gates.liberty import Library


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """Capacitance of a routed net before layout: a constant plus a part per input it drives.

    Parameters
    ----------
    base_ff : float
        Of every net, fF.
    per_fanout_ff : float
        Of each input the net drives, fF; a net that leaves the block unread counts as driving one.
    """

    base_ff: float
    per_fanout_ff: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A library with what synthesis must know beyond it.

    Parameters
    ----------
    library : Library
        The cells, as read from its Liberty file.
    wire : Wire
        Capacitance assumed for nets, as there is no layout.
    input_slew_ns : float
        Slew assumed at the inputs and the clock of a block, ns.
    """

    library: Library
    wire: Wire
    full_adder: tuple[str, str, str, str, str, str]
    """Cell, its three inputs, its carry and its sum pin."""
    input_slew_ns: float


NAMES = ("mini45", "osu018")


def load(name: str, build: Path = Path("build")) -> Process:
    """The process called `name`; `osu018` is fetched from Debian into `build` at first use."""
    if name == "mini45":
        return Process(
            library=liberty.read(MINI45_LIBERTY),
            wire=Wire(base_ff=0.3, per_fanout_ff=0.6),
            full_adder=("FA_X1", "A", "B", "CI", "CO", "S"),
            input_slew_ns=0.03,
        )
    if name == "osu018":
        return Process(
            library=liberty.read(_fetch_osu018(build)),
            wire=Wire(base_ff=5.0, per_fanout_ff=6.0),
            full_adder=("FAX1", "A", "B", "C", "YC", "YS"),
            input_slew_ns=0.1,
        )
    raise InputError(f"a cell library must be one of {', '.join(NAMES)}, not {name!r}; choose a known one")


def _fetch_osu018(build: Path) -> Path:
    """The Liberty file of Debian's qflow-tech-osu018, unpacked but not installed: it would pull 175 packages."""
    folder = build / "osu018"
    found = sorted(folder.glob("usr/share/qflow/tech/osu018/*.lib"))
    if found:
        return found[0]
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise InputError(
            "library osu018 must come from Debian's package qflow-tech-osu018, but apt-get or dpkg-deb is "
            "missing; use mini45"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for command in (["apt-get", "download", "qflow-tech-osu018"], None):
        command = command or ["dpkg-deb", "-x", *(p.name for p in folder.glob("*.deb")), "."]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise InputError(
                f"Debian's qflow-tech-osu018 must be obtainable, but `{' '.join(command)}` failed; "
                f"check the network or use mini45"
            )
    found = sorted(folder.glob("usr/share/qflow/tech/osu018/*.lib"))
    if not found:
        raise InputError("Debian's qflow-tech-osu018 must hold a Liberty file, but has none; use mini45")
    return found[0]
