"""What a year costs, part by part: dots with ranges on a logarithmic axis."""

from hw.base.palette import BLUE, INK
from model.report.page.label import label
from model.report.page.page import Page
from model.report.page.plots.canvas import SMALL, Canvas, bare_rows, dot_range, row_names
from model.report.page.section_type import Drawing

PARTS = ("mkrw_per_year", "running_demand", "running_staff", "running_maintenance", "running_spares",
         "running_network", "running_space")  # fmt: skip


def draw(page: Page) -> Drawing:
    """The parts of the running cost, the largest first, with a year's part of the capital and the sum below them."""
    site = page.site
    parts = sorted(PARTS, key=lambda tail: -page.quantity(f"{site}.{tail}").value)
    rows = [*parts, "capital_per_year", "running"]
    canvas = Canvas(f"running-{page.language.code}", height=64 + 26 * len(rows))
    axes = canvas.axes(196, 16, 8, 42)
    bare_rows(axes, len(rows))
    row_names(axes, [label(page.language, f"{site}.{tail}") for tail in rows], 196)
    for row, tail in enumerate(rows):
        figure = f"{site}.{tail}"
        q = page.quantity(figure)
        dots = dot_range(axes, row, max(q.low, 0.1), q.value, q.high, BLUE if tail in PARTS else INK)
        canvas.mark(dots, f"{label(page.language, figure)}: {page.plain(figure)}", figure)
    axes.set_xscale("log")
    ticks = (1, 10, 100, 1000)
    axes.set_xticks(ticks, [page.given(t) for t in ticks])
    axes.minorticks_off()
    axes.set_xlabel(page.text("million won a year, logarithmic"), fontsize=SMALL)
    return canvas.finish(
        page.text("A year of the site, part by part"),
        page.text("Dots with ranges on a logarithmic axis, the largest part first; below them capital and the sum."),
        page.text("Dots: middle; lines: the range of {share}.", share=page.share),
    )
