"""The front of an exploration as a section: what was traded, who is on it, how sure that is, what was built of it."""

import json
from pathlib import Path
from typing import Any

from hw.base.error import InputError
from hw.base.file import write_atomically
from model.report.section_type import Section, say
from model.report.summary import Summary

FRONT, RTL, PICTURE = "front.json", "front_rtl.json", "front.png"
SURE = 0.9
"""Share of the samples from which on a design is said to stay."""

SHOWN = 20
"""Designs of the table; all are in front.csv."""


def read(store: Path) -> dict[str, Any]:
    """What `explore` wrote beside the points of `store`; `InputError` if it did not."""
    try:
        return json.loads((store / FRONT).read_text())
    except (OSError, ValueError):
        raise InputError(
            f"{store} must hold the front of an exploration ({FRONT}), and holds none; run kcloud-cosim explore with "
            "this store first"
        ) from None


def explored(summary: Summary, *, full: bool = True) -> list[Section]:
    """The section of the summary's store, if it has one."""
    if summary.store is None:
        return []
    found = read(summary.store)
    names, front = list(found["objectives"]), found["front"]
    axes = list(front[0]["axes"])
    shown = front if full and len(front) <= SHOWN else front[:: max(1, len(front) // SHOWN)]
    shown = [one for one in front if one in shown or one["knee"]]
    rows = [(*axes, *(f"{name} ({found['objectives'][name]})" for name in names), "bound by", "stays", "")]
    for one in shown:
        rows.append((
            *(str(value) for value in one["axes"].values()), *(_ranged(one["results"], name) for name in names),
            one["binds"], f"{one['stays']:.0%}", "knee" if one["knee"] else "",
        ))  # fmt: skip
    sure = sum(one["stays"] >= SURE for one in front)
    notes = [
        say(
            "{} points, {} designs, {} feasible, {} that no other beats ({} shown); {} stay on the front in {} of the "
            "samples of the uncertain inputs.",
            *(f"{count:,}" for count in (found["points"], found["designs"], found["feasible"], len(front),
                                         len(rows) - 1, sure)),
            f"{SURE:.0%}",
        )
    ]  # fmt: skip
    if found["sensitivity"]:
        each = ", ".join(f"{name} {share:.0%}" for name, share in found["sensitivity"].items())
        notes.append(say("Designs that stay if one input alone is uncertain, on average: {}.", each))
    return [
        Section(title=f"Exploration: {found['title']}", rows=tuple(rows), notes=tuple(notes)),
        *_built(summary.store),
    ]


def _built(store: Path) -> list[Section]:
    """Cores of the front that were built to RTL, if any were."""
    path = store / RTL
    if not path.is_file():
        return []
    built = json.loads(path.read_text())
    rows = [("core", "layers", "cycles predicted", "measured (RTL)", "off", "cells, mm2", "pJ a MAC (gates)")]
    for one in built:
        gates = one.get("gates") or {}
        rows.append((
            ", ".join(f"{name} {value}" for name, value in one["axes"].items()), str(one["layers"]),
            f"{one['predicted']:,}", f"{one['measured']:,}", str(one["off"]),
            _beside(gates, "area_mm2"), _beside(gates, "pj_per_mac"),
        ))  # fmt: skip
    return [Section(title="Exploration: cores of the front, built", rows=tuple(rows), notes=(
        say("Cells and energy: synthesised and simulated at the gates, in brackets what the sweep assumed."),
    ))]  # fmt: skip


def _beside(gates: dict[str, Any], name: str) -> str:
    if name not in gates:
        return ""
    return f"{gates[name]:.4g} ({gates['assumed_' + name]:.4g})"


def _ranged(results: dict[str, float], name: str) -> str:
    low, high = results.get(f"{name}_low"), results.get(f"{name}_high")
    shown = f"{results[name]:.4g}"
    return shown if low is None or high is None else f"{shown} ({low:.3g} to {high:.3g})"


def picture(summary: Summary) -> tuple[tuple[str, str], ...]:
    """(file name, caption) of the front's picture, copied into the report's folder."""
    if summary.store is None or not (summary.store / PICTURE).is_file():
        return ()
    write_atomically(summary.folder / PICTURE, (summary.store / PICTURE).read_bytes())
    return ((PICTURE, f"Exploration: {read(summary.store)['title']}"),)
