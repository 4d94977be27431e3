"""Tokens per joule of DRAM PIM over those of overseas GPUs, against the batch."""

from hw.base.palette import GREEN, GREY, INK, LIGHT, SKY
from model.report.page.page import Page
from model.report.page.plots.canvas import SMALL, Canvas
from model.report.page.plots.decode import MEMORIES
from model.report.page.section_type import Drawing

STYLES = {"aim": (GREEN, "o", -0.14), "hbm_pim": (SKY, "s", 0.14)}
"""Colour, marker and shift of each memory."""


def draw(page: Page) -> Drawing:
    """Dots with ranges, upright, on a logarithmic axis; above the line PIM wins."""
    assert page.summary.programme is not None
    found = page.summary.programme.breakeven
    batches = sorted({one.batch for one in found})
    canvas = Canvas(f"breakeven-{page.language.code}", height=336)
    axes = canvas.axes(56, 14, 40, 46)
    axes.axhspan(1, 10, color=LIGHT, alpha=0.35, lw=0)
    axes.axhline(1, color=INK, lw=1.2)
    for one in found:
        colour, marker, shift = STYLES[one.pim]
        q = page.quantity(one.over.name)
        at = batches.index(one.batch) + shift
        line = axes.plot([at, at], [q.low, q.high], color=colour, lw=2.6, solid_capstyle="butt")
        dot = axes.plot([at], [q.value], marker=marker, ms=8, color=colour, ls="none")
        words = page.text("batch {batch}: {rate}", batch=one.batch, rate=page.plain(one.over.name, unit="times"))
        canvas.mark([*line, *dot], f"{page.text(MEMORIES[one.pim])}, {words}", one.over.name)
    axes.set_yscale("log")
    axes.set_ylim(0.15, 3.4)
    ticks = (0.2, 0.5, 1, 2, 3)
    axes.set_yticks(ticks, [page.given(t) for t in ticks])
    axes.minorticks_off()
    axes.grid(axis="y", color=LIGHT, lw=0.8)
    gpus = {one.batch: one.gpu_batch for one in found}
    axes.set_xticks(range(len(batches)), [f"{b} | {gpus[b]}" for b in batches])
    axes.set_xlim(-0.5, len(batches) - 0.5)
    axes.set_xlabel(page.text("sequences at a time: on a PIM card | on a GPU"), fontsize=SMALL)
    axes.text(len(batches) - 0.55, 2.9, page.text("PIM wins"), ha="right", va="center", fontsize=SMALL)
    axes.text(len(batches) - 0.55, 0.17, page.text("GPUs win"), ha="right", va="center", fontsize=SMALL, color=GREY)
    canvas.legend(
        [
            (page.text(MEMORIES[pim]), {"color": colour, "marker": marker, "ls": "none"})
            for pim, (colour, marker, _) in STYLES.items()
        ],
        56,
        14,
        480,
    )
    return canvas.finish(
        page.text("Tokens per joule over the GPUs'"),
        page.text("Dots with ranges against the batch; above one PIM wins."),
        page.text(
            "Tokens per joule at the wall, PIM cards over GPUs of the same nominal peak; logarithmic. Lines: the range "
            "of {share}.",
            share=page.share,
        ),
    )
