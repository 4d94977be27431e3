"""The programme by year: stages, sites, goals."""

from hw.base.palette import GREY, HYPOTHESIS, INK, LIGHT, PAPER, STAGES
from model.projection import stages
from model.report.page.language import N_
from model.report.page.page import Page
from model.report.page.plots.canvas import SMALL, Canvas, width_of, wrapped
from model.report.page.section_type import Drawing

TITLES = {1: N_("domestic NPU"), 2: N_("NPU with DRAM PIM"), 3: N_("NPU with non-volatile PIM")}
"""Number of a stage -> its title."""

FINISHED = {"gwangju": 2024, "private": 2025}
"""Site -> year in which it was to be complete (Kukinews, 2023-06-26)."""


def draw(page: Page) -> Drawing:
    """A bar a stage, a mark a site, the goals for the domestic share below."""
    canvas = Canvas(f"timeline-{page.language.code}", height=300)
    axes = canvas.axes(16, 16, 16, 30)
    found = [stages.load(name) for name in stages.names()]
    first, last = min(s.years[0] for s in found), max(s.years[1] for s in found)
    axes.set_xlim(first, last + 1)
    axes.set_ylim(5, 0)
    for side in ("left",):
        axes.spines[side].set_visible(False)
    axes.set_yticks([])
    axes.set_xticks([year + 0.5 for year in range(first, last + 1)], [str(y) for y in range(first, last + 1)])
    axes.tick_params(axis="x", length=0)
    for year in range(first, last + 2):
        axes.axvline(year, color=LIGHT, lw=0.8, zorder=0)
    for stage in found:
        start, end = stage.years[0], stage.years[1] + 1
        idea = stage.basis == "hypothesis"
        bar = axes.barh(
            0.9, end - start, left=start, height=1.3, color=PAPER if idea else STAGES[stage.number],
            hatch=HYPOTHESIS if idea else "", edgecolor=STAGES[stage.number], lw=1.5,
        )  # fmt: skip
        words = page.text(TITLES[stage.number])
        canvas.mark(list(bar), words)
        lines = [page.text("stage {number}", number=stage.number), *wrapped(words, (end - start) * 64)]
        for number, line in enumerate(lines):
            axes.text(
                (start + end) / 2, 0.9 + (number - (len(lines) - 1) / 2) * 0.3, line, ha="center", va="center",
                fontsize=SMALL, weight="normal" if number else "bold", color=PAPER if stage.number == 1 else INK,
                bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1} if idea else None,
            )  # fmt: skip
        goal = stage.domestic_share
        if goal is not None:
            axes.plot([end - 0.5], [4.1], marker="v", ms=9, color=INK)
            text = page.text("goal: {share} domestic", share=page.given(goal.nominal, "%"))
            shift = min(0.0, (last + 1 - end + 0.5) * 66 - width_of(text) / 2)
            axes.annotate(
                text, (end - 0.5, 4.1), xytext=(shift, -12), textcoords="offset points", ha="center", va="top",
                fontsize=SMALL, annotation_clip=False,
            )  # fmt: skip
    for row, (site, year) in enumerate(FINISHED.items()):
        y = 2.2 + row * 0.8
        line = axes.plot([year + 0.5, last + 1], [y, y], color=GREY, lw=7, solid_capstyle="butt", alpha=0.5)
        dot = axes.plot([year + 0.5], [y], marker="o", ms=9, color=INK)
        canvas.mark([*line, *dot], f"{page.site_name(site)}: {year}")
        text = page.text("{site}, {capacity}", site=page.site_name(site), capacity=page.given(page.capacity, "PF"))
        axes.text(year + 0.8, y - 0.12, text, va="bottom", fontsize=SMALL)
    return canvas.finish(
        page.text("The programme by year"),
        page.text("Three stages one after the other, two sites in use from stage 1 on, goals for the domestic share."),
        page.text(
            "Filled: models of cards that exist. Hatched: a hypothesis. Dots: year in which a site was to be complete."
        ),
    )
