"""Capital of a card of each stage, and won for a million tokens with it: the other side of "does PIM pay".

    capital of a card = price (with a premium for PIM memory) + share of a server + facility for its power at the wall
    won with capital  = electricity + capital / years / tokens of the busy hours of a year

A GPU has the same rule with its published price. Stage 3 has no price of anything and therefore no capital here.
"""

from hw.spec.chip import Chip
from hw.spec.fact import Fact
from model.projection.figure import Figure, from_fact
from model.projection.money import card_price
from model.projection.overheads import Server
from model.projection.scenario import Scenario

HOURS_PER_YEAR = 8760

PIM_PREMIUM = Fact(
    nominal=0.3,
    low=0.0,
    high=1.0,
    unit="1",
    confidence="assumed",
    source="unknown: no price of HBM-PIM or GDDR6-AiM is published; price of a card over that with plain memory, less "
    "one, from none to double",
)


def with_capital(
    key: str, name: str, chip: Chip, scenario: Scenario, server: tuple[str, Server] | None, *, rate: Figure,
    wall: Figure, electricity: Figure, pim: bool,
) -> tuple[Figure, Figure]:  # fmt: skip
    """(capital of one card in million KRW, KRW for a million tokens with it).

    Parameters
    ----------
    key : str
        Of the stage's card, part of the figures' names.
    name, chip : str, Chip
        The card that is bought.
    server : (str, Server) or None
        What stands around it, by default the site's servers.
    rate, wall, electricity : Figure
        Tokens per second of the card, its W at the wall, KRW of electricity for a million tokens, always busy.
    pim : bool
        Its memory computes: the premium is paid.
    """
    prices = scenario.prices
    around_name, around = server or ("server", scenario.server)
    price = card_price(name, chip, prices) * from_fact("price.exchange", prices.exchange) / 1e6
    if pim:
        price = price * (1 + from_fact("price.pim_premium", PIM_PREMIUM))
    host = from_fact("price.host", prices.host) / from_fact(f"{around_name}.cards", around.cards)
    capital = (price + host + wall / 1e3 * from_fact("price.facility", prices.facility)).named(
        f"stage.{key}.capital_of_card", "million KRW", "card, share of a server, facility for its power"
    )
    busy = from_fact("assumed.load", scenario.load) * (HOURS_PER_YEAR * 3600)
    yearly = capital / from_fact("price.lifetime", prices.lifetime)
    return capital, (electricity + yearly * 1e12 / (rate * busy)).named(
        f"stage.{key}.krw_per_million_tokens_with_capital",
        "KRW",
        "electricity while busy, and the year's part of the capital over the tokens of a year",
    )
