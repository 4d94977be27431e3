"""From cards to the wall, the year and the won: the figures of one site."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from hw.base.error import InputError
from model.projection.card import CardFigures
from model.projection.figure import Figure, ceil, from_fact, number, smaller, total
from model.projection.inputs import Inputs, Read
from model.projection.money import Capital, capital
from model.projection.overheads import GRID_LOSS, REGULATOR_EFFICIENCY, SUPPLY_EFFICIENCY, host_power
from model.projection.overheads import fans as cooling
from model.projection.running import running
from model.projection.scenario import Scenario, Share

HOURS_PER_YEAR = 8760


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorFigures:
    """One operator's part of a site; `exact` is the number of cards before rounding.

    Parameters
    ----------
    cards : Figure
        Whole number of cards that comes nearest to the operator's share.
    servers : Figure
        Servers that hold these cards, the last one perhaps not full.
    nominal_pf : Figure
        Printed peak of all these cards in the format the share is counted in, PF.
    images : Figure
        Images per second of all cards, ResNet-50 offline in INT8.
    power : Figure
        Power of the busy cards alone in kW, without servers.
    tokens : Figure or None
        Tokens per second of all cards; None if the card has no rate of tokens.
    """

    cards: Figure
    exact: Figure
    servers: Figure
    nominal_pf: Figure
    images: Figure
    power: Figure
    tokens: Figure | None = None

    @property
    def all(self) -> tuple[Figure, ...]:
        """Every named figure."""
        return (
            self.cards,
            self.exact,
            self.servers,
            self.nominal_pf,
            self.images,
            *([self.tokens] if self.tokens is not None else []),
            self.power,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFigures:
    """The figures of one site, the totals first.

    `chain` is its power in kW step by step, adding up to the wall; `grid` is what the wall takes from power plants.

    Parameters
    ----------
    name : str
        Name of the site or of its variant under a counting rule; all names of its figures begin with it.
    scenario : Scenario
        The site as data.
    totals : tuple of Figure
        Figures of the whole site: cards, servers, PF, rates, wall power, energy, cost, carbon and capital.
    by_operator : dict of str to OperatorFigures
        Each operator's part.
    """

    name: str
    scenario: Scenario
    totals: tuple[Figure, ...]
    chain: tuple[Figure, ...]
    grid: tuple[Figure, Figure]
    by_operator: Mapping[str, OperatorFigures]

    @property
    def all(self) -> tuple[Figure, ...]:
        """Every named figure."""
        return (*self.totals, *self.chain, *self.grid, *(f for one in self.by_operator.values() for f in one.all))


def site_figures(
    name: str,
    scenario: Scenario,
    cards: Mapping[str, CardFigures],
    macs_per_image: Figure,
    owner: str | None = None,
    inputs: Inputs | None = None,
) -> SiteFigures:
    """The figures of the site `name`, from the figures of one card of each kind and the operations of an image.

    `owner` is the site whose facts these are, if `name` is a variant of it: they then vary together. `inputs` are those
    of all sites.
    """
    owner = owner or name
    read = (inputs or Inputs()).of(owner)

    def assumed(field: str) -> Figure:
        return read(f"assumed.{field}", getattr(scenario, field))

    by_operator = {
        share.operator: _operator(name, owner, scenario, share, cards[share.card], read) for share in scenario.shares
    }
    parts = [(by_operator[share.operator], cards[share.card]) for share in scenario.shares]

    def kilowatts(watts: Callable[[CardFigures], Figure]) -> Figure:
        return total([part.cards * watts(card) / 1e3 for part, card in parts])

    all_cards = total([part.power for part, _ in parts]).named(f"{name}.cards_kw", "kW", "all cards, busy")
    servers = total([part.servers for part, _ in parts]).named(f"{name}.servers", "servers")
    hosts = (servers * host_power(scenario.server, read=read) / 1e3).named(
        f"{name}.hosts_kw", "kW", "processors, memory, disks and network of the servers, without fans"
    )
    load = (all_cards + hosts).named(f"{name}.load_kw", "kW", "cards and hosts, after the supplies")
    fans = cooling(load).named(f"{name}.fans_kw", "kW", "fans of the servers")
    it = ((load + fans) / from_fact("server.supply_efficiency", SUPPLY_EFFICIENCY)).named(
        f"{name}.it_kw", "kW", "at the servers' sockets"
    )
    wall = (it * from_fact(f"{owner}.pue", scenario.pue)).named(f"{name}.wall_kw", "kW", "busy, with the facility")
    regulated = all_cards * from_fact("assumed.regulator_efficiency", REGULATOR_EFFICIENCY)
    # A part cannot draw more than the whole it sits in: where the ranges cross, the whole's power holds.
    dram = smaller(kilowatts(lambda card: card.dram_power), regulated).named(
        f"{name}.dram_kw", "kW", "DRAM of the cards: standby, refresh and the bits the task moves"
    )
    chips = (regulated - dram).named(f"{name}.chips_kw", "kW", "chips of the cards, without DRAM and regulators")
    core = smaller(kilowatts(lambda card: card.core_power), chips).named(
        f"{name}.core_kw", "kW", "arrays and their memories, counts priced; at most the chips"
    )
    array = smaller(kilowatts(lambda card: card.array_power), core).named(
        f"{name}.array_kw", "kW", "MAC arrays, counts priced, weighed by RTL activity"
    )
    chain = (
        array,
        (core - array).named(f"{name}.memories_kw", "kW", "memories and output stage of the cores, priced"),
        (chips - core).named(f"{name}.rest_of_chips_kw", "kW", "rest of the chips: links, control, clocks, leakage"),
        dram,
        (all_cards - regulated).named(f"{name}.regulators_kw", "kW", "lost in the cards' voltage regulators"),
        hosts,
        fans,
        (it - load - fans).named(f"{name}.supplies_kw", "kW", "lost in the servers' supplies"),
        (wall - it).named(f"{name}.facility_kw", "kW", "cooling and distribution in the building (PUE)"),
    )
    loss = from_fact("grid.loss", GRID_LOSS)
    at_plants = (wall / (1 - loss)).named(
        f"{name}.grid_kw", "kW", "fed into the grid for the wall; tariff and carbon factor are per kWh at the wall"
    )
    grid = ((wall * loss / (1 - loss)).named(f"{name}.grid_loss_kw", "kW", "lost in the lines of the grid"), at_plants)
    images = total([part.images for part, _ in parts]).named(
        f"{name}.images_per_s", "images/s", "ResNet-50 offline, INT8, all cards busy"
    )
    busy = assumed("load")
    duty = (busy + (1 - busy) * assumed("idle")).named(f"{name}.duty", "1", "mean power over busy power")
    energy = (wall * duty * (HOURS_PER_YEAR / 1e3)).named(f"{name}.mwh_per_year", "MWh", "at the wall")
    cost = (energy * read("grid.tariff", scenario.tariff) / 1e3).named(
        f"{name}.mkrw_per_year", "million KRW", "electricity"
    )
    carbon = (energy * read("grid.carbon", scenario.carbon) / 1e3).named(f"{name}.tco2e_per_year", "tCO2e")
    seconds = busy * (HOURS_PER_YEAR * 3600)
    spent = capital(
        name,
        owner,
        scenario.prices,
        [(part.cards, card.price) for part, card in parts],
        servers,
        wall,
        scenario.budget,
        read,
    )
    cost_of_running = running(
        name,
        wall=wall,
        it=it,
        servers=servers,
        cards=spent.shown[0],
        hosts=spent.shown[1],
        electricity=cost,
        embodied_cards=total([part.cards * card.embodied for part, card in parts]),
    )
    served = [images]
    tokens = [part.tokens for part, _ in parts if part.tokens is not None]
    if tokens:
        left = [f"{s.operator}: {cards[s.card].without_tokens}" for s in scenario.shares if not cards[s.card].tokens]
        served.append(
            total(tokens).named(
                f"{name}.tokens_per_s", "tokens/s", "all cards busy" + ("; without " + "; ".join(left) if left else "")
            )
        )
    nominal = total([part.nominal_pf for part, _ in parts]).named(
        f"{name}.nominal_pf", "PF", "peaks as each operator counts them, formats mixed"
    )
    eight_bit = total(
        [
            part.cards * from_fact(f"card.{share.card}.peak_{key}", cards[share.card].peaks[key]) / 1e3
            for share in scenario.shares
            for part, key in [(by_operator[share.operator], "int8" if "int8" in cards[share.card].peaks else "fp8")]
        ]
    )
    number_of_cards = total([part.cards for part, _ in parts]).named(f"{name}.cards", "cards")
    totals = (
        number_of_cards,
        servers,
        nominal,
        *served,
        (images * macs_per_image * 2 / 1e15).named(
            f"{name}.delivered_pf", "PF", "operations of the images, INT8, whatever the peaks were counted in"
        ),
        (images * macs_per_image * 2 / 1e15 / eight_bit).named(
            f"{name}.delivered_over_peak", "1", "operations of the images, INT8, over the same cards' 8-bit peak"
        ),
        (eight_bit * 1).named(f"{name}.eight_bit_pf", "PF", "the same cards' peaks in 8 bits, in which the images run"),
        wall,
        energy,
        cost,
        carbon,
        *(figure for rate in served for figure in _per_unit(name, rate, wall, seconds, cost, carbon, spent)),
        *spent.shown,
        spent.yearly,
        *cost_of_running.shown,
        (from_fact(f"{owner}.budget", scenario.budget) / number_of_cards / 1e6).named(
            f"{name}.mkrw_per_card", "million KRW", "whole grant over the cards: hosts and facility included"
        ),
        (cost * 1e6 / from_fact(f"{owner}.budget", scenario.budget)).named(
            f"{name}.electricity_over_budget", "1", "a year's electricity over the grant"
        ),
    )
    return SiteFigures(name=name, scenario=scenario, totals=totals, chain=chain, grid=grid, by_operator=by_operator)


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


def _operator(
    site: str, owner: str, scenario: Scenario, share: Share, card: CardFigures, read: Read
) -> OperatorFigures:
    """Cards that come nearest to the share (published shares are rounded), and what they do."""
    prefix = f"{site}.{share.operator}"
    counted = f"{card.title}, counted at its {share.peak_format.upper()} peak"
    capacity = from_fact(f"{owner}.{share.operator}.capacity", share.capacity)
    peak = _peak(share, card)
    exact = (capacity * 1e3 / peak).named(f"{prefix}.exact_cards", "cards", f"{counted}, before rounding")
    bought = ceil(exact - number(0.5)).named(f"{prefix}.cards", "cards", counted)
    return OperatorFigures(
        cards=bought,
        exact=exact,
        servers=ceil(bought / read("server.cards", scenario.server.cards)).named(f"{prefix}.servers", "servers"),
        nominal_pf=(bought * peak / 1e3).named(f"{prefix}.nominal_pf", "PF", counted),
        images=(bought * card.rate).named(f"{prefix}.images_per_s", "images/s", "ResNet-50 offline, INT8"),
        power=(bought * card.power / 1e3).named(f"{prefix}.cards_kw", "kW", "cards only, busy"),
        tokens=None
        if card.tokens is None
        else (bought * card.tokens).named(f"{prefix}.tokens_per_s", "tokens/s", card.tokens.note),
    )


def _peak(share: Share, card: CardFigures) -> Figure:
    """The printed peak the share is counted at: a count of cards has no range, whatever the peak really is."""
    if share.peak_format not in card.peaks:
        known = ", ".join(card.peaks)
        raise InputError(
            f"peak_format of {share.operator} must be one of {known} for {card.title}, not {share.peak_format!r}"
        )
    printed = replace(card.peaks[share.peak_format], low=None, high=None)
    return from_fact(f"card.{share.card}.printed_{share.peak_format}", printed)
