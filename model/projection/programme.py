"""The whole projection: one core's record, one network's record, the cards and the sites."""

from collections.abc import Mapping
from dataclasses import dataclass

from hw.spec.chip import Chip
from model.energy.table import EnergyTable
from model.projection import cards as card_catalog
from model.projection.core import CoreFigures, core_figures
from model.projection.projection import Projection
from model.projection.scenario import Scenario
from model.projection.site import CardFigures, SiteFigures, card_figures, site_figures
from model.record import Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """Everything projected. `projection` holds all named figures; the rest says which belong together."""

    projection: Projection
    core: CoreFigures
    cards: Mapping[str, CardFigures]
    sites: Mapping[str, SiteFigures]


def project(
    *, core_record: Measurement, network_record: Measurement, chips: Mapping[str, Chip], table_name: str,
    table: EnergyTable, scenarios: Mapping[str, Scenario],
) -> Programme:
    """Project the sites.

    Parameters
    ----------
    core_record : Measurement
        RTL record of an image task on one core: its counts, priced by `table`, give the energy of a MAC.
    network_record : Measurement
        Model record of the network the sites run; figures.macs and figures.images.
    chips : dict of str to Chip
        The chips of both records by name.
    table_name, table : str, EnergyTable
        The energy table for the core of `core_record`.
    scenarios : dict of str to Scenario
        Sites by name. Their assumptions other than PUE and budget are shared: one name, one fact.
    """
    core = core_figures(core_record, chips[core_record.result.chip], table_name, table)
    cards: dict[str, CardFigures] = {}
    sites: dict[str, SiteFigures] = {}
    for name, scenario in scenarios.items():
        for share in scenario.shares:
            if share.card not in cards:
                card = card_catalog.load(share.card)
                cards[share.card] = card_figures(share.card, card, scenario, core, network_record, chips)
        sites[name] = site_figures(name, scenario, cards)
    figures = [*core.shown]
    for card in cards.values():
        figures += [card.bound, card.rate, card.power]
    for site in sites.values():
        figures += site.all
    return Programme(
        projection=Projection(title="K-Cloud stage 1", figures=tuple(figures)), core=core, cards=cards, sites=sites
    )
