"""The fewest cards of each chip for one load, and their power, for a small and a large language model."""

import re

from hw.base.palette import BLUE, GREY, LIGHT, ORANGE
from model.projection.fewest import Fewest, Fleet
from model.report.label import card_name
from model.report.page.page import Page
from model.report.page.plots.canvas import SMALL, Canvas, bare_rows, dot_range, row_names
from model.report.page.section_type import Drawing


def draw(page: Page, fleet: Fleet) -> Drawing:
    """Dots with their number on a logarithmic axis, beside them power with its range; a row for each chip."""
    models = list(dict.fromkeys(one.model for one in fleet.found))
    rows: list[str | Fewest] = []
    for model in models:
        rows.append(model)
        rows += [one for one in fleet.found if one.model == model]
    canvas = Canvas(f"fleet-{page.language.code}", height=72 + 26 * len(rows))
    names = ["" if isinstance(row, str) else card_name(row.chip) for row in rows]
    for number, (tail, colour, words) in enumerate(
        (("cards", BLUE, page.text("fewest cards")), ("wall_kw", ORANGE, page.text("their power at the wall, kW")))
    ):
        left = 126 + number * 222
        axes = canvas.axes(left, 560 - left - 196, 30, 32)
        bare_rows(axes, len(rows))
        if not number:
            row_names(axes, names, 126)
        axes.set_xscale("log")
        axes.set_xlim(*((0.7, 260) if tail == "cards" else (0.2, 130)))
        ticks = (1, 10, 100)
        axes.set_xticks(ticks, [page.given(tick) for tick in ticks])
        axes.minorticks_off()
        for row, one in enumerate(rows):
            if isinstance(one, str):
                axes.axhline(row, color=LIGHT, lw=0.8)
                if not number:
                    y = 30 + (row + 0.55) * (canvas.height - 62) / (len(rows) + 0.1)
                    canvas.text(8, y, title(one), weight="bold", va="center")
                continue
            figure = one.cards if tail == "cards" else one.wall_kw
            if figure is None:
                if not number:
                    axes.annotate(
                        page.text("not within the target"), (0.8, row), va="center", fontsize=SMALL, color=GREY
                    )
                continue
            q = page.quantity(figure.name)
            dots = dot_range(axes, row, q.low, q.value, q.high, colour)
            canvas.mark(dots, f"{names[row]}, {title(one.model)}: {page.plain(figure.name)}", figure.name)
            if tail == "cards":
                axes.annotate(
                    page.given(q.value), (q.value, row), xytext=(9, 0), textcoords="offset points", va="center",
                    fontsize=SMALL,
                )  # fmt: skip
        canvas.text(left, 14, words, va="center")
    return canvas.finish(
        page.text("The fewest cards for one load"),
        page.text(
            "Dots of the number of cards and ranges of their power, a row for each chip, for each language model."
        ),
        page.text("Both axes are logarithmic. Lines: the range of {share}.", share=page.share),
    )


def title(model: str) -> str:
    """A language model in print: family, version, size of `llama31_70b` say."""
    found = re.fullmatch(r"([a-z]+)(\d)(\d)_(\d+b)", model)
    return f"{found[1].title()} {found[2]}.{found[3]} {found[4].upper()}" if found else model
