"""The cards of a site as a service: which serve, in instances of how many cards, what fails, what a power cap leaves
on.

An instance is the fewest cards that hold the model with room for 32 requests. A cap on the wall's power keeps whole
instances off: those that write the fewest tokens a joule first. A failed instance is replaced by a spare card after
`SWAP` or repaired after a day; its requests start again elsewhere.
"""

import random
from dataclasses import dataclass

from hw import chips
from hw.base.error import InputError
from hw.spec.fact import Fact
from model.card.device import device
from model.card.engine import ENGINES
from model.card.serving import serving_format
from model.network.language import LanguageModel
from model.network.split import Split
from model.projection import scenarios
from model.projection.overheads import FAN_SHARE, SOCKET_POWER, SUPPLY_EFFICIENCY
from model.serving.bill import MEMORY_BOUND_LOAD
from model.serving.deploy import Deployed, planned
from model.serving.service import Service

WITHOUT = {
    "furiosa_warboy": "its maker's documents name image networks only (furiosa-sdk, warboy.rst)",
}
"""Cards that their makers do not offer for language models -> the source."""

SWAP = Fact(
    nominal=600.0, low=120.0, high=3600.0, unit="s", confidence="assumed",
    source="a spare card stands in a running server: loading the model and routing to it; no operator publishes it",
)  # fmt: skip
REPAIR = 86400.0
TOGETHER = 32
"""Requests of an instance's smallest useful batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Cards of one operator: `instances` of `deployed` that serve, `off` kept off by the cap, `spares`; or `reason` why
    none serves.

    Parameters
    ----------
    operator : str
        Whose share of the site it is.
    card : str
        Name of the chip as `hw.chips` loads it.
    cards : int
        What the operator has, spares included: its capacity over the peak of one card, rounded, at least 1.
    """

    operator: str
    card: str
    cards: int
    deployed: Deployed | None = None
    instances: int = 0
    off: int = 0
    spares: int = 0
    reason: str = ""


def kinds(
    site: str, model: LanguageModel, *, tokens: int, engine: str, spares: int = 0, cap_kw: float | None = None
) -> list[Kind]:
    """The cards of `site` that can serve `model` with requests of `tokens` tokens, those of the most tokens a joule
    first under a cap."""
    scenario = scenarios.load(site)
    found: list[Kind] = []
    for share in scenario.shares:
        chip = chips.load(share.card)
        peak = chip.facts[f"peak_{share.peak_format}"].nominal
        cards = max(1, round(share.capacity.nominal * 1e3 / peak))
        if share.card in WITHOUT:
            found.append(Kind(operator=share.operator, card=share.card, cards=cards, reason=WITHOUT[share.card]))
            continue
        try:
            deployed = smallest(share.card, model, tokens=tokens, engine=engine)
        except InputError as error:
            found.append(Kind(operator=share.operator, card=share.card, cards=cards, reason=str(error)))
            continue
        kept = min(spares, cards)
        instances = int((cards - kept) // deployed.cards)
        found.append(
            Kind(
                operator=share.operator,
                card=share.card,
                cards=cards,
                deployed=deployed,
                instances=instances,
                spares=kept,
                reason="" if instances else f"{deployed.cards:g} cards hold the model, {cards - kept} are there",
            )
        )
    if not any(kind.instances for kind in found):
        raise InputError(
            f"a site must have cards that hold {model.name}; " + "; ".join(f"{k.card}: {k.reason}" for k in found)
        )
    return capped(found, site, cap_kw) if cap_kw is not None else found


def smallest(card: str, model: LanguageModel, *, tokens: int, engine: str) -> Deployed:
    """The fewest cards whose cache holds `TOGETHER` requests of `tokens` tokens, tensor parallel; `InputError` if none
    up to 64 does."""
    chip = chips.load(card)
    spec = device(chip)
    reason: InputError | None = None
    for many in (1, 2, 4, 8, 16, 32, 64):
        deployed = Deployed(
            device=spec,
            model=model,
            split=Split(tensor=many * spec.devices),
            weights=serving_format(spec),
            cache="fp16",
            engine=ENGINES[engine],
            rules=planned(ENGINES[engine]),
            chip=chip,
        )
        try:
            if deployed.iteration().cache_tokens >= TOGETHER * tokens:
                return deployed
            reason = InputError(f"the cache of {many} cards must hold {TOGETHER} requests of {tokens} tokens")
        except InputError as error:
            reason = error
    assert reason is not None
    raise reason


def wall_watts(deployed: Deployed, site: str) -> float:
    """Watts at the wall of a busy instance."""
    scenario = scenarios.load(site)
    assert deployed.chip is not None
    socket = scenario.server.sockets.nominal / scenario.server.cards.nominal * SOCKET_POWER.nominal
    card = deployed.chip.facts["tdp"].nominal * (1 + MEMORY_BOUND_LOAD.nominal) / 2
    served = (card + socket) * (1 + FAN_SHARE.nominal) / SUPPLY_EFFICIENCY.nominal
    return deployed.cards * served * scenario.pue.nominal


def capped(found: list[Kind], site: str, cap_kw: float) -> list[Kind]:
    """The same with instances kept off until the busy rest stays below `cap_kw` at the wall."""
    from dataclasses import replace

    left = 1e3 * cap_kw
    serving = [k for k in found if k.deployed is not None and k.instances]

    def tokens_per_joule(kind: Kind) -> float:
        assert kind.deployed is not None
        base, slope, *_ = kind.deployed.costs().line(TOGETHER)
        return TOGETHER / (base + slope * TOGETHER * 1024) / wall_watts(kind.deployed, site)

    changed: dict[str, Kind] = {}
    for kind in sorted(serving, key=tokens_per_joule, reverse=True):
        assert kind.deployed is not None
        each = wall_watts(kind.deployed, site)
        on = min(kind.instances, int(left // each))
        left -= on * each
        changed[kind.operator] = replace(kind, instances=on, off=kind.instances - on)
    if not any(k.instances for k in changed.values()):
        least = min(wall_watts(k.deployed, site) for k in serving if k.deployed is not None) / 1e3
        raise InputError(f"a power cap must leave one instance on ({least:.2f} kW at the wall), not {cap_kw:g} kW")
    return [changed.get(k.operator, k) for k in found]


def failures(found: list[Kind], a_year: float, seconds: float, seed: int) -> tuple[tuple[float, int, float], ...]:
    """(when, which instance, for how long) of the failures of all cards over `seconds`, drawn from `seed`."""
    source = random.Random(f"{seed} failures")
    events: list[tuple[float, int, float]] = []
    first = 0
    for kind in found:
        if kind.deployed is None or not kind.instances:
            continue
        rate = a_year * kind.deployed.cards * kind.instances / (365 * 86400)
        now, spares = 0.0, kind.spares
        while rate:
            now += source.expovariate(rate)
            if now >= seconds:
                break
            events.append((now, first + source.randrange(kind.instances), SWAP.nominal if spares else REPAIR))
            spares = max(0, spares - 1)
        first += kind.instances
    return tuple(sorted(events))


def service(found: list[Kind], broken: tuple[tuple[float, int, float], ...], router: str) -> Service:
    """The instances that serve, behind one router."""
    groups = tuple((k.deployed, k.instances) for k in found if k.deployed is not None and k.instances)
    return Service(groups=groups, router=router, failures=broken)
