"""What each operator holds of the site: of its nominal peak, cards, work and power."""

from hw.base.palette import BLUE, GREEN, INK, ORANGE, PAPER
from model.report.page.label import OPERATORS
from model.report.page.language import N_
from model.report.page.page import Page
from model.report.page.plots.canvas import SMALL, Canvas, bare_rows, row_names, width_of
from model.report.page.section_type import Drawing

STYLES = ((BLUE, "", PAPER), (ORANGE, "//", INK), (GREEN, "..", INK))
"""Colour, hatch and colour of the letters of each operator."""

ROWS = (
    ("nominal_pf", N_("nominal peak")),
    ("cards", N_("number of cards")),
    ("images", N_("images per second")),
    ("tokens", N_("tokens per second")),
    ("power", N_("power of the cards")),
)
"""Field of an operator's figures -> what it is of."""


def draw(page: Page) -> Drawing:
    """One bar a quantity, from nothing to all of it."""
    assert page.summary.programme is not None
    parts = page.summary.programme.sites[page.site].by_operator
    canvas = Canvas(f"shares-{page.language.code}", height=282)
    axes = canvas.axes(130, 24, 36, 28)
    bare_rows(axes, len(ROWS))
    row_names(axes, [page.text(name) for _, name in ROWS], 130)
    for row, (field, words) in enumerate(ROWS):
        figures = {operator: getattr(part, field) for operator, part in parts.items()}
        values = {o: 0.0 if f is None else page.quantity(f.name).value for o, f in figures.items()}
        whole, left = sum(values.values()), 0.0
        for (operator, value), (colour, hatch, ink) in zip(values.items(), STYLES, strict=False):
            share = value / whole
            figure = figures[operator]
            bar = axes.barh(row, share, left=left, height=0.68, color=colour, hatch=hatch, edgecolor=PAPER, lw=0.6)
            if figure is not None:
                name = page.text(OPERATORS.get(operator, operator))
                canvas.mark(list(bar), f"{name}, {page.text(words)}: {page.plain(figure.name)}", figure.name)
                text = page.given(round(share, 2), "%")
                if share * 406 > width_of(text) + 6:
                    box = {"facecolor": colour, "edgecolor": "none", "pad": 1.5}
                    axes.text(
                        left + share / 2, row, text, ha="center", va="center", color=ink, fontsize=SMALL, bbox=box
                    )
            left += share
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], [page.given(x, "%") for x in (0, 0.25, 0.5, 0.75, 1)])
    names = [page.text(OPERATORS.get(operator, operator)) for operator in parts]
    canvas.legend([(n, {"fc": c, "hatch": h}) for n, (c, h, _) in zip(names, STYLES, strict=False)], 16, 14, 530)
    return canvas.finish(
        page.text("Shares of the operators"),
        page.text("A bar of each quantity, divided among the operators."),
        page.text("Shares of the middle values. A card not offered for language models has no part of the tokens."),
    )
