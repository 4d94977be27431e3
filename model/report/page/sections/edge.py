"""The edge chips of the programme: images at the camera against images at the site."""

from model.report.label import card_name
from model.report.page.page import Page
from model.report.page.plots import edge
from model.report.page.section_type import Section, Table

PLACE = 55


def section(page: Page) -> Section | None:
    """Dots of images per joule; rates and ratios in the table."""
    assert page.summary.programme is not None
    chips = page.summary.programme.edge
    if not chips:
        return None
    best = max(chips, key=lambda one: page.quantity(one.per_joule.name).value)
    return Section(
        key="edge",
        title=page.text("And at the camera?"),
        lead=page.say(
            "A module of {chip} recognises {rate}, {over} the images that a joule makes at the site.",
            chip=card_name(best.name),
            rate=page.number(best.rate.name),
            over=page.number(best.over_site.name, unit="times"),
        ),
        text=(
            page.say(
                "The module stands alone here: no processor of the camera, no server, no cooling. The site answers for "
                "many cameras at once and runs models that no module holds."
            ),
            page.say(
                "DEEPX and Telechips are the edge makers the programme names; their power is partly an assumption."
            ),
        ),
        drawing=edge.draw(page),
        tables=(
            Table(
                title=page.text("Edge chips of the programme"),
                heads=(
                    page.text("chip"),
                    page.text("images per second"),
                    page.text("images per joule"),
                    page.text("over the site"),
                ),
                rows=tuple(
                    (
                        card_name(one.name),
                        page.number(one.rate.name),
                        page.number(one.per_joule.name),
                        page.number(one.over_site.name, unit="times"),
                    )
                    for one in chips
                ),
            ),
        ),
    )
