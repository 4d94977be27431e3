"""The whole projection: one core's record, one network's record, the cards and the sites."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hw.base.error import InputError
from hw.spec.chip import Chip
from model.energy.table import EnergyTable
from model.language.run_record import LanguageRun
from model.projection import services, stages
from model.projection.breakeven import BreakEven, break_even
from model.projection.card import CardFigures, card_figures, per_image
from model.projection.core import CoreFigures, core_figures
from model.projection.curve import Curve, decode_curve, over_plain
from model.projection.edge import Edge, edge_chips
from model.projection.fewest import Fleet
from model.projection.inputs import Inputs
from model.projection.ledger import (
    CardRecords,
    CountedSite,
    LedgerRow,
    all_figures,
    any_rule,
    counted_sites,
    ledger_rows,
)
from model.projection.nvm import Nvm, against_logic
from model.projection.programme_facts import programme_figures
from model.projection.projection import Projection
from model.projection.rules import RULES
from model.projection.scenario import Scenario
from model.projection.served_day import ServedDay
from model.projection.service import Service
from model.projection.site import SiteFigures, site_figures
from model.projection.stage import StageCard, all_stage_figures
from model.projection.stage_comparison import compare_stages
from model.projection.wall_checks import WallCheck, wall_checks
from model.record import Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """Everything projected. `projection` holds all named figures; the rest says which belong together.

    `cards` are those of the first site, `counted` is by site and counting rule.

    Parameters
    ----------
    core : CoreFigures
        The core whose RTL record gives the energy of a MAC.
    sites : dict of str to SiteFigures
        By name of the site, its shares counted as its scenario says.
    ledger : tuple of LedgerRow
        Every chip that has a TDP, one row for each of its printed peaks.
    stages : dict of str to StageCard
        Cards of the three stages and the GPU beside them, by name; empty without a language service.
    curves : dict of str to Curve
        Decode rates against the batch, by the prefix of their figures ("decode.CHIP" or "decode.CHIP.PIM").
    breakeven : tuple of BreakEven
        PIM cards against GPUs by memory and batch; empty if a record is not there.
    nvm : Nvm or None
        Analogue MACs in non-volatile memory against digital logic; None if not compared.
    walls : tuple of WallCheck
        Measured systems whose wall power the overhead rules predict.
    days : dict of str to ServedDay
        A day of requests on the cards of a site, by site.
    edge : tuple of Edge
        The edge chips of the programme.
    fleet : Fleet or None
        The fewest cards of each chip for one load; None without a record.
    """

    projection: Projection
    core: CoreFigures
    cards: Mapping[str, CardFigures]
    sites: Mapping[str, SiteFigures]
    ledger: tuple[LedgerRow, ...] = ()
    counted: Mapping[str, Mapping[str, CountedSite]] = field(default_factory=dict)
    stages: Mapping[str, StageCard] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)
    breakeven: tuple[BreakEven, ...] = ()
    nvm: Nvm | None = None
    walls: tuple[WallCheck, ...] = ()
    days: Mapping[str, ServedDay] = field(default_factory=dict)
    edge: tuple[Edge, ...] = ()
    fleet: Fleet | None = None


def project(
    *,
    core_record: Measurement,
    network_record: Measurement,
    chips: Mapping[str, Chip],
    table_name: str,
    compose: Callable[[Chip], EnergyTable | None],
    scenarios: Mapping[str, Scenario],
    card_records: Mapping[str, Measurement] | None = None,
    language_records: Mapping[str, Measurement] | None = None,
    served_records: Mapping[str, Measurement] | None = None,
    offline_records: Mapping[str, Measurement] | None = None,
    curve_records: Mapping[tuple[str, str], Measurement] | None = None,
    random_record: Measurement | None = None,
    crossbar_run: LanguageRun | None = None,
    days: Mapping[str, ServedDay] | None = None,
    fleet: Fleet | None = None,
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
    table_name, compose : str, function of a chip
        The energy table: its name, and the energies of the events of a given chip, None without a machine.
    scenarios : dict of str to Scenario
        Sites by name, the first one leading. An assumption equal to the first one's is shared, another is its own.
    card_records : dict of str to Measurement
        Model records of the same network on further chips, by chip.
    language_records, offline_records : dict of str to Measurement
        Records of the chip model by chip: of the language service, of the network offline.
    served_records : dict of str to Measurement
        Records of the serving simulator by chip: tokens at the target of a stated mix. Without any, tokens are those of
        the language service's decode steps.
    curve_records : dict of (str, str) to Measurement
        Records of decode rates against the batch, by chip and PIM memory ("" without).
    crossbar_run : LanguageRun or None
        The text that the RTL of a system with crossbars wrote; with it stage 3 has our own machine.
    days : dict of str to ServedDay
        Days of requests that the serving simulator recorded, by site.
    fleet : Fleet or None
        The fewest cards of each chip for one load, as it recorded them.
    random_record : Measurement or None
        RTL record of random operands on the core of `core_record`; with it the toggles of the task weigh the arrays.
    """
    own_chip = _chip(chips, core_record.result.chip)
    own_prices = compose(own_chip)
    if own_prices is None:
        raise InputError(f"chip {core_record.result.chip!r} must have a core to be projected, not only facts")
    core = core_figures(core_record, own_chip, table_name, own_prices, random_record)
    records = {**(card_records or {}), network_record.result.chip: network_record}
    inputs = Inputs()
    macs_per_image = per_image(network_record)
    built: dict[tuple, CardFigures] = {}
    first_name, first = next(iter(scenarios.items()))

    def card(name: str, site: str, scenario: Scenario) -> CardFigures:
        """The card under the site's assumptions; sites with the same share it."""
        key = (name, *scenario.of_cards)
        if key not in built:
            chip = _chip(chips, name)
            table = compose(chip)
            prices = None if table is None else (table_name, table)
            service = language_service(scenario)
            built[key] = card_figures(
                name,
                chip,
                scenario,
                core,
                network_record,
                records.get(name),
                prices,
                None if service is None else (service, _of(language_records, name, service)),
                (offline_records or {}).get(name),
                "" if scenario.of_cards == first.of_cards else site,
                inputs.of(site),
                served_records,
            )
        return built[key]

    sites: dict[str, SiteFigures] = {}
    counted: dict[str, dict[str, CountedSite]] = {}
    for name, scenario in scenarios.items():
        counting = {c for rule in RULES.values() for c, _ in rule.shares.values()} & chips.keys()
        cards_here = {c: card(c, name, scenario) for c in sorted({s.card for s in scenario.shares} | counting)}
        sites[name] = site_figures(name, scenario, cards_here, macs_per_image, inputs=inputs)
        prefix = "rule" if name == first_name else f"{name}.rule"
        counted[name] = counted_sites(name, scenario, cards_here, macs_per_image, inputs, prefix)
    cards = {name: one for (name, *rest), one in built.items() if tuple(rest) == first.of_cards}
    language = language_service(first)
    rows = [
        row
        for name, chip in chips.items()
        if "tdp" in chip.facts
        for row in ledger_rows(
            name,
            chip,
            cards.get(name),
            CardRecords(
                arrays=records.get(name),
                offline=(offline_records or {}).get(name),
                language=None if language is None else _of(language_records, name, language),
            ),
            macs_per_image,
            language,
        )
    ]
    compared = compare_stages(
        cards, chips, language, first, first_name, language_records or {}, curve_records or {}, crossbar_run
    )
    curves = {key: decode_curve(record) for key, record in (curve_records or {}).items()}
    gpus, even = break_even(chips, language, first, first_name, language_records or {}, curve_records or {})
    figures = [*core.shown]
    for one in built.values():
        figures += [one.bound, one.rate, one.power, *([one.tokens] if one.tokens is not None else [])]
    for site in sites.values():
        figures += site.all
    figures += all_figures(rows, (one for by_rule in counted.values() for one in by_rule.values()))
    for name, site in sites.items():
        figures += any_rule(name, site, counted[name])
    figures += all_stage_figures(compared)
    figures += [figure for curve in curves.values() for figure in curve.shown]
    figures += over_plain(curve_records or {})
    by_name = {figure.name: figure for figure in sites[first_name].all}
    edge = edge_chips(
        chips, offline_records or {}, by_name[f"{first_name}.images_per_s"], by_name[f"{first_name}.wall_kw"]
    )
    figures += [figure for one in edge for figure in one.all]
    figures += programme_figures(list(scenarios.values()))
    nvm, walls = against_logic(stages.load("stage3")), wall_checks(chips)
    figures += [*gpus, *(figure for one in even for figure in one.all), *nvm.all]
    figures += [figure for wall in walls for figure in wall.all]
    figures += [figure for day in (days or {}).values() for figure in day.shown]
    figures += [figure for one in (fleet.found if fleet else ()) for figure in one.shown]
    return Programme(
        projection=Projection(title="K-Cloud stage 1", figures=tuple(figures)),
        core=core,
        cards=cards,
        sites=sites,
        ledger=tuple(rows),
        counted=counted,
        stages=compared,
        breakeven=even,
        nvm=nvm,
        walls=walls,
        days=days or {},
        edge=edge,
        fleet=fleet,
        curves={c.shown[0].name.rpartition(".")[0]: c for c in curves.values()},
    )


def language_service(scenario: Scenario) -> Service | None:
    """The first service of the site that delivers tokens."""
    return next((s for s in map(services.load, scenario.services) if s.language is not None), None)


def _of(records: Mapping[str, Measurement] | None, chip: str, service: Service) -> Measurement | None:
    """The chip's record of just this service."""
    record = (records or {}).get(chip)
    return record if record is not None and record.result.workload == service.workload else None


def _chip(chips: Mapping[str, Chip], name: str) -> Chip:
    if name not in chips:
        raise InputError(f"the projection needs the chip {name!r}, which is not there; add its file to hw/chips")
    return chips[name]
