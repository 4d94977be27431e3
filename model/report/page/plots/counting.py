"""The site under each rule of counting its nominal peak: images per second and power."""

from hw.base.palette import BLUE, GREY, ORANGE
from model.report.page.label import rule_name
from model.report.page.page import Page
from model.report.page.plots.canvas import SMALL, Canvas, bare_rows, dot_range, row_names
from model.report.page.section_type import Drawing


def draw(page: Page) -> Drawing:
    """Two columns of dots with ranges, a row for each rule."""
    assert page.summary.programme is not None
    counted = page.summary.programme.counted[page.site]
    canvas = Canvas(f"counting-{page.language.code}", height=60 + 44 * len(counted))
    names = [rule_name(one.rule) for one in counted.values()]
    columns = (
        ("images_per_s", 1e-6 if page.language.code == "en" else 1e-4, BLUE, page.text("images per second")),
        ("wall_kw", 1.0, ORANGE, page.text("power at the wall, kW")),
    )
    for number, (tail, scale, colour, words) in enumerate(columns):
        left = 168 + number * 200
        axes = canvas.axes(left, 560 - left - 180, 30, 30)
        bare_rows(axes, len(names))
        if not number:
            row_names(axes, names, 168)
        for row, one in enumerate(counted.values()):
            figure = f"{one.site.name}.{tail}"
            q = page.quantity(figure, scale=scale)
            best = row == 0
            dots = dot_range(axes, row, q.low, q.value, q.high, colour if best else GREY)
            canvas.mark(dots, f"{names[row]}: {page.plain(figure)}", figure)
        axes.set_xlim(left=0)
        size = page.text("million") if tail == "images_per_s" else ""
        canvas.text(left, 14, words + (f", {size}" if size else ""), size=SMALL, va="center")
    return canvas.finish(
        page.text("The same PF under each counting rule"),
        page.text("Dots and ranges of images per second and power, a row for each rule of counting."),
        page.text(
            "Coloured: the rule that gives whole cards. Lines: the range of {share}. Every rule is a hypothesis.",
            share=page.share,
        ),
    )
