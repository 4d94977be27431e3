"""Energy, money and carbon of a run: what the cards, their servers and the building draw, idle time included.

    card = TDP x (1 in iterations with prompts, memory-bound share in decode steps, idle share otherwise)
    wall = (cards + sockets of their servers) x (1 + fans) / supply efficiency x PUE

Behind a memory with processing in it the card idles for the part of a decode step that the memory works, and the
memory is added: events counted by the PIM cycle model, priced, and its background all the time. The card's own memory
stays in its TDP, so the sum is rather too high than too low.

The rules and prices are those of the projection (`model.projection.overheads`, its scenarios).
"""

from dataclasses import dataclass
from typing import Any

from hw.spec.chip import Chip
from hw.spec.fact import Fact
from model.card.device import device
from model.card.pim import SOURCES
from model.projection import scenarios
from model.projection.overheads import FAN_SHARE, FIXED_SHARE, SOCKET_POWER, SUPPLY_EFFICIENCY
from model.serving.cluster import Cluster
from model.serving.instance import Instance
from model.serving.pim import PimMachine

MEMORY_BOUND_LOAD = Fact(
    nominal=0.6,
    low=0.4,
    high=0.9,
    unit="1",
    confidence="assumed",
    source="a decode step keeps the memory busy and most multipliers idle: between the fixed share of an idle card and "
    "its limit; public listings of cards that decode show 50 to 80 % of their limit, none of the Korean cards",
)

HOURS_PER_YEAR = 8760


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Of one site, each at (low, nominal, high).

    Parameters
    ----------
    pue, tariff, carbon : tuple of float
        "1", KRW/kWh, gCO2e/kWh.
    sockets_per_card : tuple of float
        Processor sockets of a server over its cards.
    capital_per_card_year : tuple of float
        KRW: card and its part of the server, over the lifetime.
    """

    pue: tuple[float, float, float]
    tariff: tuple[float, float, float]
    carbon: tuple[float, float, float]
    sockets_per_card: tuple[float, float, float]
    capital_per_card_year: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Of one run, each at (low, nominal, high).

    Parameters
    ----------
    joules : tuple of float
        For a token of the answers, at the wall.
    kilowatts : tuple of float
        Mean power at the wall over the run.
    krw : tuple of float
        KRW of electricity for a million tokens.
    krw_with_capital : tuple of float
        The same and the capital of the time the cards were kept.
    carbon : tuple of float
        gCO2e of the electricity for a million tokens.
    """

    joules: tuple[float, float, float]
    kilowatts: tuple[float, float, float]
    krw: tuple[float, float, float]
    krw_with_capital: tuple[float, float, float]
    carbon: tuple[float, float, float]

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        names = {
            "joules_per_token": self.joules,
            "kilowatts": self.kilowatts,
            "krw_per_million_tokens": self.krw,
            "krw_per_million_tokens_with_capital": self.krw_with_capital,
            "gco2e_per_million_tokens": self.carbon,
        }
        return {name: {"nominal": mid, "range": [low, high]} for name, (low, mid, high) in names.items()}


def ends(fact: Fact) -> tuple[float, float, float]:
    """(low, nominal, high)."""
    return fact.minimum, fact.nominal, fact.maximum


def prices(chip: Chip, site: str = "gwangju") -> Prices:
    """What a card of `chip` costs at a site of the projection."""
    scenario = scenarios.load(site)
    cards, sockets = ends(scenario.server.cards), scenario.server.sockets.nominal
    p = scenario.prices
    card = chip.facts.get("price", p.unpriced_card)
    years = ends(p.lifetime)
    capital = tuple(
        (usd * krw + 1e6 * host / many) / life
        for usd, krw, host, many, life in zip(
            ends(card), ends(p.exchange), ends(p.host), reversed(cards), reversed(years), strict=True
        )
    )
    return Prices(
        pue=ends(scenario.pue),
        tariff=ends(scenario.tariff),
        carbon=ends(scenario.carbon),
        sockets_per_card=(sockets / cards[2], sockets / cards[1], sockets / cards[0]),
        capital_per_card_year=capital,  # type: ignore[arg-type]
    )


def card_joules(
    chip: Chip, seconds: float, prefill: float, decode: float, elsewhere: float = 0.0
) -> tuple[float, float, float]:
    """Joules of one card over `seconds`, of which so many with prompts and in decode steps; `elsewhere`: part of the
    decode steps that a memory with processing in it works."""
    decode *= 1 - elsewhere
    tdp, idle = ends(chip.facts["tdp"]), chip.facts.get("idle_power")
    rest = ends(idle) if idle is not None else tuple(t * f for t, f in zip(tdp, ends(FIXED_SHARE), strict=True))
    return tuple(  # type: ignore[return-value]
        t * (prefill + load * decode) + r * max(0.0, seconds - prefill - decode)
        for t, r, load in zip(tdp, rest, ends(MEMORY_BOUND_LOAD), strict=True)
    )


def pim_part(instance: Instance, seconds: float) -> tuple[float, tuple[float, float, float]]:
    """(part of the decode steps' time, joules of one device) that a memory with processing in it takes over `seconds`;
    nothing without one, or where nobody prices its events."""
    machine = getattr(instance.costs.machine, "machine", instance.costs.machine)
    steps = sum(instance.steps_of.values())
    if not isinstance(machine, PimMachine) or machine.memory.name not in SOURCES:
        return 0.0, (0.0, 0.0, 0.0)
    share = sum(n * machine.share(rows) for rows, n in instance.steps_of.items()) / steps if steps else 0.0
    e = machine.energy(instance.steps_of, instance.keys_read, instance.window_keys_read, instance.mixed, seconds)
    return share, (e.low, e.nominal, e.high)


def bill(
    cluster: Cluster, chips: list[Chip], cards: list[float], tokens: int, seconds: float, site: str = "gwangju"
) -> Bill | None:
    """Of a run of `seconds` that wrote `tokens`; `chips` and `cards` of each instance. None without a published TDP."""
    if not tokens or not seconds or any("tdp" not in chip.facts for chip in chips):
        return None
    wall, capital = [0.0] * 3, [0.0] * 3
    first = prices(chips[0], site)
    for instance, chip, many in zip(cluster.all, chips, cards, strict=True):
        own = prices(chip, site)
        elsewhere, memory = pim_part(instance, seconds)
        joules = card_joules(chip, seconds, instance.prefill_seconds, instance.decode_seconds, elsewhere)
        joules = tuple(j + device(chip).devices * m for j, m in zip(joules, memory, strict=True))
        for end in range(3):
            host = own.sockets_per_card[end] * ends(SOCKET_POWER)[end] * seconds
            supply = ends(SUPPLY_EFFICIENCY)[2 - end]
            wall[end] += many * (joules[end] + host) * (1 + ends(FAN_SHARE)[end]) / supply * own.pue[end]
            capital[end] += many * own.capital_per_card_year[end] * seconds / (HOURS_PER_YEAR * 3600)
    kwh = [w / 3.6e6 for w in wall]
    per_million = 1e6 / tokens

    def three(values: list[float]) -> tuple[float, float, float]:
        return values[0], values[1], values[2]

    money = [k * t for k, t in zip(kwh, first.tariff, strict=True)]
    return Bill(
        joules=three([w / tokens for w in wall]),
        kilowatts=three([w / seconds / 1e3 for w in wall]),
        krw=three([m * per_million for m in money]),
        krw_with_capital=three([(m + c) * per_million for m, c in zip(money, capital, strict=True)]),
        carbon=three([k * c * per_million for k, c in zip(kwh, first.carbon, strict=True)]),
    )
