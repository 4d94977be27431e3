"""What the site draws, from the MAC array to the wall."""

from model.report.page.label import label
from model.report.page.page import Page
from model.report.page.plots import waterfall
from model.report.page.section_type import Section, Table

PLACE = 30


def section(page: Page) -> Section | None:
    """The waterfall; every step in the table."""
    assert page.summary.programme is not None
    name = page.site
    site = page.summary.programme.sites[name]
    rows = tuple(
        (label(page.language, figure.name), page.number(figure.name), figure.note)
        for figure in (*site.chain, *(f for f in site.totals if f.name.endswith(".wall_kw")), *site.grid)
    )
    text = [
        page.say(
            "{hosts} go to processors, memory and network of the {servers}, {facility} to cooling and distribution "
            "of the building. The MAC arrays themselves take {array}.",
            hosts=page.number(f"{name}.hosts_kw"),
            servers=page.number(f"{name}.servers"),
            facility=page.number(f"{name}.facility_kw"),
            array=page.number(f"{name}.array_kw"),
        ),
        page.say(
            "Over a year, with the hours it is idle, the site takes {energy} and its electricity emits {carbon}.",
            energy=page.number(f"{name}.mwh_per_year"),
            carbon=page.number(f"{name}.tco2e_per_year"),
        ),
    ]
    return Section(
        key="power",
        title=page.text("How much power?"),
        lead=page.say("Busy, the site draws {wall} at the wall.", wall=page.number(f"{name}.wall_kw")),
        text=tuple(text),
        drawing=waterfall.draw(page),
        tables=(
            Table(
                title=page.text("Every step from the MAC array to the grid"),
                heads=(page.text("step"), page.text("power"), page.text("what it is")),
                rows=rows,
            ),
        ),
    )
