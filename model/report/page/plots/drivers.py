"""What decides a figure: its inputs one at a time, from their low to their high end."""

from hw.base.palette import BLUE, INK, ORANGE
from model.report.page.label import label
from model.report.page.page import Page
from model.report.page.plots.canvas import SMALL, Canvas, bare_rows, row_names
from model.report.page.section_type import Drawing

MOST = 6
"""Inputs shown of each figure."""


def draw(page: Page, figures: tuple[tuple[str, str], ...]) -> Drawing:
    """A panel for each of `figures`, (name, title with its unit), one below the other."""
    panel = 36 + MOST * 20 + 24
    canvas = Canvas(f"drivers-{page.language.code}", height=26 + panel * len(figures))
    for number, (name, title) in enumerate(figures):
        top = 26 + number * panel
        axes = canvas.axes(214, 44, top + 26, canvas.height - top - panel + 24)
        drivers = page.summary.projection.drivers(name)[:MOST]
        bare_rows(axes, len(drivers))
        row_names(axes, [label(page.language, driver.leaf.name) for driver in drivers], 214)
        nominal = page.range(name).bounds.nominal
        for row, driver in enumerate(drivers):
            fact = driver.leaf.fact
            assert fact is not None
            pairs = ((driver.at_low, fact.minimum, BLUE, ""), (driver.at_high, fact.maximum, ORANGE, "//"))
            for value, setting, colour, hatch in pairs:
                if value == nominal:
                    continue
                bar = axes.barh(
                    row,
                    value - nominal,
                    left=nominal,
                    height=0.62,
                    color=colour,
                    hatch=hatch,
                    edgecolor="white",
                    lw=0.5,
                )
                unit = page.range(name).unit
                name_of = label(page.language, driver.leaf.name)
                words = f"{name_of} {page.given(setting, fact.unit)}: {_short(page, value, unit)}"
                canvas.mark(list(bar), words, driver.leaf.name)
                axes.annotate(
                    _short(page, setting, "1"),
                    (value, row),
                    xytext=(-3 if value < nominal else 3, 0),
                    textcoords="offset points",
                    ha="right" if value < nominal else "left",
                    va="center",
                    fontsize=SMALL - 1,
                )
        axes.axvline(nominal, color=INK, lw=1)
        axes.margins(x=0.1)
        canvas.text(8, top + 13, title, weight="bold", va="center")
    canvas.legend(
        [
            (page.text("input at its low end"), {"fc": BLUE}),
            (page.text("input at its high end"), {"fc": ORANGE, "hatch": "//"}),
        ],
        16,
        12,
        530,
    )
    return canvas.finish(
        page.text("What decides, one input at a time"),
        page.text(
            "Bars from the nominal value to the value with one input at the end of its range, the longest first."
        ),
        page.text("The number at a bar's end is the input's value there."),
    )


def _short(page: Page, value: float, unit: str) -> str:
    places = 3 if abs(value) < 1000 else 4
    return page.given(float(f"{value:.{places}g}"), unit)
