"""Counts x table = energy, per component, as an interval; what the table has no price for is named."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from hw.base.error import InputError
from hw.spec.kind import events_of_all
from model.count import Counts
from model.energy.table import EnergyTable

RTL_ACTIVITY = "RTL activity, no glitches"
LOGIC = ("mac_array", "output_stage")
"""Components whose energy follows the toggles of their operands. A memory's is mostly decoders, word lines and
precharged bit lines, whatever the data."""

CLOCK = "clock"
"""Component of what every busy cycle costs: clock pins and leakage of the gates a table covers."""

RANDOM_OPERANDS = "energy per event as published, for random operands"
GATE_ACTIVITY = "gate-level activity of captured operands, glitches included"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """`low <= nominal <= high`, in the unit its name elsewhere says.

    Parameters
    ----------
    low, high : float
        The ends of the range.
    nominal : float
        The value to take if one must be taken; it need not be the middle.
    """

    low: float
    nominal: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.nominal <= self.high:
            raise InputError(
                f"an interval must have low <= nominal <= high, not {self.low}, {self.nominal}, {self.high}"
            )

    def __add__(self, other: "Interval") -> "Interval":
        return Interval(low=self.low + other.low, nominal=self.nominal + other.nominal, high=self.high + other.high)

    def __mul__(self, factor: float) -> "Interval":
        return Interval(low=self.low * factor, nominal=self.nominal * factor, high=self.high * factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentEnergy:
    """Energy of one component in joules, and the weight its activity gave it.

    Parameters
    ----------
    component : str
        What events of the form "component.event" begin with, or `CLOCK` for what every busy cycle costs.
    energy_j : Interval
        Joules of the whole run, the weight taken into account.
    weight : float
        Toggles per event over those of the run on random operands, the w of `price`; 1 where nothing was weighed.
    """

    component: str
    energy_j: Interval
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Energy:
    """Priced counts.

    Parameters
    ----------
    components : tuple of ComponentEnergy
        Largest nominal first.
    unpriced : tuple of str
        Events that were counted but have no energy in the table.
    table : EnergyTable
        What the counts were priced by.
    activity : str
        `RTL_ACTIVITY` if toggles weighed the table, `GATE_ACTIVITY` if it is a measured one, else `RANDOM_OPERANDS`.
    """

    components: tuple[ComponentEnergy, ...]
    unpriced: tuple[str, ...]
    table: EnergyTable
    activity: str

    @property
    def total_j(self) -> Interval:
        """Sum over the priced components."""
        return sum((c.energy_j for c in self.components), Interval(low=0.0, nominal=0.0, high=0.0))


def price(
    counts: Mapping[str, int],
    table: EnergyTable,
    *,
    toggles: Mapping[str, int] | None = None,
    reference: tuple[Mapping[str, int], Mapping[str, int]] | None = None,
    cycles: int | None = None,
) -> Energy:
    """Energy of the counted events, and of `cycles` busy cycles if the table prices them as `CLOCK`.

    With `toggles` (bit toggles per component of this run) and `reference` (counts and toggles of a run on
    uniformly random operands, for which published energies hold) the energy of each component of `LOGIC` is weighed by
    w = (toggles / events) / (reference toggles / reference events): nominal x w, low x min(w, 1),
    high x max(w, 1), because only the switching part of an energy follows the toggles. A measured table is not
    weighed: its energies are those of real operands already.

    Raises
    ------
    InputError
        If no counted event has a price: the table belongs to something else.
    """
    observed = events_of_all("OBSERVATIONS")
    unpriced = tuple(
        name for name, count in counts.items() if count and name not in table.energies and name not in observed
    )
    if counts and not set(counts) & set(table.energies):
        raise InputError(
            f"table {table.title!r} must price at least one counted event, not none of {min(counts)!r}, ..."
        )
    error, measured = table.error.nominal, table.kind == "measured"
    sums: dict[str, Interval] = {}
    for name, count in counts.items():
        fact = table.energies.get(name)
        if fact is None:
            continue
        joules = Interval(low=fact.minimum * (1 - error), nominal=fact.nominal, high=fact.maximum * (1 + error)) * (
            count * 1e-12
        )
        component = name.split(".")[0]
        sums[component] = sums[component] + joules if component in sums else joules
    if table.cycle is not None:
        if cycles is None:
            raise InputError(f"table {table.title!r} prices busy cycles, so their number must be given with the counts")
        sums[CLOCK] = Interval(
            low=table.cycle.minimum * (1 - error), nominal=table.cycle.nominal, high=table.cycle.maximum * (1 + error)
        ) * (cycles * 1e-12)
    weights = _weights(counts, toggles, reference) if toggles and reference and not measured else {}
    components = [_weighed(name, energy, weights.get(name, 1.0)) for name, energy in sums.items()]
    components.sort(key=lambda c: (-c.energy_j.nominal, c.component))
    return Energy(
        components=tuple(components),
        unpriced=unpriced,
        table=table,
        activity=GATE_ACTIVITY if measured else RTL_ACTIVITY if weights else RANDOM_OPERANDS,
    )


def _weighed(component: str, energy: Interval, weight: float) -> ComponentEnergy:
    return ComponentEnergy(
        component=component,
        weight=weight,
        energy_j=Interval(
            low=energy.low * min(weight, 1.0),
            nominal=energy.nominal * weight,
            high=energy.high * max(weight, 1.0),
        ),
    )


def _weights(
    counts: Mapping[str, int],
    toggles: Mapping[str, int],
    reference: tuple[Mapping[str, int], Mapping[str, int]],
) -> dict[str, float]:
    """Toggles per event relative to the reference run, for the components both runs used."""
    here, there = Counts(counts).by_component(), Counts(reference[0]).by_component()
    weights: dict[str, float] = {}
    observed = events_of_all("OBSERVATIONS")
    for component in set(LOGIC) & here.keys() & there.keys() & toggles.keys() & reference[1].keys():
        events, reference_events = (
            sum(count for event, count in run[component].items() if f"{component}.{event}" not in observed)
            for run in (here, there)
        )
        if events and reference_events and reference[1][component]:
            weight = (toggles[component] / events) / (reference[1][component] / reference_events)
            if math.isfinite(weight):
                weights[component] = weight
    return weights
