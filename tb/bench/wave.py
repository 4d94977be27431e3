"""From the manifest to a GTKWave save file: a group per interface and component, radixes, enumeration names."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vcd.gtkw import GTKWColor, GTKWSave

_MOST = 400
"""Signals in a save file; a 16 x 16 array has thousands, all of which stay in the signal tree."""


def save_file(manifest: Mapping[str, Any], dump: Path, path: Path) -> Path:
    """Write the `.gtkw` for the waveform `dump` of the design in `manifest`, and its translation tables beside it."""
    filters = _write_filters(manifest, path)
    top = manifest["name"]
    temporary = path.with_suffix(".writing")
    with open(temporary, "w") as file:
        save = GTKWSave(file)
        save.dumpfile(str(dump.resolve()))
        save.treeopen(f"{top}.")
        save.sst_expanded(True)
        for interface in manifest["interfaces"]:
            title = interface["name"] or "clock, reset, ports"
            with save.group(title, closed=interface["kind"] == "interface" and len(interface["ports"]) > 8):
                for port in (p for p in manifest["ports"] if p["name"] in interface["ports"]):
                    name = f"{top}.{port['name']}"
                    color = GTKWColor.green if port["name"].endswith(("__valid", "__ready")) else None
                    _trace(save, name, port, filters, color)
                    _fields(save, manifest, name, filters)
        _components(save, manifest, filters)
    temporary.replace(path)
    return path


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
    table = filters.get(signal["enum"] or "")
    alias = path.rpartition(".")[2]
    save.trace(name, alias=alias, datafmt="bin" if table else radix, color=color, translate_filter_file=table)


def _write_filters(manifest: Mapping[str, Any], path: Path) -> dict[str, str]:
    """One table per enumeration: binary value, name."""
    widths = {s["enum"]: s["width"] for s in [*manifest["signals"], *manifest["ports"]] if s["enum"]}
    written = {}
    for enum, table in manifest["enums"].items():
        if enum not in widths:
            continue
        file = path.with_suffix(f".{enum}.txt")
        lines = [f"{int(value):0{widths[enum]}b} {name}" for value, name in table.items()]
        file.write_text("\n".join(lines) + "\n")
        written[enum] = str(file.resolve())
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
