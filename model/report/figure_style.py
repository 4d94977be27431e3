"""Colours, axes and labels of the plots."""

import textwrap
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib

from hw.base.file import write_atomically

matplotlib.use("Agg")

from matplotlib import pyplot as plt  # after the backend is chosen
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

INK, GREY, LIGHT = "#1a1a1a", "#6b6b6b", "#d9d9d9"
BLUE, ORANGE, GREEN, PURPLE = "#2b6cb0", "#dd6b20", "#2f855a", "#6b46c1"
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
SAFE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#000000")
"""Okabe and Ito's colours, told apart under every colour blindness."""
HATCHES = ("", "//", "..", "xx", "\\\\", "oo", "--", "++")
"""So that parts of a bar are told apart in grey too."""


def foot(canvas: Canvas, text: str) -> None:
    """Small print below the axes, wrapped to their width."""
    lines = [textwrap.fill(line, FOOT) for line in text.splitlines()]
    canvas.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=7.5, color=GREY)


def save(canvas: Canvas, path: Path) -> None:
    """PNG without a time stamp, written atomically: the same summary gives the same bytes."""
    drawn = BytesIO()
    canvas.savefig(drawn, format="png", dpi=130, metadata={"Software": None})
    write_atomically(path, drawn.getvalue())
