"""Plots of the sweeps in `tasks.json`: one row a task, one column a sweep, bands over seeds."""

from io import BytesIO
from pathlib import Path

import matplotlib

from hw.base.file import write_atomically

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib import rcsetup

from hw.base.palette import GREY, SAFE
from model.crossbar.measure import POINTS, TASKS, Point, key, read

TITLES = {
    "digits": "digits, accuracy",
    "digits_cnn": "convolutional digits, accuracy",
    "text": "text, bits a character",
}
SWEEPS = {
    "converter": "converter bits (calibrated)",
    "error": "programming error",
    "cells": "bits a cell, error 2 % of G_max",
    "drift": "drift exponent, after a day",
}


def place(point: Point) -> float:
    """Where a point stands on the axis of its sweep."""
    return {"converter": point.adc_bits, "error": point.error, "cells": point.cell_bits, "drift": point.drift}[
        point.sweep
    ]


def series(point: Point) -> str:
    """The line a point belongs to."""
    if point.sweep == "error":
        return f"{point.scheme}, of {'G_max' if point.kind == 'gmax' else 'G'}"
    if point.sweep == "drift":
        return "8-bit converters, 1 % error" if point.adc_bits else "drift alone"
    return point.scheme


def draw(folder: Path) -> Path:
    """`crossbar-tasks.svg` in `folder`; what has not been measured is left out."""
    held = read()
    plt.rcParams["axes.prop_cycle"] = rcsetup.cycler(color=SAFE)
    figure, axes = plt.subplots(len(TASKS), len(SWEEPS), figsize=(14, 8), layout="constrained")
    for row, task in enumerate(TASKS):
        for column, (sweep, label) in enumerate(SWEEPS.items()):
            axis = axes[row][column]
            lines: dict[str, list[tuple[float, float, float, float]]] = {}
            for point in POINTS:
                values = held.get(key(task, point))
                if point.sweep == sweep and values:
                    mean = sum(values) / len(values)
                    lines.setdefault(series(point), []).append((place(point), min(values), mean, max(values)))
            for name, found in lines.items():
                x, low, mean, high = zip(*sorted(found), strict=True)
                axis.plot(x, mean, marker="o", markersize=3, label=name)
                axis.fill_between(x, low, high, alpha=0.25)
            exact = held.get(f"exact {task}")
            if exact:
                axis.axhline(exact[0], color=GREY, linewidth=0.8, linestyle="--", label="exact (the NPU)")
            axis.set_xlabel(label)
            if column == 0:
                axis.set_ylabel(TITLES[task])
            if row == 0:
                axis.legend(fontsize=6)
    target, drawn = folder / "crossbar-tasks.svg", BytesIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    write_atomically(target, drawn.getvalue())
    plt.close(figure)
    return target
