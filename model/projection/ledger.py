"""PF ledger: peak, achievable and delivered operations of each card, and the site under each counting rule.

One counting rule throughout: two operations per multiply-accumulate of the layers, dense, none for what is skipped.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hw.spec.chip import Chip
from hw.spec.fact import Fact
from model.projection import published
from model.projection.card import MODEL, CardFigures
from model.projection.figure import Figure, from_fact, from_range, from_record, larger
from model.projection.inputs import Inputs
from model.projection.rules import RULES, Rule
from model.projection.scenario import Scenario
from model.projection.service import Service, token_rate
from model.projection.site import SiteFigures, site_figures
from model.record import Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One card in one number format, in 10^12 operations per second; None where nothing says.

    `arrays`: the record's operations over the time of the arrays alone, all cores on one image; `achievable`: those of
    the chip model offline, feed and memories included; `delivered`: service to what of it arrives. All in the format
    the service runs in; `missing` says why there is no achievable rate.

    Parameters
    ----------
    card : str
        Name of the chip in hw/chips.
    title : str
        Title of the chip up to its first colon.
    number_format : str
        Format of the peak as the chip's facts name it, such as "int8" or "fp16".
    peak : Figure
        Nominal peak in this format as printed, in TOPS.
    """

    card: str
    title: str
    number_format: str
    peak: Figure
    arrays: Figure | None
    achievable: Figure | None
    delivered: Mapping[str, Figure]
    missing: str = ""

    @property
    def all(self) -> tuple[Figure, ...]:
        """Every named figure."""
        found = (self.peak, self.arrays, self.achievable, *self.delivered.values())
        return tuple(figure for figure in found if figure is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedSite:
    """The site counted by one rule.

    Parameters
    ----------
    name : str
        Name of the rule in `RULES`.
    rule : Rule
        The counting rule itself.
    site : SiteFigures
        The site with cards and formats of its shares as the rule has them.
    miss_pf : Figure
        Nominal PF of the whole cards minus the published capacity of the site.
    """

    name: str
    rule: Rule
    site: SiteFigures
    miss_pf: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRecords:
    """What the chip model and the arrays alone recorded of one chip; None where it does not run.

    Parameters
    ----------
    arrays : Measurement or None
        Record of the cycle model of the image network on this chip, arrays alone.
    offline : Measurement or None
        Record of the chip model of the image network offline, memories included.
    language : Measurement or None
        Record of the chip model of the language service.
    """

    arrays: Measurement | None = None
    offline: Measurement | None = None
    language: Measurement | None = None


IMAGES = "int8"
"""Format of the image task in the records."""


def ledger_rows(
    name: str,
    chip: Chip,
    card: CardFigures | None,
    records: CardRecords,
    macs_per_image: Figure,
    service: Service | None,
) -> list[LedgerRow]:
    """The rows of one chip, one per published peak; `card` if a site may have it."""
    prefix = f"ledger.{name}.{IMAGES}"
    images = card.rate if card is not None else _image_rate(name, records.offline)
    delivered: dict[str, Figure] = {}
    if images is not None:
        how = "published" if published.best(name, MODEL, "Offline") is not None else "chip model"
        delivered["images"] = (images * macs_per_image * 2 / 1e12).named(
            f"{prefix}.delivered_images", "TOPS", f"ResNet-50 offline, {how}"
        )
    if service is not None and service.language is not None and f"peak_{IMAGES}" in chip.facts:
        tokens, _ = token_rate(name, chip, service, records.language, f"card.{name}.decode_tokens_per_s")
        if tokens is not None:
            weights = from_fact(f"{service.workload}.weights", service.language.parameters)
            delivered["tokens"] = (tokens * weights * 2 / 1e12).named(
                f"{prefix}.delivered_tokens", "TOPS", f"{service.how}; without attention"
            )
    rows = []
    for key, peak in chip.facts.items():
        if not key.startswith("peak_") or key.endswith("_from_geometry"):
            continue
        number_format = key.removeprefix("peak_")
        here = number_format == IMAGES
        achievable = _achievable(prefix, records.offline, macs_per_image, delivered.get("images")) if here else None
        why = (
            ""
            if achievable is not None
            else ("does not run on the chip model" if here else "the image task is recorded in INT8")
        )
        rows.append(
            LedgerRow(
                card=name,
                title=chip.title.split(":")[0],
                number_format=number_format,
                peak=(from_fact(f"card.{name}.{key}", peak) * 1).named(
                    f"ledger.{name}.{number_format}.peak", "TOPS", "as printed"
                ),
                arrays=_arrays(prefix, chip, records.arrays, achievable) if here else None,
                achievable=achievable,
                delivered=delivered if here else {},
                missing=why,
            )
        )
    return rows


def _image_rate(name: str, offline: Measurement | None) -> Figure | None:
    row = published.best(name, MODEL, "Offline")
    if row is not None:
        return from_fact(f"card.{name}.published", row.fact)
    return None if offline is None else _offline_rate(offline)


def _offline_rate(record: Measurement) -> Figure:
    run = f"record.{record.result.chip}.{record.result.workload}"
    return from_range(f"{run}.per_second", "images/s", record, "figures.per_second")


def _achievable(
    prefix: str, record: Measurement | None, macs_per_image: Figure, delivered: Figure | None
) -> Figure | None:
    """The chip model's rate, or what is delivered already where that is more."""
    if record is None:
        return None
    rate = _offline_rate(record) * macs_per_image * 2 / 1e12
    return (rate if delivered is None else larger(rate, delivered)).named(
        f"{prefix}.achievable",
        "TOPS",
        "ResNet-50 offline, chip model: feed, memories and starts of layers included; at least what is delivered",
    )


def _arrays(prefix: str, chip: Chip, record: Measurement | None, achievable: Figure | None) -> Figure | None:
    """Arrays without feeds and memories; at least what is achievable, where a batch fills them better."""
    if record is None or chip.clock is None:
        return None
    run = f"record.{record.result.chip}.{record.result.workload}"
    macs = from_record(f"{run}.macs", "MAC", record, "figures.macs")
    cycles = from_record(f"{run}.cycles", "cycles", record, "cycles")
    clock = from_fact(f"card.{record.result.chip}.clock", chip.clock)
    rate = chip.devices * 2 * macs * clock * 1e9 / cycles / 1e12
    return (rate if achievable is None else larger(rate, achievable)).named(
        f"{prefix}.arrays",
        "TOPS",
        f"{record.result.workload}, cycle model, arrays alone, one image; or what is achievable",
    )


def counted_sites(
    owner: str,
    scenario: Scenario,
    cards: Mapping[str, CardFigures],
    macs_per_image: Figure,
    inputs: Inputs,
    prefix: str = "rule",
) -> dict[str, CountedSite]:
    """The site `owner` under every rule of `RULES` that knows its operators; its facts vary together in all."""
    found = {}
    for name, rule in RULES.items():
        if not {share.operator for share in scenario.shares} <= rule.shares.keys():
            continue
        counted = rule.apply(scenario)
        site = site_figures(f"{prefix}.{name}", counted, cards, macs_per_image, owner, inputs)
        pf = next(f for f in site.totals if f.name.endswith(".nominal_pf"))
        capacity = from_fact(f"{owner}.capacity", scenario.capacity)
        found[name] = CountedSite(
            name=name,
            rule=rule,
            site=site,
            miss_pf=(pf - capacity).named(
                f"{prefix}.{name}.miss_pf", "PF", "whole cards against the published capacity"
            ),
        )
    return found


COUNTED = ("cards", "images_per_s", "tokens_per_s", "wall_kw")
"""Totals of a site that the counting rule moves."""


def any_rule(owner: str, site: SiteFigures, counted: Mapping[str, CountedSite]) -> list[Figure]:
    """Totals of the site with the counting rule as an open input: the rules' lowest and highest over the site's own."""
    own = {f.name.rpartition(".")[2]: f for f in site.totals}
    found = []
    for tail in COUNTED:
        values = [f.nominal for one in counted.values() for f in one.site.totals if f.name.rpartition(".")[2] == tail]
        if tail not in own or not values or not own[tail].nominal:
            continue
        here = own[tail].nominal
        fact = Fact(
            nominal=1.0,
            low=min(1.0, *(v / here for v in values)),
            high=max(1.0, *(v / here for v in values)),
            unit="1",
            confidence="assumed",
            source="nobody states how the PF were counted; "
            + "; ".join(f"{one.rule.title}: {_total(one, tail):,.0f}" for one in counted.values()),
        )
        found.append(
            (own[tail] * from_fact(f"{owner}.counting_rule.{tail}", fact)).named(
                f"{owner}.any_rule.{tail}", own[tail].unit, "under any counting rule of the PF"
            )
        )
    return found


def _total(one: CountedSite, tail: str) -> float:
    return next((f.nominal for f in one.site.totals if f.name.rpartition(".")[2] == tail), 0.0)


def all_figures(rows: list[LedgerRow], counted: Iterable[CountedSite]) -> list[Figure]:
    """Every named figure of the ledger."""
    figures = [figure for row in rows for figure in row.all]
    for one in counted:
        figures += [*one.site.totals, *(f for part in one.site.by_operator.values() for f in part.all), one.miss_pf]
    return figures
