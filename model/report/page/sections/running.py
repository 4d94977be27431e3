"""What the site costs a year beyond electricity, and what was emitted to make it."""

from model.report.page.label import label
from model.report.page.page import Page
from model.report.page.plots import running
from model.report.page.section_type import Section, Table

PLACE = 45
EMBODIED = ("embodied_cards", "embodied_hosts", "embodied", "tco2e_per_year")


def section(page: Page) -> Section | None:
    """The parts of a year; both sites and the carbon in the tables."""
    assert page.summary.programme is not None
    sites, name = page.summary.programme.sites, page.site
    tails = (*running.PARTS, "running", "capital_per_year")
    heads = (page.text("figure"), *(page.site_name(site) for site in sites))

    def rows(tails: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        return tuple(
            (label(page.language, f"{name}.{tail}"), *(page.number(f"{site}.{tail}") for site in sites))
            for tail in tails
        )

    return Section(
        key="running",
        title=page.text("What does a year cost?"),
        lead=page.say(
            "{all} without capital; electricity is {money} of it.",
            all=page.number(f"{name}.running"),
            money=page.number(f"{name}.mkrw_per_year"),
        ),
        text=(
            page.say(
                "People cost {staff} and the support of the hardware {support}. No operator publishes these parts: "
                "each is a stated range, and its origin says what bounds it.",
                staff=page.number(f"{name}.running_staff"),
                support=page.number(f"{name}.running_maintenance"),
            ),
            page.say(
                "Making cards and servers emitted {once}; the electricity of a year emits {yearly}.",
                once=page.number(f"{name}.embodied"),
                yearly=page.number(f"{name}.tco2e_per_year"),
            ),
        ),
        drawing=running.draw(page),
        tables=(
            Table(title=page.text("A year of both sites"), heads=heads, rows=rows(tails)),
            Table(title=page.text("Carbon before and after switching on"), heads=heads, rows=rows(EMBODIED)),
        ),
    )
