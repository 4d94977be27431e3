"""A day of requests at the site: tokens per second by hour beside what the cards can deliver."""

from hw.base.palette import BLUE, GREY, INK, LIGHT, ORANGE
from model.projection.served_day import ServedDay
from model.report.page.page import Page
from model.report.page.plots.canvas import SMALL, Canvas
from model.report.page.section_type import Drawing

HOURS = 24


def draw(page: Page, day: ServedDay) -> Drawing:
    """Bars by the hour, the capacity with its range above, time to the first token below."""
    canvas = Canvas(f"day-{page.language.code}", height=366)
    above, below = canvas.axes(62, 14, 38, 136), canvas.axes(62, 14, 262, 44)
    hours = [hour for hour in day.hours if hour.hour < HOURS]
    capacity = f"{day.site}.tokens_per_s"
    if page.has(capacity):
        q = page.quantity(capacity)
        band = above.axhspan(q.low, q.high, color=ORANGE, alpha=0.3, lw=0)
        line = above.axhline(q.value, color=ORANGE, lw=2)
        canvas.mark([band, line], page.plain(capacity), capacity)
    for hour in hours:
        bar = above.bar(hour.hour + 0.5, hour.tokens_per_s, width=0.86, color=BLUE, lw=0)
        words = page.text(
            "{hour} h: {rate}", hour=hour.hour, rate=page.given(float(f"{hour.tokens_per_s:.3g}"), "tokens/s")
        )
        canvas.mark(list(bar), words, f"day.{day.site}.tokens_per_s")
    above.set_xlim(0, HOURS)
    above.set_ylim(bottom=0)
    above.set_xticks([])
    ticks = above.get_yticks()
    above.set_yticks([t for t in ticks if t >= 0], [page.given(t) for t in ticks if t >= 0])
    above.grid(axis="y", color=LIGHT, lw=0.8)
    below.plot([h.hour + 0.5 for h in hours], [h.ttft_p99_s for h in hours], color=INK, lw=1.8, marker="o", ms=3.5)
    below.set_xlim(0, HOURS)
    below.set_ylim(0, 1.25 * max(h.ttft_p99_s for h in hours))
    below.set_yticks([0, 0.2, 0.4], [page.given(t) for t in (0, 0.2, 0.4)])
    below.grid(axis="y", color=LIGHT, lw=0.8)
    below.set_xticks(range(0, HOURS + 1, 4), [str(h) for h in range(0, HOURS + 1, 4)])
    below.set_xlabel(page.text("hour of the day"), fontsize=SMALL)
    canvas.legend(
        [(page.text("tokens per second written"), {"fc": BLUE}), (page.text("what the cards can"), {"fc": ORANGE})],
        62,
        14,
        480,
    )
    canvas.text(62, 248, page.text("time to the first token, s, slowest of a hundred"), colour=GREY, va="center")
    return canvas.finish(
        page.text("A day at the site"),
        page.text(
            "Bars of tokens per second by the hour; a line for what the cards can deliver; below, waiting times."
        ),
        page.text("Arrivals follow assumed hours of a day. Band: the range of {share}.", share=page.share),
    )
