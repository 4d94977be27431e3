"""What a load needs: the fewest cards of each chip, for a small language model and a large one."""

from markupsafe import Markup

from model.projection.fewest import Fewest
from model.report.label import card_name
from model.report.page.page import Page, joined
from model.report.page.plots import fleet as plot
from model.report.page.section_type import Section, Table

PLACE = 85


def section(page: Page) -> Section | None:
    """Cards and power; cost in the table."""
    assert page.summary.programme is not None
    fleet = page.summary.programme.fleet
    if fleet is None:
        return None
    load = fleet.load
    small, large = (list(dict.fromkeys(one.model for one in fleet.found))[end] for end in (0, -1))
    able, unable = _able(page, fleet.found, large)
    rows = tuple(
        (
            card_name(one.chip),
            plot.title(one.model),
            page.number(one.cards.name) if one.cards is not None else page.text("not within the target"),
            page.number(one.wall_kw.name) if one.wall_kw is not None else "–",
            page.number(one.cost.name) if one.cost is not None else "–",
        )
        for one in fleet.found
    )
    text = [
        page.say("{model} takes {cards}.", model=plot.title(small), cards=able_of(page, fleet.found, small)),
        page.say(
            "The load: {rate} of {prompt} and {answer} tokens on average, {share} of them with the first token within "
            "{first} and each further one within {each}.",
            rate=page.given(load.rate, "requests/s"),
            prompt=page.given(load.prompt),
            answer=page.given(load.answer),
            share=page.given(load.share, "%"),
            first=page.given(load.ttft, "s"),
            each=page.given(1e3 * load.tpot, "ms"),
        ),
    ]
    if unable:
        text.insert(
            0,
            page.say(
                "{chips} do not keep the target, however many there are.",
                chips=", ".join(unable),
            ),
        )
    return Section(
        key="fleet",
        title=page.text("What would {model} need?", model=plot.title(large)),
        lead=page.say("For the same load {model} takes {cards}.", model=plot.title(large), cards=able),
        text=tuple(text),
        drawing=plot.draw(page, fleet),
        tables=(
            Table(
                title=page.text("Cards, power and cost of each chip"),
                heads=(
                    page.text("card"),
                    page.text("language model"),
                    page.text("fewest cards"),
                    page.text("power at the wall"),
                    page.text("a million tokens with capital"),
                ),
                rows=rows,
                note=page.text("Record of the serving simulator: {file}", file="measurements/served/sites/fewest.json"),
            ),
        ),
    )


def _able(page: Page, found: tuple[Fewest, ...], model: str) -> tuple[Markup, list[str]]:
    """The cards that keep the target with their number, and the names of those that do not."""
    return able_of(page, found, model), [
        card_name(one.chip) for one in found if one.model == model and one.cards is None
    ]


def able_of(page: Page, found: tuple[Fewest, ...], model: str) -> Markup:
    """How many cards of each chip that keeps the target."""
    return joined(
        [
            page.say("{cards} of {chip}", cards=page.number(one.cards.name), chip=card_name(one.chip))
            for one in found
            if one.model == model and one.cards is not None
        ]
    )
