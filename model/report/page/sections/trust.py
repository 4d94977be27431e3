"""How far the predictions can be trusted: published results beside them."""

from statistics import median

from model.projection.check import KOREAN
from model.report.label import card_name
from model.report.page.page import Page
from model.report.page.plots import calibration
from model.report.page.section_type import Section, Table

PLACE = 95


def section(page: Page) -> Section | None:
    """Calibration by kind of question; the domestic chips' results in the table."""
    found = page.validation
    if found is None:
        return None
    kept = [check for check in found.checks if check.kind]
    domestic = [check for check in kept if check.chip.startswith(KOREAN)]
    factor = median(max(c.predicted.nominal / c.published, c.published / c.predicted.nominal) for c in kept)
    rows = tuple(
        (
            card_name(check.chip),
            check.what,
            page.given(float(f"{check.published:.4g}"), check.unit),
            page.given(check.predicted.nominal, check.unit, check.predicted.low, check.predicted.high),
            page.text("inside") if check.inside else page.text("outside"),
            check.published_by,
        )
        for check in domestic
    )
    return Section(
        key="trust",
        title=page.text("How far can the predictions be trusted?"),
        lead=page.say(
            "Of {count} published results {share} lie in ranges meant to hold {meant}.",
            count=page.given(len(kept)),
            share=page.given(round(found.coverage, 2), "%"),
            meant=page.share,
        ),
        text=(
            page.say(
                "The median prediction is off by a factor of {factor}. No factor of a chip is fitted: the range of "
                "each chip is learnt from all others.",
                factor=page.given(round(factor, 2)),
            ),
            page.say(
                "{blind} further results were predicted before they were opened; {share} of them lie in their ranges.",
                blind=page.given(found.blind_written.results),
                share=page.given(round(found.blind_written.coverage, 2), "%"),
            ),
            page.say(
                "Below all predictions stand circuits: the cycle model and the RTL in Verilator count the same "
                "cycles and events on every committed run, or the report refuses to be made."
            ),
        ),
        drawing=calibration.draw(page, found),
        tables=(
            Table(
                title=page.text("Domestic chips: published beside predicted"),
                heads=(
                    page.text("card"),
                    page.text("what it is"),
                    page.text("published"),
                    page.text("predicted"),
                    page.text("range"),
                    page.text("source"),
                ),
                rows=rows,
            ),
        ),
    )
