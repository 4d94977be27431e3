"""Stage 2: what DRAM PIM changes, at which batch, and for whom."""

from markupsafe import Markup

from model.report.page.page import Page, joined
from model.report.page.plots import decode
from model.report.page.section_type import Section, Table

PLACE = 60


def section(page: Page) -> Section | None:
    """Rates against the batch; every point in the table."""
    assert page.summary.programme is not None
    curves = {key: curve for key, curve in page.summary.programme.curves.items() if curve.pim in decode.MEMORIES}
    if len(curves) < len(decode.MEMORIES):
        return None
    (aim, _), (hbm, _) = sorted(curves.items(), key=lambda one: list(decode.MEMORIES).index(one[1].pim))
    first = curves[aim].points[0].batch
    text = [
        page.say(
            "With one sequence on the card GDDR6-AiM is {aim} and HBM-PIM {hbm} as fast as the same memory without "
            "its units; against the card with its own memory in FP8 it is {own} and {hbm_own}.",
            aim=page.number(f"{aim}.batch_{first}_gain", unit="times"),
            hbm=page.number(f"{hbm}.batch_{first}_gain", unit="times"),
            own=page.number(f"{aim}.batch_{first}_over_plain", unit="times"),
            hbm_own=page.number(f"{hbm}.batch_{first}_over_plain", unit="times"),
        ),
        page.say(
            "It helps whoever waits alone for an answer: one user, an assistant on a small server. A site that batches "
            "many users, or images, gains nothing, because a weight read once then serves all of them."
        ),
    ]
    rows = tuple(
        (
            page.text(decode.MEMORIES[curve.pim]),
            str(point.batch),
            page.number(f"{key}.batch_{point.batch}"),
            page.number(f"{key}.batch_{point.batch}_pim"),
            page.number(f"{key}.batch_{point.batch}_gain", unit="times"),
            page.number(f"{key}.batch_{point.batch}_on_pim", unit="%")
            if page.has(f"{key}.batch_{point.batch}_on_pim")
            else "–",
        )
        for key, curve in curves.items()
        for point in curve.points
    )
    return Section(
        key="stage2",
        title=page.text("What does DRAM PIM change, and for whom?"),
        lead=page.say(
            "It speeds up the tokens of a few users at a time: GDDR6-AiM gains at batches {aim}, HBM-PIM at {hbm}.",
            aim=_runs(page, aim),
            hbm=_runs(page, hbm),
        ),
        text=tuple(text),
        drawing=decode.draw(page),
        tables=(
            Table(
                title=page.text("Every batch, with and without PIM"),
                heads=(
                    page.text("memory"),
                    page.text("batch"),
                    page.text("without"),
                    page.text("with PIM"),
                    page.text("gain"),
                    page.text("of a step on PIM"),
                ),
                rows=rows,
            ),
        ),
    )


def _runs(page: Page, key: str) -> Markup:
    """Batches at which PIM takes its least gain off a step."""
    assert page.summary.programme is not None
    runs = page.summary.programme.curves[key].runs
    if not runs:
        return Markup(page.text("none"))
    return joined(
        [
            page.link(f"{key}.batch_{last}_gain", f"{first}{page.language.dash}{last}" if last > first else str(first))
            for first, last in runs
        ]
    )
