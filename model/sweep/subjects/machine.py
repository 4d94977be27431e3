"""Any machine of a chip on a workload, by the cycle model of its kind: stepped where there is no closed form.

A point is one chip with some fields of its machine changed, and one workload: PIM units of a DRAM, converter bits of a
crossbar, bytes per cycle of a core's copy channels. Cycles and events are those of `kcloud-cosim predict`; what the
workload scores with the machine's own arithmetic (images classified right) comes from its functional model.

    seconds = cycles / clock
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from hw import chips
from hw.base.catalog import nearest
from hw.base.change import change, fields_of
from hw.base.error import InputError
from hw.spec.chip import Chip
from model import workloads
from model.predict import predict
from model.record import Result
from model.sweep.space import Space

OWN: Mapping[str, str] = {
    "chip": "a file in hw/chips with a machine",
    "workload": "a file in model/workloads",
    "clock_ghz": "clock, GHz (default: the chip's)",
}

RESULTS: Mapping[str, str] = {
    "cycles": "cycles of the machine, as `predict` says them",
    "seconds": "s at the nominal clock",
    "macs": "useful multiply-accumulates",
    "macs_per_s": "useful multiply-accumulates a second",
    "utilisation": "useful multiply-accumulates over the most that the machine does",
    "energy_j": "J by the leading table of its kind, nominal",
    "energy_j_low": "J, low end of that table",
    "energy_j_high": "J, high end of that table",
    "pj_per_mac": "pJ of energy_j for a useful multiply-accumulate",
    "correct": "share of the task's images classified right, 0 to 1; NaN without a task",
    "stepped": "1: cycles by a stepped model, 0: by a closed form",
}

ADDED = ("cycles", "seconds", "macs", "energy_j", "energy_j_low", "energy_j_high")
"""Results that add up over the workloads of a design."""

INDEPENDENT: Mapping[str, tuple[str, str]] = {"energy_j": ("energy_j_low", "energy_j_high")}
"""Objective -> ends of its range; the error of a table is drawn once for all designs of one kind of machine."""

GROUP = ""
"""All designs share the error of their table."""

CHUNK = 8
"""Points of a file: each takes from a millisecond to a minute."""


def check(space: Space) -> None:
    """Raises `InputError` if a chip has no machine, an axis is no field of it, or the workload is not named."""
    names = space.distinct.get("chip", [space.base.get("chip")])
    if names == [None]:
        raise InputError("a space of machines must name a chip, as an axis or in its base; add it")
    for name in names:
        machine = chips.load(str(name)).kind and chips.load(str(name)).machine
        known = {**fields_of(machine), **OWN}
        for axis in space.axes:
            if axis not in known:
                raise InputError(
                    f"axis {axis!r} must be a field of the machine of {name} or one of {', '.join(OWN)}; "
                    f"{nearest(axis, list(known))}correct it"
                )
    wanted = space.distinct.get("workload", [space.base.get("workload")])
    if wanted == [None]:
        raise InputError("a space of machines must name a workload, as an axis or in its base; add it")
    for name in wanted:
        workloads.load(str(name))


def evaluate(space: Space, columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Results of the points; NaN where the machine cannot be built so or cannot run the workload."""
    length = len(next(iter(columns.values())))
    found = {name: np.full(length, np.nan) for name in RESULTS}
    for index in range(length):
        values = {**space.base, **{name: column[index].item() for name, column in columns.items()}}
        for name, value in (_point(values) or {}).items():
            found[name][index] = value
    return found


def machine_of(values: Mapping[str, Any]) -> Chip:
    """The chip of a point; `InputError` if its fields contradict each other."""
    chip = chips.load(str(values["chip"]))
    known = fields_of(chip.machine)
    settings = [f"{name}={value}" for name, value in values.items() if name in known]
    return replace(chip, machine=change(chip.machine, settings)) if settings else chip


def _point(values: Mapping[str, Any]) -> dict[str, float] | None:
    workload = workloads.load(str(values["workload"]))
    try:
        chip = machine_of(values)
        told = predict(chip, workload)
    except InputError:
        return None
    figures, decided = chip.kind.door("reference").score(chip, workload, 1)
    clock = float(values.get("clock_ghz", told.clock.nominal if told.clock else np.nan))
    result = Result(
        chip=str(values["chip"]), chip_digest=chip.digest, workload=str(values["workload"]),
        workload_digest=workload.digest, witness="model", seed=1, cycles=told.cycles, counts=told.counts + decided,
    )  # fmt: skip
    priced, _ = chip.kind.door("prices").prices(str(values["chip"]), chip.machine, result, None)
    row = {
        "cycles": told.cycles,
        "seconds": told.cycles / clock * 1e-9,
        "macs": told.macs,
        "macs_per_s": told.macs / told.cycles * clock * 1e9,
        "utilisation": told.utilisation,
        "stepped": float(told.stepped),
    }
    if priced:
        total = priced[0][1].total_j
        row |= {
            "energy_j": total.nominal,
            "energy_j_low": total.low,
            "energy_j_high": total.high,
            "pj_per_mac": 1e12 * total.nominal / told.macs,
        }
    if figures.get("images"):
        row["correct"] = figures["correct"] / figures["images"]
    return row


def binds(space: Space, results: Mapping[str, float]) -> str:
    """What keeps a design from being faster: its own rate, or that it stands still most of the time."""
    return "array" if results["utilisation"] >= 0.5 else "waiting"
