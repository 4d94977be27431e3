"""Money by year: capital in the year a site is complete, electricity from then on, added up."""

import numpy as np
from matplotlib.axes import Axes

from hw.base.palette import BLUE, GREEN, INK, LIGHT, ORANGE
from model.report.page.page import Page
from model.report.page.plots.canvas import SMALL, Canvas
from model.report.page.plots.timeline import FINISHED
from model.report.page.section_type import Drawing
from model.report.summary import PERCENTILES, SAMPLE_SEED, SAMPLES

FIRST, LAST = 2023, 2030
PARTS = (("capital_cards", BLUE, ""), ("capital_hosts", ORANGE, "//"), ("capital_facility", GREEN, ".."))


def draw(page: Page) -> Drawing:
    """Stacked bars of what was spent up to each year, by what it was spent on, with the range of the sum."""
    sites = [site for site in FINISHED if page.has(f"{site}.capital", f"{site}.mkrw_per_year")]
    names = [f"{site}.{tail}" for site in sites for tail in ("capital", "mkrw_per_year")]
    figures = [page.summary.projection[name] for name in names]
    samples = page.summary.projection.samples(SAMPLES, SAMPLE_SEED, figures)
    canvas = Canvas(f"money-{page.language.code}", height=342)
    axes = canvas.axes(62, 14, 62, 30)
    scale = 1e-2 if page.language.code == "ko" else 1e-3
    years = range(FIRST, LAST + 1)
    for year in years:
        base = 0.0
        for tail, colour, hatch in PARTS:
            value = sum(page.quantity(f"{s}.{tail}").value for s in sites if FINISHED[s] <= year) * scale
            base += _bar(page, canvas, axes, year, base, value / scale, scale, (colour, hatch), f"{page.site}.{tail}")
        running = sum(
            page.quantity(f"{s}.mkrw_per_year").value * (year - FINISHED[s]) for s in sites if FINISHED[s] < year
        )
        base += _bar(page, canvas, axes, year, base, running, scale, (INK, ""), f"{page.site}.mkrw_per_year")
        total = np.zeros(SAMPLES)
        for site in sites:
            if FINISHED[site] <= year:
                total = total + samples[f"{site}.capital"]
                total = total + samples[f"{site}.mkrw_per_year"] * (year - FINISHED[site])
        low, high = (float(np.percentile(total, p)) * scale for p in PERCENTILES)
        if high > low:
            line = axes.plot([year + 0.34] * 2, [low, high], color=INK, lw=2)
            words = page.given(base / scale, "million KRW", low / scale, high / scale)
            canvas.mark(line, f"{year}: {words}", f"{page.site}.capital")
    axes.set_xlim(FIRST - 0.5, LAST + 0.6)
    axes.set_xticks(list(years), [str(year) for year in years])
    axes.tick_params(axis="x", length=0)
    ticks = [tick for tick in axes.get_yticks() if tick >= 0]
    axes.set_yticks(ticks, [page.given(tick) for tick in ticks])
    axes.set_ylim(0, axes.get_ylim()[1])
    axes.grid(axis="y", color=LIGHT, lw=0.8)
    words = (page.text("in the cards"), page.text("in the servers"), page.text("facility"), page.text("electricity"))
    styles = [*((colour, hatch) for _, colour, hatch in PARTS), (INK, "")]
    entries = [(name, {"fc": colour, "hatch": hatch}) for name, (colour, hatch) in zip(words, styles, strict=True)]
    canvas.legend(entries, 62, 14, 490)
    canvas.text(8, 44, page.text("spent up to the year, both sites, in billions of won"), size=SMALL, va="center")
    return canvas.finish(
        page.text("Money by year"),
        page.text(
            "Bars of the money spent up to each year: capital when a site is complete, electricity from then on."
        ),
        page.text("Lines: the range of {share} of the sum.", share=page.share),
    )


def _bar(
    page: Page,
    canvas: Canvas,
    axes: Axes,
    year: int,
    base: float,
    millions: float,
    scale: float,
    style: tuple[str, str],
    origin: str,
) -> float:
    """One part of a year's bar in million KRW times `scale`; its height."""
    if millions <= 0:
        return 0.0
    colour, hatch = style
    bar = axes.bar(
        year, millions * scale, bottom=base, width=0.52, color=colour, hatch=hatch, edgecolor="white", lw=0.5
    )
    canvas.mark(list(bar), f"{year}: {page.given(float(f'{millions:.3g}'), 'million KRW')}", origin)
    return millions * scale
