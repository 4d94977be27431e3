"""PF ledger: peak, achievable and delivered operations of each card, and the site under each counting rule.

One counting rule throughout: two operations per multiply-accumulate of the layers, dense, none for what is skipped.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hw.spec.chip import Chip
from model.projection.card import CardFigures
from model.projection.figure import Figure, from_fact, from_record
from model.projection.rules import RULES, Rule
from model.projection.scenario import Scenario
from model.projection.service import Service
from model.projection.site import SiteFigures, site_figures
from model.record import Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One card in one number format, in 10^12 operations per second; None where nothing says.

    `achievable`: the record's operations over its time, all cores working on one image; `delivered`: service to what
    of it arrives, all in the format the service runs in.
    """

    card: str
    title: str
    number_format: str
    peak: Figure
    achievable: Figure | None
    delivered: Mapping[str, Figure]
    achievable_missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedSite:
    """The site counted by one rule: `site` has its figures, `exact` the cards before rounding, by operator."""

    name: str
    rule: Rule
    site: SiteFigures
    exact: Mapping[str, float]
    miss_pf: Figure


def ledger_rows(
    name: str, chip: Chip, card: CardFigures, record: Measurement | None, macs_per_image: Figure,
    service: Service | None,
) -> list[LedgerRow]:
    """The rows of one card, one per published peak."""
    delivered: dict[str, dict[str, Figure]] = {}
    prefix = f"ledger.{name}"
    delivered["int8"] = {"images": (card.rate * macs_per_image * 2 / 1e12).named(
        f"{prefix}.int8.delivered_images", "TOPS", "ResNet-50 offline"
    )}
    if card.tokens is not None and service is not None and service.language is not None:
        weights = from_fact(f"{service.workload}.weights", service.language.parameters)
        delivered["int8"]["tokens"] = (card.tokens * weights * 2 / 1e12).named(
            f"{prefix}.int8.delivered_tokens", "TOPS", f"{service.how}; without attention"
        )
    rows = []
    for number_format, peak in card.peaks.items():
        own = f"{prefix}.{number_format}"
        shown = from_fact(f"card.{name}.peak_{number_format}", peak)
        achievable, missing = _achievable(own, chip, record, number_format)
        rows.append(LedgerRow(
            card=name, title=card.title, number_format=number_format,
            peak=(shown * 1).named(f"{own}.peak", "TOPS", "as printed"), achievable=achievable,
            delivered=delivered.get(number_format, {}), achievable_missing=missing,
        ))
    return rows


def _achievable(own: str, chip: Chip, record: Measurement | None, number_format: str) -> tuple[Figure | None, str]:
    if chip.core is None or chip.clock is None:
        return None, "no array is published"
    if number_format != chip.core.array.activation_format:
        return None, f"the cycle model runs {chip.core.array.activation_format.upper()}"
    if record is None:
        return None, "no record of the network on this chip"
    run = f"record.{record.result.chip}.{record.result.workload}"
    macs = from_record(f"{run}.macs", "MAC", record, "figures.macs")
    cycles = from_record(f"{run}.cycles", "cycles", record, "cycles")
    clock = from_fact(f"card.{record.result.chip}.clock", chip.clock)
    return (chip.devices * 2 * macs * clock * 1e9 / cycles / 1e12).named(
        f"{own}.achievable", "TOPS", f"{record.result.workload}, cycle model, arrays alone"
    ), ""


def counted_sites(owner: str, scenario: Scenario, cards: Mapping[str, CardFigures]) -> dict[str, CountedSite]:
    """The site `owner` under every rule of `RULES`; its facts vary together in all of them."""
    found = {}
    for name, rule in RULES.items():
        counted = rule.apply(scenario)
        site = site_figures(f"rule.{name}", counted, cards, owner)
        pf = next(f for f in site.totals if f.name.endswith(".nominal_pf"))
        capacity = from_fact(f"{owner}.capacity", scenario.capacity)
        found[name] = CountedSite(
            name=name, rule=rule, site=site,
            exact={s.operator: s.capacity.nominal * 1e3 / cards[s.card].peaks[s.peak_format].nominal
                   for s in counted.shares},
            miss_pf=(pf - capacity).named(f"rule.{name}.miss_pf", "PF", "whole cards against the published capacity"),
        )
    return found


def all_figures(rows: list[LedgerRow], counted: Mapping[str, CountedSite]) -> list[Figure]:
    """Every named figure of the ledger."""
    figures: list[Figure] = []
    for row in rows:
        figures += [row.peak, *([row.achievable] if row.achievable is not None else []), *row.delivered.values()]
    for one in counted.values():
        figures += [*one.site.totals, *(f[0] for f in one.site.by_operator.values()), one.miss_pf]
    return figures
