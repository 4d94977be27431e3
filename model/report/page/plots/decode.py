"""Tokens per second against the batch, with and without DRAM PIM."""

from hw.base.palette import BLUE, GREEN, GREY, LIGHT
from model.report.page.language import N_
from model.report.page.page import Page
from model.report.page.plots.canvas import SMALL, Canvas
from model.report.page.section_type import Drawing

MEMORIES = {"aim": N_("GDDR6-AiM, BF16"), "hbm_pim": N_("HBM-PIM, FP16")}
"""PIM memory -> its panel's title."""


def draw(page: Page) -> Drawing:
    """A panel for each memory; both axes are logarithmic."""
    assert page.summary.programme is not None
    curves = page.summary.programme.curves
    canvas = Canvas(f"decode-{page.language.code}", height=352)
    panels = [(key, curve) for key, curve in curves.items() if curve.pim in MEMORIES]
    panels.sort(key=lambda one: list(MEMORIES).index(one[1].pim))
    for number, (key, curve) in enumerate(panels):
        left = 52 + number * 258
        axes = canvas.axes(left, 560 - left - 240, 72, 44)
        own = next((c for c in curves.values() if c.chip == curve.chip and not c.pim), None)
        batches = [point.batch for point in curve.points]
        if own is not None:
            axes.plot([p.batch for p in own.points], [p.alone for p in own.points], color=GREY, ls="--", lw=1.6)
        low, high = _spread(page, curve.chip)
        for rates, tail, colour, marker in (
            ([p.alone for p in curve.points], "", BLUE, "s"),
            ([p.with_pim or 0 for p in curve.points], "_pim", GREEN, "o"),
        ):
            axes.fill_between(
                batches, [low * r for r in rates], [high * r for r in rates], color=colour, alpha=0.16, lw=0
            )
            axes.plot(batches, rates, color=colour, lw=2)
            for batch, rate in zip(batches, rates, strict=True):
                dot = axes.plot(
                    [batch], [rate], marker=marker, ms=6.5, color=colour, mfc="white" if not tail else colour, ls="none"
                )
                name = f"{key}.batch_{batch}{tail}"
                canvas.mark(dot, page.text("batch {batch}: {rate}", batch=batch, rate=page.plain(name)), name)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xticks(batches, [str(b) for b in batches])
        axes.minorticks_off()
        axes.set_ylim(50, 12_000)
        ticks = (100, 1000, 10_000)
        axes.set_yticks(ticks, [page.given(t) for t in ticks] if not number else [""] * len(ticks))
        axes.grid(color=LIGHT, lw=0.8)
        axes.set_xlabel(page.text("sequences at a time on a card"), fontsize=SMALL)
        title = f"{page.text(MEMORIES[curve.pim])}: {page.text('tokens/s')}"
        canvas.text(left, 62, title, weight="bold")
    canvas.legend(
        [
            (page.text("with PIM"), {"color": GREEN, "marker": "o", "ls": "none"}),
            (page.text("the same memory, PIM off"), {"color": BLUE, "marker": "s", "mfc": "white", "ls": "none"}),
            (page.text("the card with its own HBM, FP8"), {"color": GREY, "ls": "--"}),
        ],
        8,
        12,
        540,
    )
    return canvas.finish(
        page.text("Tokens per second of a card against the batch"),
        page.text("Two panels with a line with PIM and one without, against the batch; both axes are logarithmic."),
        page.text("Filled dots: with PIM. Open squares: without. Bands: range of the chip model."),
    )


def _spread(page: Page, chip: str) -> tuple[float, float]:
    """Low and high of the card's rate over the nominal one, from the record of the language service."""
    name = f"card.{chip}.tokens_per_s"
    if not page.has(name):
        return 1.0, 1.0
    bounds = page.range(name).bounds
    return bounds.low / bounds.nominal, bounds.high / bounds.nominal
