"""From the manifest to a GTKWave save file: a group per interface and component, radixes, enumeration names."""

import math
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vcd.gtkw import GTKWColor, GTKWSave

from hw.base.file import write_atomically

_TEXTS = 40
"""Signals in the group of values with names."""
_MOST = 400
"""Signals in a save file; a 16 x 16 array has thousands, all of which stay in the signal tree."""


_WIDTH, _HEIGHT, _PIXELS = 1600, 900, 1000
"""Of the window, and of the part of it that shows time."""


def save_file(
    manifest: Mapping[str, Any],
    dump: Path,
    path: Path,
    *,
    names: Mapping[str, Mapping[int, str]] = MappingProxyType({}),
    end_ps: float | None = None,
) -> Path:
    """Write the `.gtkw` for the waveform `dump` of the design in `manifest`, its translation tables and a file of
    commands for Surfer (`.sucl`) beside it.

    Parameters
    ----------
    manifest : mapping
        Of the emitted design.
    dump, path : Path
        The waveform, and the save file.
    names : mapping of str to mapping of int to str
        Texts for the values of signals that have no enumeration in the RTL, by the last part of their name.
    end_ps : float or None
        End of the run: the picture holds all of it.
    """
    filters = _write_filters(manifest, path, names)
    top = manifest["name"]
    with StringIO() as file:
        save = GTKWSave(file)
        save.dumpfile(str(dump.resolve()))
        save.size(_WIDTH, _HEIGHT)
        save.pos(-1, -1)
        save.timestart(0)
        if end_ps:
            save.zoom_markers(zoom=-math.log2(max(1.0, end_ps / _PIXELS)))
        save.treeopen(f"{top}.")
        save.signals_width(320)
        save.sst_expanded(True)
        texts = _texts(manifest, filters)
        if texts:
            with save.group("values with names"):
                for signal in texts:
                    _trace(save, signal["path"], signal, filters, GTKWColor.yellow)
        for interface in manifest["interfaces"]:
            title = interface["name"] or "clock, reset, ports"
            with save.group(title, closed=interface["kind"] == "interface" and len(interface["ports"]) > 8):
                for port in (p for p in manifest["ports"] if p["name"] in interface["ports"]):
                    name = f"{top}.{port['name']}"
                    color = GTKWColor.green if port["name"].endswith(("__valid", "__ready")) else None
                    _trace(save, name, port, filters, color)
                    _fields(save, manifest, name, filters)
        _components(save, manifest, filters)
        write_atomically(path, file.getvalue())
    _surfer(manifest, dump, path, [signal["path"] for signal in texts])
    return path


def _texts(manifest: Mapping[str, Any], filters: Mapping[str, str]) -> list[dict[str, Any]]:
    """Ports and signals whose values have names, the top's own first: what happens is read there. Each once: a port of
    the top is a signal of the manifest too, and again a port of the design in the frame of a bench."""
    top = manifest["name"]
    ports = [{**port, "path": f"{top}.{port['name']}"} for port in manifest["ports"]]
    found = [s for s in (*ports, *manifest["signals"]) if _table(s, filters) and not _generated(s["path"])]
    found = [s for s in found if not s.get("input") or s in ports]
    once: dict[str, dict[str, Any]] = {}
    for signal in sorted(found, key=lambda s: s["path"].count(".")):
        once.setdefault(signal["path"].replace(f"{top}.dut.", f"{top}."), signal)
    return list(once.values())[:_TEXTS]


def _surfer(manifest: Mapping[str, Any], dump: Path, path: Path, texts: list[str]) -> None:
    """Commands that open the same picture in Surfer: `surfer -c FILE.sucl`."""
    top = manifest["name"]
    streams = [f"{top}.{name}" for interface in manifest["interfaces"] for name in interface["ports"]]
    lines = [f"load_file {dump.resolve()}", *(f"variable_add {name}" for name in [*texts, *streams]), "zoom_fit"]
    write_atomically(path.with_suffix(".sucl"), "\n".join(lines) + "\n")


def _generated(path: str) -> bool:
    """Whether the RTL's tools made the name up: nobody wrote it."""
    return any(part.startswith("$") for part in path.split("."))


def _table(signal: Mapping[str, Any], filters: Mapping[str, str]) -> str | None:
    """The translation table of a signal's values: its enumeration's, or that of its name and width."""
    last = re.split(r"__|\.", _alias(signal.get("path", signal.get("name", ""))))[-1]
    return filters.get(signal["enum"] or "") or filters.get(f"{last}:{signal['width']}")


def _alias(path: str) -> str:
    """The last part of a path without the number that tells copies of a name apart."""
    return re.sub(r"\$\d+$", "", path.rpartition(".")[2])


def _components(save: GTKWSave, manifest: Mapping[str, Any], filters: dict[str, str]) -> None:
    """A closed group per instance: its registers and signals with names for values; of instances that are equal, all
    but the first show only the latter, every cell of an array is left to the tree."""
    prefix = f"{manifest['name']}.dut"
    seen: set[str] = set()
    shown = 0
    for instance, module in manifest["instances"].items():
        if not instance.startswith(prefix):
            continue
        signals = [
            s
            for s in manifest["signals"]
            if s["path"].rpartition(".")[0] == instance
            and (s["enum"] or (s["register"] and module not in seen))
            and not s["input"]
            and not s["path"].startswith(f"{instance}._")  # words read from memories: no name, not in the waveform
        ]
        seen.add(module)
        if not signals or shown + len(signals) > _MOST:
            continue
        shown += len(signals)
        with save.group(instance[len(manifest["name"]) + 1 :], closed=True):
            for signal in signals:
                _trace(save, signal["path"], signal, filters, GTKWColor.yellow if signal["enum"] else None)


def _fields(save: GTKWSave, manifest: Mapping[str, Any], name: str, filters: dict[str, str]) -> None:
    for signal in manifest["signals"]:
        if signal["path"].startswith(f"{name}."):
            _trace(save, signal["path"], signal, filters, None)


def _trace(
    save: GTKWSave, path: str, signal: Mapping[str, Any], filters: dict[str, str], color: GTKWColor | None
) -> None:
    width = signal["width"]
    name = path if width == 1 else f"{path}[{width - 1}:0]"
    radix = "bin" if width == 1 else "signed" if signal["signed"] else "dec" if width <= 24 else "hex"
    if _generated(path):
        return
    table = _table({**signal, "path": path}, filters)
    alias = _alias(path)
    save.trace(name, alias=alias, datafmt="bin" if table else radix, color=color, translate_filter_file=table)


def _write_filters(manifest: Mapping[str, Any], path: Path, names: Mapping[str, Mapping[int, str]]) -> dict[str, str]:
    """One table per enumeration, and one per name with texts and width: binary value, name."""
    widths = {s["enum"]: s["width"] for s in [*manifest["signals"], *manifest["ports"]] if s["enum"]}
    written = {}
    for enum, table in manifest["enums"].items():
        if enum not in widths:
            continue
        file = path.with_suffix(f".{enum}.txt")
        lines = [f"{int(value):0{widths[enum]}b} {name}" for value, name in table.items()]
        write_atomically(file, "\n".join(lines) + "\n")
        written[enum] = str(file.resolve())
    for signal in (*manifest["signals"], *manifest["ports"]):
        last = re.split(r"__|\.", _alias(signal.get("path", signal.get("name", ""))))[-1]
        key = f"{last}:{signal['width']}"
        if last in names and not signal["enum"] and key not in written:
            file = path.with_suffix(f".{last}.{signal['width']}.txt")
            rows = [f"{value:0{signal['width']}b} {text}" for value, text in names[last].items()
                    if value < 1 << signal["width"]]  # fmt: skip
            write_atomically(file, "\n".join(rows) + "\n")
            written[key] = str(file.resolve())
    return written


def show(save: Path) -> str:
    """Open GTKWave on `save` if there is a display and GTKWave; one line saying what was done or how to do it."""
    if shutil.which("gtkwave") is None:
        return f"no GTKWave here: install it (`apt install gtkwave`) and run `gtkwave {save}`"
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return f"no display here: where there is one, run `gtkwave {save}`"
    subprocess.Popen(
        ["gtkwave", str(save)], start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return f"GTKWave was opened on {save}"
