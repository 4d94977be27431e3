"""A front as a picture: two objectives as axes, a third as the size of the dots, the knee named."""

from pathlib import Path

import numpy as np

from model.report.figure_style import BLUE, GREY, INK, LIGHT, ORANGE, RC, foot, plt, save
from model.sweep import subjects
from model.sweep.front import Front
from model.sweep.space import Space


def draw(space: Space, front: Front, path: Path) -> Path:
    """Write the picture of a front of at least two objectives; the path."""
    names = list(space.objectives)
    x, y = names[0], names[1 if len(names) > 1 else 0]
    meaning = {**subjects.load(space.subject).OWN, **subjects.load(space.subject).RESULTS}
    xs, ys = (np.array([one.results[name] for one in front.members]) for name in (x, y))
    sizes = np.full(len(xs), 40.0)
    if len(names) > 2:
        third = np.array([one.results[names[2]] for one in front.members])
        low, high = third.min(), third.max()
        sizes = 25 + 220 * (third - low) / (high - low if high > low else 1.0)
    sure = np.array([one.stays >= 0.9 for one in front.members])
    with plt.rc_context(RC):
        canvas, axes = plt.subplots(figsize=(9.2, 5.6), layout="constrained")
        axes.scatter(
            xs[sure],
            ys[sure],
            s=sizes[sure],
            c=BLUE,
            alpha=0.85,
            edgecolors="white",
            label="on the front in 90 % of the samples" if sure.any() else None,
        )
        axes.scatter(
            xs[~sure],
            ys[~sure],
            s=sizes[~sure],
            marker="s",
            c=ORANGE,
            alpha=0.85,
            edgecolors="white",
            label="on it for some prices only" if not sure.all() else None,
        )
        for index, one in enumerate(front.members):
            if one.knee:
                axes.annotate(
                    "knee: " + ", ".join(f"{k} {v}" for k, v in one.axes.items()),
                    (xs[index], ys[index]), xytext=(12, 14), textcoords="offset points", fontsize=8.5, color=INK,
                    arrowprops={"arrowstyle": "-", "color": GREY},
                )  # fmt: skip
        for scale, values in ((axes.set_xscale, xs), (axes.set_yscale, ys)):
            if values.min() > 0 and values.max() / values.min() > 8:
                scale("log")
        axes.grid(color=LIGHT, lw=0.7)
        axes.set_xlabel(f"{x}: {meaning.get(x, 'an axis')} ({space.objectives[x]})")
        axes.set_ylabel(f"{y}: {meaning.get(y, 'an axis')} ({space.objectives[y]})")
        axes.set_title(f"Front of {front.feasible:,} designs: {space.title}", fontsize=10)
        axes.legend(loc="best", fontsize=8.5)
        size = f" Size of a mark: {names[2]}." if len(names) > 2 else ""
        foot(
            canvas,
            f"Each mark is a design that no other beats in {', '.join(names)}.{size} Prices drawn together for "
            f"all designs.",
        )
        save(canvas, path)
        plt.close(canvas)
    return path
