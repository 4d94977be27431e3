"""Small pictures of the first screen: one number with its range on a line, and what it is to be read against."""

from hw.base.palette import GREY, INK, LIGHT
from model.report.page.plots.canvas import Canvas, dot_range, width_of
from model.report.page.section_type import Drawing

W, H = 300, 74


def draw(
    name: str,
    ends: tuple[float, float, float],
    against: list[tuple[float, str]],
    *,
    title: str,
    tip: str,
    origin: str,
    colour: str,
    log: bool = False,
    hypothesis: bool = False,
) -> Drawing:
    """`ends` are low, middle and high; `against` are values with a few words each, marked on the same line."""
    canvas = Canvas(name, W, H)
    axes = canvas.axes(10, 10, 22, 26)
    values = [*ends, *(value for value, _ in against)]
    if log:
        axes.set_xscale("log")
        axes.set_xlim(min(values) / 1.6, max(values) * 1.6)
    else:
        axes.set_xlim(0, max(values) * 1.06)
    axes.set_ylim(-1, 1)
    axes.axis("off")
    axes.axhline(0, color=LIGHT, lw=8, solid_capstyle="butt", zorder=0)
    for number, (value, words) in enumerate(against):
        axes.plot([value, value], [-0.75, 0.75], color=GREY, lw=1.6)
        x = axes.transData.transform((value, 0))[0]
        half = width_of(words, 11) / 2
        shift = max(4 + half - x, 0) - max(x + half - (W - 4), 0)
        below = number % 2 == 0
        axes.annotate(
            words,
            (value, -0.75 if below else 0.75),
            xytext=(shift, -5 if below else 5),
            textcoords="offset points",
            ha="center",
            va="top" if below else "bottom",
            fontsize=11,
            color=INK,
            annotation_clip=False,
        )
    canvas.mark(dot_range(axes, 0, *ends, colour, hollow=hypothesis, size=11), tip, origin)
    return canvas.finish(title, tip)
