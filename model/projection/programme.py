"""The whole projection: one core's record, one network's record, the cards and the sites."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from hw.spec.error import InputError
from model.energy.table import EnergyTable
from model.projection import services
from model.projection.card import CardFigures, card_figures, per_image
from model.projection.core import CoreFigures, core_figures
from model.projection.curve import Curve, decode_curve
from model.projection.ledger import CountedSite, LedgerRow, all_figures, counted_sites, ledger_rows
from model.projection.projection import Projection
from model.projection.rules import RULES
from model.projection.scenario import Scenario
from model.projection.site import SiteFigures, site_figures
from model.projection.stage import StageCard, all_stage_figures
from model.projection.stage_comparison import compare_stages
from model.record import Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """Everything projected. `projection` holds all named figures; the rest says which belong together."""

    projection: Projection
    core: CoreFigures
    cards: Mapping[str, CardFigures]
    sites: Mapping[str, SiteFigures]
    ledger: tuple[LedgerRow, ...] = ()
    counted: Mapping[str, CountedSite] = field(default_factory=dict)
    stages: Mapping[str, StageCard] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)


def project(
    *, core_record: Measurement, network_record: Measurement, chips: Mapping[str, Chip], table_name: str,
    compose: Callable[[CoreSpec], EnergyTable], scenarios: Mapping[str, Scenario],
    card_records: Mapping[str, Measurement] | None = None,
    language_records: Mapping[str, Measurement] | None = None,
    offline_records: Mapping[str, Measurement] | None = None,
    curve_records: Mapping[tuple[str, str], Measurement] | None = None, random_record: Measurement | None = None,
) -> Programme:
    """Project the sites.

    Parameters
    ----------
    core_record : Measurement
        RTL record of an image task on one core: its priced counts give the energy of a MAC.
    network_record : Measurement
        Model record of the network the sites run; figures.macs and figures.images. It also bounds its own chip.
    chips : dict of str to Chip
        The chips of both records and of all shares, by name.
    table_name, compose : str, function of a core
        The energy table: its name, and the energies of the events of a given core.
    scenarios : dict of str to Scenario
        Sites by name. Their assumptions other than PUE and budget are shared: one name, one fact.
    card_records : dict of str to Measurement
        Model records of the same network on further chips, by chip.
    language_records, offline_records : dict of str to Measurement
        Records of the chip model by chip: of the language service, of the network offline.
    curve_records : dict of (str, str) to Measurement
        Records of decode rates against the batch, by chip and PIM memory ("" without).
    random_record : Measurement or None
        RTL record of random operands on the core of `core_record`; with it the toggles of the task weigh the arrays.
    """
    own_chip = _chip(chips, core_record.result.chip)
    if own_chip.core is None:
        raise InputError(f"chip {core_record.result.chip!r} must have a core to be projected, not only facts")
    core = core_figures(core_record, own_chip, table_name, compose(own_chip.core), random_record)
    records = {**(card_records or {}), network_record.result.chip: network_record}
    cards: dict[str, CardFigures] = {}
    sites: dict[str, SiteFigures] = {}
    first = next(iter(scenarios.values()))
    language = next((s for s in map(services.load, first.services) if s.language is not None), None)

    def add_card(name: str, scenario: Scenario) -> None:
        if name not in cards:
            chip = _chip(chips, name)
            prices = (table_name, compose(chip.core)) if chip.core is not None else None
            cards[name] = card_figures(
                name, chip, scenario, core, network_record, records.get(name), prices,
                None if language is None else (language, (language_records or {}).get(name)),
                (offline_records or {}).get(name),
            )

    for name, scenario in scenarios.items():
        for share in scenario.shares:
            add_card(share.card, scenario)
        sites[name] = site_figures(name, scenario, cards)
    counting = {c for rule in RULES.values() for c, _ in rule.shares.values()} & chips.keys()
    for name in sorted(counting):
        add_card(name, first)
    macs_per_image = per_image(network_record)
    rows = [
        row for name, one in cards.items()
        for row in ledger_rows(name, chips[name], one, records.get(name), macs_per_image, language)
    ]
    counted = counted_sites(next(iter(scenarios)), first, cards)
    compared = compare_stages(
        cards, chips, language, first, next(iter(scenarios)), language_records or {}, curve_records or {}
    )
    curves = {key: decode_curve(record) for key, record in (curve_records or {}).items()}
    figures = [*core.shown]
    for card in cards.values():
        figures += [card.bound, card.rate, card.power, *([card.tokens] if card.tokens is not None else [])]
    for site in sites.values():
        figures += site.all
    figures += all_figures(rows, counted)
    figures += all_stage_figures(compared)
    figures += [figure for curve in curves.values() for figure in curve.shown]
    return Programme(
        projection=Projection(title="K-Cloud stage 1", figures=tuple(figures)), core=core, cards=cards, sites=sites,
        ledger=tuple(rows), counted=counted,
        stages=compared,
        curves={c.shown[0].name.rpartition('.')[0]: c for c in curves.values()},
    )


def _chip(chips: Mapping[str, Chip], name: str) -> Chip:
    if name not in chips:
        raise InputError(f"the projection needs the chip {name!r}, which is not there; add its file to hw/chips")
    return chips[name]
