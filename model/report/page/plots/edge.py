"""Images per joule at the camera and at the site: dots with ranges on a logarithmic axis."""

from hw.base.palette import BLUE, GREEN
from model.report.label import card_name
from model.report.page.page import Page
from model.report.page.plots.canvas import SMALL, Canvas, bare_rows, dot_range, row_names
from model.report.page.section_type import Drawing

TICKS = (10, 30, 100, 300)


def draw(page: Page) -> Drawing:
    """One row for each edge module, and one for the site at its wall."""
    assert page.summary.programme is not None
    rows = [(f"edge.{one.name}.images_per_j", card_name(one.name)) for one in page.summary.programme.edge]
    site = (f"{page.site}.images_per_kj", page.site_name(page.site))
    canvas = Canvas(f"edge-{page.language.code}", height=64 + 30 * (len(rows) + 1))
    axes = canvas.axes(196, 28, 8, 42)
    bare_rows(axes, len(rows) + 1)
    row_names(axes, [words for _, words in (*rows, site)], 196)
    for row, (figure, words) in enumerate((*rows, site)):
        scale = 1e-3 if (figure, words) == site else 1.0
        q = page.quantity(figure)
        dots = dot_range(axes, row, q.low * scale, q.value * scale, q.high * scale, GREEN if scale < 1 else BLUE)
        canvas.mark(dots, f"{words}: {page.plain(figure)}", figure)
    axes.set_xscale("log")
    axes.set_xticks(TICKS, [page.given(t) for t in TICKS])
    axes.minorticks_off()
    axes.set_xlabel(page.text("images per joule, logarithmic"), fontsize=SMALL)
    return canvas.finish(
        page.text("Images of a joule, at the camera and at the site"),
        page.text("Dots with ranges on a logarithmic axis: each edge module, then the site at its wall."),
        page.text("Dots: middle; lines: the range of {share}.", share=page.share),
    )
