"""From cards to the wall, the year and the won: the figures of one site."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hw.spec.error import InputError
from model.projection.card import CardFigures
from model.projection.figure import Figure, ceil, from_fact, number, smaller, total
from model.projection.money import Capital, capital
from model.projection.overheads import SUPPLY_EFFICIENCY, host_power
from model.projection.overheads import fans as cooling
from model.projection.scenario import Scenario, Share

HOURS_PER_YEAR = 8760



@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFigures:
    """The figures of one site, the totals first; `chain` is its power in kW step by step, adding up to the wall."""

    name: str
    scenario: Scenario
    totals: tuple[Figure, ...]
    chain: tuple[Figure, ...]
    by_operator: Mapping[str, tuple[Figure, ...]]

    @property
    def all(self) -> tuple[Figure, ...]:
        """Every named figure."""
        return (*self.totals, *self.chain, *(f for figures in self.by_operator.values() for f in figures))


def site_figures(
    name: str, scenario: Scenario, cards: Mapping[str, CardFigures], owner: str | None = None
) -> SiteFigures:
    """The figures of the site `name`, from the figures of one card of each kind.

    `owner` is the site whose facts these are, if `name` is a variant of it: they then vary together.
    """
    owner = owner or name

    def assumed(field: str, shared: bool = True) -> Figure:
        return from_fact(f"{'assumed' if shared else owner}.{field}", getattr(scenario, field))

    count, servers, rate, card_kw, array_kw, core_kw, nominal = ([] for _ in range(7))
    by_operator: dict[str, tuple[Figure, ...]] = {}
    for share in scenario.shares:
        one = cards[share.card]
        prefix = f"{name}.{share.operator}"
        bought = _cards(owner, share, one).named(
            f"{prefix}.cards", "cards", f"{one.title}, counted at its {share.peak_format} peak"
        )
        racked = ceil(bought / from_fact("server.cards", scenario.server.cards)).named(f"{prefix}.servers", "servers")
        images = (bought * one.rate).named(f"{prefix}.images_per_s", "images/s", "ResNet-50 offline, INT8")
        power = (bought * one.power / 1e3).named(f"{prefix}.cards_kw", "kW", "cards only, busy")
        by_operator[share.operator] = (bought, racked, images, power)
        count.append(bought)
        servers.append(racked)
        rate.append(images)
        card_kw.append(power)
        array_kw.append(bought * one.array_power / 1e3)
        core_kw.append(bought * one.core_power / 1e3)
        nominal.append(bought * _peak(share, one) / 1e3)

    all_cards = total(card_kw).named(f"{name}.cards_kw", "kW", "all cards, busy")
    hosts = (total(servers) * host_power(scenario.server) / 1e3).named(f"{name}.hosts_kw", "kW", "hosts without fans")
    load = (all_cards + hosts).named(f"{name}.load_kw", "kW", "cards and hosts, after the supplies")
    fans = cooling(load).named(f"{name}.fans_kw", "kW", "fans of the servers")
    it = ((load + fans) / from_fact("server.supply_efficiency", SUPPLY_EFFICIENCY)).named(
        f"{name}.it_kw", "kW", "at the servers' sockets"
    )
    wall = (it * assumed("pue", shared=False)).named(f"{name}.wall_kw", "kW", "busy, with the facility")
    # A priced core cannot draw more than the cards it sits on: where both ranges cross, the cards' power holds.
    core = smaller(total(core_kw), all_cards).named(
        f"{name}.core_kw", "kW", "arrays and their memories, counts priced; at most the cards"
    )
    array = smaller(total(array_kw), core).named(
        f"{name}.array_kw", "kW", "MAC arrays, counts priced, weighed by RTL activity"
    )
    chain = (
        array,
        (core - array).named(f"{name}.memories_kw", "kW", "memories and output stage of the cores, priced"),
        (all_cards - core).named(f"{name}.rest_of_cards_kw", "kW", "DRAM, links, clocks, leakage, regulators"),
        hosts,
        fans,
        (it - load - fans).named(f"{name}.supplies_kw", "kW", "lost in the supplies"),
        (wall - it).named(f"{name}.facility_kw", "kW", "cooling and distribution"),
    )
    images = total(rate).named(f"{name}.images_per_s", "images/s", "ResNet-50 offline, all cards busy")
    busy = assumed("load")
    duty = (busy + (1 - busy) * assumed("idle")).named(f"{name}.duty", "1", "mean power over busy power")
    energy = (wall * duty * (HOURS_PER_YEAR / 1e3)).named(f"{name}.mwh_per_year", "MWh")
    cost = (energy * from_fact("grid.tariff", scenario.tariff) / 1e3).named(f"{name}.mkrw_per_year", "million KRW")
    carbon = (energy * from_fact("grid.carbon", scenario.carbon) / 1e3).named(f"{name}.tco2e_per_year", "tCO2e")
    seconds = busy * (HOURS_PER_YEAR * 3600)
    spent = capital(
        name, owner, scenario.prices,
        [(bought, cards[s.card].price) for bought, s in zip(count, scenario.shares, strict=True)],
        total(servers), wall, scenario.budget,
    )
    served = [images]
    tokens = [
        bought * rate for bought, share in zip(count, scenario.shares, strict=True)
        if (rate := cards[share.card].tokens) is not None
    ]
    if tokens:
        left = [f"{s.operator}: {cards[s.card].without_tokens}" for s in scenario.shares if not cards[s.card].tokens]
        served.append(total(tokens).named(
            f"{name}.tokens_per_s", "tokens/s", "all cards busy" + ("; without " + "; ".join(left) if left else "")
        ))
    number_of_cards = total(count).named(f"{name}.cards", "cards")
    totals = (
        number_of_cards,
        total(servers).named(f"{name}.servers", "servers"),
        total(nominal).named(f"{name}.nominal_pf", "PF", "peaks as each operator counts them, formats mixed"),
        *served,
        wall,
        energy,
        cost,
        carbon,
        *(figure for rate in served for figure in _per_unit(name, rate, wall, seconds, cost, carbon, spent)),
        *spent.shown,
        spent.yearly,
        (from_fact(f"{owner}.budget", scenario.budget) / number_of_cards / 1e6).named(
            f"{name}.mkrw_per_card", "million KRW", "whole grant over the cards: hosts and facility included"
        ),
        (cost * 1e6 / from_fact(f"{owner}.budget", scenario.budget)).named(
            f"{name}.electricity_over_budget", "1", "a year's electricity over the grant"
        ),
    )
    return SiteFigures(name=name, scenario=scenario, totals=totals, chain=chain, by_operator=by_operator)


def _per_unit(
    name: str, rate: Figure, wall: Figure, seconds: Figure, cost: Figure, carbon: Figure, spent: Capital
) -> tuple[Figure, ...]:
    """Efficiency and cost per million images or tokens if all cards run this service whenever they are busy."""
    unit = rate.unit.removesuffix("/s")
    yearly = rate * seconds
    return (
        (rate / wall).named(f"{name}.{unit}_per_kj", f"{unit}/kJ", "busy, at the wall"),
        (cost * 1e12 / yearly).named(f"{name}.krw_per_million_{unit}", "KRW", "electricity alone"),
        ((cost + spent.yearly) * 1e12 / yearly).named(
            f"{name}.krw_per_million_{unit}_with_capital", "KRW", "electricity and the year's part of the capital"
        ),
        (carbon * 1e12 / yearly).named(f"{name}.gco2e_per_million_{unit}", "gCO2e", "electricity alone"),
    )


def _cards(name: str, share: Share, card: CardFigures) -> Figure:
    """Cards that come nearest to the share: published shares are rounded, so the nearest whole number is taken."""
    capacity = from_fact(f"{name}.{share.operator}.capacity", share.capacity)
    return ceil(capacity * 1e3 / _peak(share, card) - number(0.5))


def _peak(share: Share, card: CardFigures) -> Figure:
    """The printed peak the share is counted at: a count of cards has no range, whatever the peak really is."""
    if share.peak_format not in card.peaks:
        known = ", ".join(card.peaks)
        raise InputError(
            f"peak_format of {share.operator} must be one of {known} for {card.title}, not {share.peak_format!r}"
        )
    printed = replace(card.peaks[share.peak_format], low=None, high=None)
    return from_fact(f"card.{share.card}.printed_{share.peak_format}", printed)
