"""Power from the MAC arrays to the wall and the grid, step by step."""

from hw.base.palette import BLUE, GREY, INK, LIGHT, ORANGE, PURPLE
from model.report.page.label import label
from model.report.page.language import N_
from model.report.page.page import Page
from model.report.page.plots.canvas import SMALL, Canvas, bare_rows, row_names
from model.report.page.section_type import Drawing

GROUPS = (
    (N_("in the cards"), BLUE, "", 5),
    (N_("in the servers"), ORANGE, "//", 3),
    (N_("in the building"), PURPLE, "..", 1),
)
"""Name, colour, hatch and number of the steps of each part."""


def draw(page: Page) -> Drawing:
    """Bars from the left of one to the right of the next, the wall with its range below them."""
    assert page.summary.programme is not None
    site = page.summary.programme.sites[page.site]
    canvas = Canvas(f"waterfall-{page.language.code}", height=372)
    axes = canvas.axes(130, 116, 30, 44)
    wall = page.range(f"{page.site}.wall_kw")
    names = [label(page.language, figure.name) for figure in site.chain] + [label(page.language, wall.name)]
    bare_rows(axes, len(names))
    row_names(axes, names, 130)
    colours = [(colour, hatch) for _, colour, hatch, count in GROUPS for _ in range(count)]
    left = 0.0
    # steps are drawn at their nominal values, which add up to the wall's
    for row, (figure, (colour, hatch)) in enumerate(zip(site.chain, colours, strict=True)):
        value = page.range(figure.name).bounds.nominal
        bar = axes.barh(row, value, left=left, height=0.66, color=colour, hatch=hatch, edgecolor="white", lw=0.5)
        canvas.mark(list(bar), f"{names[row]}: {page.plain(figure.name)}", figure.name)
        left += value
        axes.plot([left, left], [row, row + 1], color=GREY, lw=0.7)
        axes.annotate(
            page.plain(figure.name),
            (left, row),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=SMALL - 1,
        )
    last = len(site.chain)
    bar = axes.barh(last, wall.bounds.nominal, height=0.66, color=INK)
    line = axes.plot([wall.p5, wall.p95], [last, last], color=LIGHT, lw=0)
    canvas.mark(list(bar), f"{names[last]}: {page.plain(wall.name)}", wall.name)
    line = axes.plot([wall.p5, wall.p95], [last + 0.42] * 2, color=INK, lw=2.6)
    canvas.mark(line, page.plain(wall.name), wall.name)
    axes.set_ylim(last + 0.65, -0.55)
    axes.annotate(
        page.plain(wall.name),
        (max(wall.bounds.nominal, wall.p95), last),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        fontsize=SMALL - 1,
        weight="bold",
    )
    axes.set_xlim(0, max(wall.p95, wall.bounds.nominal) * 1.02)
    axes.set_xlabel(page.text("power of the busy site, kW"), fontsize=SMALL)
    canvas.legend(
        [(page.text(name), {"fc": colour, "hatch": hatch}) for name, colour, hatch, _ in GROUPS], 126, 12, 400
    )
    return canvas.finish(
        page.text("From the MAC array to the wall"),
        page.text(
            "Each bar begins where the one above ends; together they are {wall} at the wall.",
            wall=page.plain(wall.name),
        ),
        page.text(
            "Bars: nominal steps. In brackets and the line below the last bar: the range of {share}.", share=page.share
        ),
    )
