"""Published results over predicted ones, by kind of question, with the ranges the predictions gave."""

from statistics import median

from hw.base.palette import BLUE, GREY, INK, LIGHT, RED
from model.projection.check import Validation
from model.projection.published import calibration
from model.report.page.language import N_
from model.report.page.page import Page
from model.report.page.plots.canvas import SMALL, Canvas, bare_rows, row_names
from model.report.page.section_type import Drawing

KINDS: dict[str, str] = dict(
    zip(
        calibration.KINDS,
        (
            N_("network, highest rate"),
            N_("network, rate within a limit"),
            N_("network, one input"),
            N_("network, several inputs"),
            N_("language, requests on a card"),
            N_("language, requests on cards"),
            N_("language, tokens"),
            N_("language, one request"),
            N_("power at the wall"),
        ),
        strict=True,
    )
)
"""Kind of a check -> what is asked."""


def draw(page: Page, validation: Validation) -> Drawing:
    """A dot a published result: inside its range filled, outside a cross; the bar is the median range."""
    kinds = [kind for kind in KINDS if any(check.kind == kind for check in validation.checks)]
    canvas = Canvas(f"calibration-{page.language.code}", height=66 + 32 * len(kinds))
    axes = canvas.axes(196, 14, 26, 42)
    bare_rows(axes, len(kinds))
    row_names(axes, [page.text(KINDS[kind]) for kind in kinds], 196)
    for row, kind in enumerate(kinds):
        checks = [check for check in validation.checks if check.kind == kind]
        low = median(check.predicted.low / check.predicted.nominal for check in checks)
        high = median(check.predicted.high / check.predicted.nominal for check in checks)
        axes.barh(row, high - low, left=low, height=0.78, color=LIGHT, lw=0)
        for inside, marker, colour in ((True, "o", BLUE), (False, "x", RED)):
            kept = [(i, check) for i, check in enumerate(checks) if check.inside == inside]
            axes.plot(
                [check.published / check.predicted.nominal for _, check in kept],
                # spread over the height of the row, so that equal ratios do not hide each other
                [row + ((i * 0.618) % 1 - 0.5) * 0.66 for i, _ in kept],
                marker=marker, ms=3.4 if inside else 4.6, mew=0 if inside else 1.3, color=colour, ls="none",
                alpha=0.75 if inside else 1,
            )  # fmt: skip
    axes.axvline(1, color=INK, lw=1)
    axes.set_xscale("log")
    ticks = (0.5, 0.7, 1, 1.5, 2)
    axes.set_xticks(ticks, [page.given(t) for t in ticks])
    axes.minorticks_off()
    axes.set_xlim(0.4, 2.6)
    axes.set_xlabel(page.text("published over predicted, logarithmic"), fontsize=SMALL)
    canvas.legend(
        [
            (page.text("inside its range"), {"color": BLUE, "marker": "o", "ms": 6, "ls": "none"}),
            (page.text("outside"), {"color": RED, "marker": "x", "mew": 2, "ms": 7, "ls": "none"}),
            (page.text("range predicted, median"), {"fc": LIGHT, "edgecolor": GREY}),
        ],
        100,
        12,
        450,
    )
    return canvas.finish(
        page.text("Published results over predictions"),
        page.text("A dot for every published result, by kind of question; the shaded range is the predicted one."),
        page.text("Each range was learnt without the results of the chip it is of. Crosses: outside."),
    )
