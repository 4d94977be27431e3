"""Colours, axes and labels of the plots."""

import textwrap
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib

from hw.base.file import write_atomically
from hw.base.palette import BLUE, GREEN, GREY, HATCHES, INK, LIGHT, ORANGE, PURPLE, SAFE

matplotlib.use("Agg")

from matplotlib import pyplot as plt  # after the backend is chosen
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "HATCHES",
    "INK",
    "LIGHT",
    "ORANGE",
    "PURPLE",
    "RC",
    "SAFE",
    "foot",
    "one_axes",
    "plt",
    "save",
]

SIZE = (8.4, 4.8)

RC: dict[Any, Any] = {
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def one_axes() -> tuple[Canvas, Axes]:
    """A canvas with one pair of axes."""
    canvas, axes = plt.subplots(figsize=SIZE, layout="constrained")
    return canvas, axes


FOOT = 150
"""Letters of small print in a line: what the width of a plot holds."""


def foot(canvas: Canvas, text: str) -> None:
    """Small print below the axes, wrapped to their width."""
    lines = [textwrap.fill(line, FOOT) for line in text.splitlines()]
    canvas.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=7.5, color=GREY)


def save(canvas: Canvas, path: Path) -> None:
    """PNG without a time stamp, written atomically: the same summary gives the same bytes."""
    drawn = BytesIO()
    canvas.savefig(drawn, format="png", dpi=130, metadata={"Software": None})
    write_atomically(path, drawn.getvalue())
