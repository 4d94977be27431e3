"""The stages beside each other: joules of a token at the wall, by batch."""

from hw.base.palette import GREY, LIGHT, STAGES
from model.report.page.label import stage_name
from model.report.page.page import Page
from model.report.page.plots.canvas import SMALL, Canvas, bare_rows, dot_range, row_names
from model.report.page.section_type import Drawing

TAIL = "wall_j_per_token"


def draw(page: Page) -> Drawing:
    """Dots with ranges on a logarithmic axis, first one sequence at a time, then sixteen."""
    assert page.summary.programme is not None
    stages = page.summary.programme.stages
    batches = sorted({int(name.rpartition("_")[2]) for name in stages})
    rows: list[tuple[str, str]] = []
    for batch in batches:
        rows.append(("", page.text("batch {batch}", batch=batch)))
        here = [name for name in stages if name.endswith(f"_batch_{batch}")]
        here.sort(key=lambda name: (name.startswith("gpu"), name[0], -page.quantity(f"stage.{name}.{TAIL}").value))
        rows += [(name, stage_name(page.language, name)) for name in here]
    canvas = Canvas(f"stages-{page.language.code}", height=64 + 21 * len(rows))
    axes = canvas.axes(236, 16, 8, 42)
    bare_rows(axes, len(rows))
    row_names(axes, [words if name else "" for name, words in rows], 236)
    for row, (name, words) in enumerate(rows):
        if not name:
            axes.axhline(row, color=LIGHT, lw=0.8)
            canvas.text(
                8, 8 + (row + 0.55) * (canvas.height - 50) / (len(rows) + 0.1), words, weight="bold", va="center"
            )
            continue
        figure = f"stage.{name}.{TAIL}"
        q = page.quantity(figure)
        stage = int(name[0]) if name[0].isdigit() else 0
        dots = dot_range(
            axes,
            row,
            q.low,
            q.value,
            q.high,
            STAGES.get(stage, GREY),
            hollow=stage == 3,
            marker="s" if not stage else None,
        )
        canvas.mark(dots, f"{words}: {page.plain(figure)}", figure)
    axes.set_xscale("log")
    ticks = (0.03, 0.1, 0.3, 1, 3)
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.minorticks_off()
    axes.set_xlabel(page.text("joules per token at the wall, logarithmic"), fontsize=SMALL)
    return canvas.finish(
        page.text("Energy of a token by stage"),
        page.text("Dots with ranges on a logarithmic axis; stage 3 is a hypothesis and drawn hollow."),
        page.text(
            "Dots: middle; lines: the range of {share}. Hollow diamonds and broken lines: hypothesis. Square: the GPU.",
            share=page.share,
        ),
    )
