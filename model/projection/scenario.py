"""A site as data: whose cards share its capacity, what stands around them, what its electricity costs."""

from dataclasses import dataclass

from hw.base.error import InputError
from hw.spec.fact import Fact
from model.projection.money import Prices
from model.projection.overheads import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One operator's part of a site: `capacity` PF made of `card`, counted at its peak in `peak_format`.

    Parameters
    ----------
    operator : str
        Short name of the operator, part of its figures' names; each only once in a site.
    """

    operator: str
    capacity: Fact
    card: str
    peak_format: str

    def __post_init__(self) -> None:
        _bounds(f"capacity of {self.operator}", self.capacity, "PF", 0, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One site.

    Parameters
    ----------
    title : str
        The site in print.
    capacity : Fact
        Nominal capacity, "PF"; the shares add up to it.
    budget : Fact
        Grant, "KRW".
    shares : tuple of Share
        The operators' parts, at least one.
    server : Server
        What stands around the cards, up to the socket; the same for every operator.
    card_load : Fact
        Power of a busy card over its TDP, "1".
    headroom : Fact
        How much of the gap between a card's published rate and its bound software has closed, "1".
    peak_fraction : Fact
        Rate over nominal INT8 peak for a card without any published result, "1".
    idle : Fact
        Power of the idle site over its busy power, "1".
    load : Fact
        Share of the year the site is busy, "1".
    pue : Fact
        Facility power over IT power, "1".
    tariff : Fact
        "KRW/kWh".
    carbon : Fact
        "gCO2e/kWh".
    prices : Prices
        Exchange rate, cards without a price, servers, facility, lifetime.
    services : tuple of str
        Files in `services`; each is projected as if all busy cards ran it.

    Raises
    ------
    InputError
        If the shares do not add up to the capacity or a fact is outside its range.
    """

    title: str
    capacity: Fact
    budget: Fact
    shares: tuple[Share, ...]
    server: Server
    card_load: Fact
    headroom: Fact
    peak_fraction: Fact
    idle: Fact
    load: Fact
    pue: Fact
    tariff: Fact
    carbon: Fact
    prices: Prices
    services: tuple[str, ...]

    @property
    def of_cards(self) -> tuple[Fact | tuple[str, ...], ...]:
        """What the figures of a single card depend on; sites with the same share their cards."""
        return (self.card_load, self.headroom, self.peak_fraction, self.prices.unpriced_card, self.services)

    def __post_init__(self) -> None:
        _bounds("capacity", self.capacity, "PF", 0, None)
        _bounds("budget", self.budget, "KRW", 0, None)
        for name in ("card_load", "headroom", "peak_fraction", "idle", "load"):
            _bounds(name, getattr(self, name), "1", 0, 1)
        _bounds("pue", self.pue, "1", 1, None)
        _bounds("tariff", self.tariff, "KRW/kWh", 0, None)
        _bounds("carbon", self.carbon, "gCO2e/kWh", 0, None)
        operators = [share.operator for share in self.shares]
        if not operators or len(set(operators)) < len(operators):
            raise InputError(f"the shares of {self.title!r} must belong to different operators, not {operators}")
        total = sum(share.capacity.nominal for share in self.shares)
        if abs(total - self.capacity.nominal) > 1e-6 * max(1.0, self.capacity.nominal):
            raise InputError(
                f"the shares of {self.title!r} must add up to {self.capacity.nominal:g} PF, not {total:g}; "
                "correct a share or the capacity"
            )


def _bounds(name: str, fact: Fact, unit: str, low: float, high: float | None) -> None:
    if fact.unit != unit:
        raise InputError(f"{name} must be in {unit!r}, not {fact.unit!r}")
    if fact.minimum < low or (high is not None and fact.maximum > high):
        span = f"from {low:g} to {high:g}" if high is not None else f"at least {low:g}"
        raise InputError(f"{name} must be {span} {unit}, not {fact.minimum:g} to {fact.maximum:g}")
