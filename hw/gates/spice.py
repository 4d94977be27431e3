"""Runs ngspice on a deck and reads its binary result."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hw.base.error import InputError

Waves = dict[str, NDArray[np.float64]]
"""Vector name (lower case, "time", "v(y)", "i(vdd)") to samples."""


def run(deck: str, timeout_s: float = 600.0) -> Waves:
    """The transient of `deck`; raises `InputError` if ngspice is missing or stops early."""
    if shutil.which("ngspice") is None:
        raise InputError(
            "transistor-level simulation must find ngspice on the path, and it is not there; "
            "install Debian's package ngspice"
        )
    with tempfile.TemporaryDirectory(prefix="spice-") as folder:
        path, raw = Path(folder) / "deck.sp", Path(folder) / "out.raw"
        path.write_text(deck)
        # One thread per run: with several runs at once, ngspice's threads only wait for each other.
        (Path(folder) / ".spiceinit").write_text("set num_threads=1\n")
        done = subprocess.run(
            ["ngspice", "-b", "-r", str(raw), str(path)],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            cwd=folder,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        if not raw.exists():
            last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no output"]
            raise InputError(
                f"ngspice must finish its deck, but stopped with {last[0]!r}; check the deck's title "
                f"{deck.splitlines()[0]!r}"
            )
        return read_raw(raw.read_bytes())


def read_raw(data: bytes) -> Waves:
    """The vectors of an ngspice binary raw file with real values."""
    head, _, body = data.partition(b"Binary:\n")
    lines = head.decode().splitlines()
    sizes = {line.split(":")[0]: line.split(":", 1)[1].strip() for line in lines if ":" in line}
    variables, points = int(sizes["No. Variables"]), int(sizes["No. Points"])
    start = next(i for i, line in enumerate(lines) if line.startswith("Variables:")) + 1
    names = [line.split()[1].lower() for line in lines[start : start + variables]]
    table = np.frombuffer(body, dtype=np.float64, count=variables * points).reshape(points, variables)
    return {name: table[:, i].copy() for i, name in enumerate(names)}


def charge(waves: Waves, source: str, begin_s: float, end_s: float) -> float:
    """Charge in coulombs that voltage source `source` delivers from `begin_s` to `end_s`."""
    time, current = waves["time"], waves[f"i({source})"]
    inside = (time > begin_s) & (time < end_s)
    t = np.concatenate(([begin_s], time[inside], [end_s]))
    i = np.concatenate(([np.interp(begin_s, time, current)], current[inside], [np.interp(end_s, time, current)]))
    return -float(np.trapezoid(i, t))


def crossing(waves: Waves, node: str, level: float, begin_s: float, end_s: float, rising: bool) -> float | None:
    """When v(node) last crosses `level` in the window in the given direction, by linear interpolation."""
    time, voltage = waves["time"], waves[f"v({node.lower()})"]
    first, last = np.searchsorted(time, [begin_s, end_s])
    v, t = voltage[first:last], time[first:last]
    passed = (v[:-1] < level) & (v[1:] >= level) if rising else (v[:-1] > level) & (v[1:] <= level)
    at = np.flatnonzero(passed)
    if at.size == 0:
        return None
    k = int(at[-1])
    return float(t[k] + (level - v[k]) / (v[k + 1] - v[k]) * (t[k + 1] - t[k]))
