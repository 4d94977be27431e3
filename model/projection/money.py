"""Capital of a site: cards, hosts, facility, against the grant."""

from collections.abc import Sequence
from dataclasses import dataclass

from hw.base.error import InputError
from hw.spec.chip import Chip
from hw.spec.fact import Fact
from model.projection.figure import Figure, from_fact, total
from model.projection.inputs import Read


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What things cost. One price for every card nobody prints a price of.

    Parameters
    ----------
    exchange : Fact
        "KRW/USD".
    unpriced_card : Fact
        "USD".
    host : Fact
        One server without its cards, "million KRW".
    facility : Fact
        Racks, power, cooling and network per kilowatt at the wall, "million KRW/kW".
    lifetime : Fact
        Years over which the capital is spread, "years".
    """

    exchange: Fact
    unpriced_card: Fact
    host: Fact
    facility: Fact
    lifetime: Fact

    def __post_init__(self) -> None:
        for name, unit in (
            ("exchange", "KRW/USD"),
            ("unpriced_card", "USD"),
            ("host", "million KRW"),
            ("facility", "million KRW/kW"),
            ("lifetime", "years"),
        ):
            fact = getattr(self, name)
            if fact.unit != unit:
                raise InputError(f"{name} of the prices must be in {unit!r}, not {fact.unit!r}")
            if fact.minimum < 0 or (name == "lifetime" and fact.minimum <= 0):
                least = "greater than 0" if name == "lifetime" else "at least 0"
                raise InputError(f"{name} of the prices must be {least} {unit}, not {fact.minimum:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Capital:
    """Figures of the capital, in million KRW; `yearly` is its part of one year.

    Parameters
    ----------
    shown : tuple of Figure
        Cards, servers, facility and their sum in million KRW; the sum over the grant and what is left of it; the mean
        card price in USD that would spend the grant exactly.
    """

    shown: tuple[Figure, ...]
    yearly: Figure


def card_price(name: str, chip: Chip, prices: Prices, read: Read = from_fact) -> Figure:
    """USD for one card: the fact of the chip, or the common assumption for cards without one."""
    if "price" in chip.facts:
        return from_fact(f"card.{name}.price", chip.facts["price"])
    return read("price.unpriced_card", prices.unpriced_card)


def capital(
    site: str,
    owner: str,
    prices: Prices,
    cards: Sequence[tuple[Figure, Figure]],
    servers: Figure,
    wall_kw: Figure,
    budget: Fact,
    read: Read = from_fact,
) -> Capital:
    """Closure of the grant; `cards` are (number, USD each), `owner` the site whose grant it is."""
    grant = from_fact(f"{owner}.budget", budget) / 1e6
    exchange = read("price.exchange", prices.exchange)
    own = (total([number * price for number, price in cards]) * exchange / 1e6).named(
        f"{site}.capital_cards", "million KRW", "cards at their price, or the common one where none is printed"
    )
    hosts = (servers * read("price.host", prices.host)).named(f"{site}.capital_hosts", "million KRW", "servers")
    facility = (wall_kw * read("price.facility", prices.facility)).named(
        f"{site}.capital_facility", "million KRW", "racks, power, cooling, network"
    )
    everything = (own + hosts + facility).named(f"{site}.capital", "million KRW", "cards, servers, facility")
    number = total([number for number, _ in cards])
    return Capital(
        shown=(
            own,
            hosts,
            facility,
            everything,
            (everything / grant).named(f"{site}.capital_over_budget", "1", "1: the grant is spent exactly"),
            (grant - everything).named(f"{site}.budget_left", "million KRW", "for people, software, operation"),
            ((grant - hosts - facility) * 1e6 / exchange / number).named(
                f"{site}.closing_card_price", "USD", "mean price of a card that spends the grant exactly"
            ),
        ),
        yearly=(everything / read("price.lifetime", prices.lifetime)).named(
            f"{site}.capital_per_year", "million KRW", "spread evenly over the lifetime"
        ),
    )
