"""What decides, and what is least certain."""

from model.projection.projection import Driver
from model.report.page.label import label
from model.report.page.page import Page
from model.report.page.plots import drivers
from model.report.page.section_type import Section, Table

PLACE = 90
FIGURES = ("wall_kw", "krw_per_million_tokens_with_capital")


def section(page: Page) -> Section | None:
    """Two figures and their inputs one at a time."""
    names = [f"{page.site}.{tail}" for tail in FIGURES if page.has(f"{page.site}.{tail}")]
    found = {name: page.summary.projection.drivers(name) for name in names}
    if len(names) < len(FIGURES) or not all(len(one) > 1 for one in found.values()):
        return None
    power, tokens = (found[name] for name in names)
    titles = (page.text("power at the wall, kW"), page.text("a million tokens with capital, KRW"))
    rows = tuple(
        (
            label(page.language, driver.leaf.name),
            label(page.language, name),
            page.link(driver.leaf.name, page.given(fact.minimum, fact.unit)),
            page.link(driver.leaf.name, page.given(fact.maximum, fact.unit)),
            page.link(name, page.given(float(f"{driver.at_low:.3g}"), page.range(name).unit)),
            page.link(name, page.given(float(f"{driver.at_high:.3g}"), page.range(name).unit)),
            fact.source,
        )
        for name, one in found.items()
        for driver in one[:9]
        for fact in [driver.leaf.fact]
        if fact is not None
    )

    def of(driver: int, one: list[Driver]) -> str:
        return page.link(one[driver].leaf.name, label(page.language, one[driver].leaf.name))

    return Section(
        key="decides",
        title=page.text("What decides, and what is least certain?"),
        lead=page.say(
            "Power hangs on {first} and {second}; the cost of tokens on {third} and {fourth}.",
            first=of(0, power),
            second=of(1, power),
            third=of(0, tokens),
            fourth=of(1, tokens),
        ),
        text=(
            page.say(
                "Of these four inputs {count} are published by nobody: they are assumed, with a reason.",
                count=sum(one[i].leaf.confidence == "assumed" for one in (power, tokens) for i in (0, 1)),
            ),
            page.say(
                "Least certain of all are the price of the cards, which nobody prints, how busy the sites are, and "
                "stage 3, which rests on one chip of another maker."
            ),
            page.say(
                "One published number for each of these would narrow the answer more than any better model of the "
                "chips."
            ),
        ),
        drawing=drivers.draw(page, tuple(zip(names, titles, strict=True))),
        tables=(
            Table(
                title=page.text("Inputs, their ranges and sources"),
                heads=(
                    page.text("input"),
                    page.text("figure"),
                    page.text("low"),
                    page.text("high"),
                    page.text("figure at low"),
                    page.text("figure at high"),
                    page.text("source"),
                ),
                rows=rows,
            ),
        ),
    )
