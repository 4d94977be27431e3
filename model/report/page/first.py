"""The first screen: what the nominal capacity delivers, draws and costs, what PIM changes, what decides."""

from hw.base.palette import BLUE, GREEN, ORANGE, PURPLE, RED, STAGES
from model.projection.figure import Figure
from model.report.page.label import label
from model.report.page.page import Page
from model.report.page.plots import spark
from model.report.page.section_type import Card


def cards(page: Page) -> list[Card]:
    """The answers there are figures for, in the order of the questions."""
    found = [_delivers(page), _draws(page), _costs(page), _dram_pim(page), _nvm(page), _decides(page)]
    return [card for card in found if card is not None]


def _ends(page: Page, name: str, scale: float = 1.0) -> tuple[float, float, float]:
    quantity = page.quantity(name, scale=scale)
    return quantity.low, quantity.value, quantity.high


def _delivers(page: Page) -> Card:
    name, peak = f"{page.site}.delivered_pf", f"{page.site}.eight_bit_pf"
    nominal = f"{page.site}.nominal_pf"
    question = page.text("What do they deliver?")
    return Card(
        question=question,
        number=page.number(name),
        words=page.say(
            "of operations in image recognition, {images}; or {tokens} of a language model",
            images=page.number(f"{page.site}.images_per_s"),
            tokens=page.number(f"{page.site}.tokens_per_s"),
        ),
        drawing=spark.draw(
            f"s-delivers-{page.language.code}",
            _ends(page, name),
            [
                (page.quantity(nominal).value, page.text("nominal")),
                (page.quantity(peak).value, page.text("peak of the cards")),
            ],
            title=question,
            tip=page.plain(name),
            origin=name,
            colour=BLUE,
        ),
        leads="deliver",
    )


def _draws(page: Page) -> Card:
    name = f"{page.site}.wall_kw"
    cards_alone = sum(page.quantity(f.name).value for f in _card_powers(page))
    question = page.text("What do they draw?")
    return Card(
        question=question,
        number=page.number(name),
        words=page.say("at the wall when busy, {energy} a year", energy=page.number(f"{page.site}.mwh_per_year")),
        drawing=spark.draw(
            f"s-draws-{page.language.code}",
            _ends(page, name),
            [(cards_alone, page.text("cards alone"))],
            title=question,
            tip=page.plain(name),
            origin=name,
            colour=ORANGE,
        ),
        leads="power",
    )


def _card_powers(page: Page) -> list[Figure]:
    assert page.summary.programme is not None
    return [one.power for one in page.summary.programme.sites[page.site].by_operator.values()]


def _costs(page: Page) -> Card:
    name, owner = f"{page.site}.capital", page.site
    assert page.summary.programme is not None
    grant = page.summary.programme.sites[owner].scenario.budget.nominal / 1e6
    question = page.text("What do they cost?")
    return Card(
        question=question,
        number=page.number(name),
        words=page.say(
            "for cards, servers and facility; electricity {money} a year", money=page.number(f"{owner}.mkrw_per_year")
        ),
        drawing=spark.draw(
            f"s-costs-{page.language.code}",
            _ends(page, name),
            [(grant, page.text("grant {money}", money=page.given(grant, "million KRW")))],
            title=question,
            tip=page.plain(name),
            origin=name,
            colour=GREEN,
        ),
        leads="cost",
    )


def _dram_pim(page: Page) -> Card | None:
    plain, joined = (f"stage.{stage}_aim_batch_1.wall_j_per_token" for stage in ("1_beside", "2"))
    gain = "decode.furiosa_rngd.aim.batch_1_gain"
    if not page.has(plain, joined, gain):
        return None
    question = page.text("What does stage 2, DRAM PIM, change?")
    return Card(
        question=question,
        number=page.number(joined),
        words=page.say(
            "for one user of a language model on GDDR6-AiM instead of {plain}, {gain} as fast; nothing for large "
            "batches and images",
            plain=page.number(plain),
            gain=page.number(gain, unit="times"),
        ),
        drawing=spark.draw(
            f"s-dram-{page.language.code}",
            _ends(page, joined),
            [(page.quantity(plain).value, page.text("without PIM, J/token"))],
            title=question,
            tip=page.plain(joined),
            origin=joined,
            colour=STAGES[2],
        ),
        leads="stage2",
    )


def _nvm(page: Page) -> Card | None:
    name, before = "stage.3_four_phase_batch_1.wall_j_per_token", "stage.2_aim_batch_1.wall_j_per_token"
    if not page.has(name, before):
        return None
    question = page.text("What might stage 3, non-volatile PIM, change?")
    return Card(
        question=question,
        number=page.number(name),
        words=page.say(
            "for one user, if every weight stays in analogue cells: {chips} of them; stage 2 takes {before}",
            chips=page.number(name.replace("wall_j_per_token", "macro_chips"), unit="chips"),
            before=page.number(before),
        ),
        drawing=spark.draw(
            f"s-nvm-{page.language.code}",
            _ends(page, name),
            [(page.quantity(before).value, page.text("stage 2, J/token"))],
            title=question,
            tip=page.plain(name),
            origin=name,
            colour=PURPLE,
            log=True,
            hypothesis=True,
        ),
        leads="stages",
        hypothesis=True,
    )


def _decides(page: Page) -> Card | None:
    name = f"{page.site}.wall_kw"
    drivers = page.summary.projection.drivers(name)
    if not drivers:
        return None
    first = drivers[0]
    low, high = sorted((first.at_low, first.at_high))
    question = page.text("What decides?")
    middle = page.range(name).bounds.nominal
    return Card(
        question=question,
        number=page.link(first.leaf.name, label(page.language, first.leaf.name)),
        words=page.say(
            "moves the power from {low} to {high}; then {second} and {third}",
            low=page.link(name, page.given(round(low), "kW")),
            high=page.link(name, page.given(round(high), "kW")),
            second=page.link(drivers[1].leaf.name, label(page.language, drivers[1].leaf.name)),
            third=page.link(drivers[2].leaf.name, label(page.language, drivers[2].leaf.name)),
        ),
        drawing=spark.draw(
            f"s-decides-{page.language.code}",
            (low, middle, high),
            [(low, page.text("best")), (high, page.text("worst"))],
            title=question,
            tip=page.given(middle, "kW", low, high),
            origin=name,
            colour=RED,
        ),
        leads="decides",
    )
