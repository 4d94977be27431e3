"""Figures of one run: cycles, utilisation, counts and priced energy, each a formula over its records.

The names are run.CHIP.WORKLOAD.SEED.WHAT; `model.energy.price` computes the same energies without formulas.
"""

from collections.abc import Sequence

from hw.spec.fact import Fact
from hw.spec.kind import events_of_all
from model.count import Counts
from model.energy.price import CLOCK, LOGIC
from model.energy.table import EnergyTable
from model.projection.core import table_error
from model.projection.figure import Figure, from_fact, from_record, number, total, varied
from model.record import Measurement


def prefix(chip: str, workload: str, seed: int) -> str:
    """What all names of a run begin with."""
    return f"run.{chip}.{workload}.{seed}"


def run_figures(
    rtl: Measurement | None,
    model: Measurement | None,
    cells: int | None,
    tables: Sequence[tuple[str, EnergyTable]] = (),
    random: Measurement | None = None,
    clock: Fact | None = None,
    multipliers: float = 0,
) -> tuple[Figure, ...]:
    """All figures of a run with at least one of both records; counts and energies are of the RTL's if there is one.

    `cells` MAC cells of the chip, `tables` by name; `random` is the run on random operands that weighs published
    energies, as in `model.energy.price`. With `clock` (GHz) the run becomes a rate: `multipliers` are the
    multiply-accumulates of the whole chip in a cycle.
    """
    source = rtl or model
    assert source is not None
    result = source.result
    start = prefix(result.chip, result.workload, result.seed)
    found: list[Figure] = []

    def add(name: str, unit: str, figure: Figure, note: str = "") -> Figure:
        found.append((figure * 1).named(f"{start}.{name}", unit, note))
        return found[-1]

    def read(field: str, unit: str, measurement: Measurement = source) -> Figure:
        return from_record(f"record.{measurement.result.run}.{field}", unit, measurement, field)

    if rtl is not None:
        add("cycles_measured", "cycles", read("cycles", "cycles", rtl), "counters of the RTL in Verilator")
    if model is not None:
        add("cycles_predicted", "cycles", read("cycles", "cycles", model), "cycle model")
    if rtl is not None and model is not None:
        add("cycles_difference", "cycles", read("cycles", "cycles", model) - read("cycles", "cycles", rtl))
    cycles, figures = read("cycles", "cycles"), result.figures
    if figures.get("macs") and cells:
        add("utilisation", "1", read("figures.macs", "MAC") / (cycles * number(cells)), f"of {cells:,} cells")
    if clock is not None and multipliers and figures.get("macs"):
        ghz = from_fact(f"core.{result.chip}.clock", clock)
        add("peak", "TOPS", ghz * number(2e-3 * multipliers), "all arrays at the clock, two operations a MAC")
        macs = read("figures.macs", "MAC")
        copies = number(2e-3 * (figures.get("devices") or 1))
        add("delivered", "TOPS", macs / cycles * ghz * copies, "this workload, arrays alone")
    if figures.get("images"):
        images = read("figures.images", "images")
        add("cycles_per_image", "cycles", cycles / images)
        if "correct" in figures:
            add("accuracy", "1", read("figures.correct", "images") / images)
    for event, count in result.counts.items():
        if count:
            add(f"events.{event}", "events", read(f"counts.{event}", "events"))
    if result.toggles:
        add("toggles", "toggles", total([read(f"toggles.{c}", "toggles") for c in result.toggles]), "zero-delay")
    for name, table in tables:
        parts = _components(source, name, table, random)
        for component, joules in parts.items():
            add(f"energy.{name}.{component}", "J", joules, f"priced by {table.title}")
        if parts:
            whole = add(f"energy.{name}.all", "J", total(list(parts.values())), f"leaves out {table.leaves_out}")
            if clock is not None:
                ghz = from_fact(f"core.{result.chip}.clock", clock)
                add(f"{name}.watt", "W", whole / cycles * ghz * 1e9, "of what is counted and priced, while it runs")
            if figures.get("images"):
                add(f"energy.{name}.per_image", "J", whole / read("figures.images", "images"))
    return tuple(found)


def _components(source: Measurement, name: str, table: EnergyTable, random: Measurement | None) -> dict[str, Figure]:
    """Joules by component."""
    result = source.result
    spread = 1 + from_fact(f"energy.{name}.error", table_error(table))
    terms: dict[str, list[Figure]] = {}
    for event, count in result.counts.items():
        if event in table.energies and count:
            counted = from_record(f"record.{result.run}.counts.{event}", "events", source, f"counts.{event}")
            price = from_fact(f"core.{result.chip}.{name}.{event}", table.energies[event])
            terms.setdefault(event.split(".")[0], []).append(counted * price)
    if table.cycle is not None:
        cycles = from_record(f"record.{result.run}.cycles", "cycles", source, "cycles")
        terms.setdefault(CLOCK, []).append(cycles * from_fact(f"core.{result.chip}.{name}.cycle", table.cycle))
    weights = _weights(source, random) if random is not None and table.kind == "published" else {}
    return {
        component: total(parts) * spread * 1e-12 * weights.get(component, number(1))
        for component, parts in terms.items()
    }


def _weights(source: Measurement, random: Measurement) -> dict[str, Figure]:
    """Toggles per event over those on random operands, from there to 1: only switching energy follows the data."""
    counted = {m.result.run: Counts(m.result.counts).by_component() for m in (source, random)}
    found = {}
    for component in LOGIC:
        sides = []
        for measurement in (source, random):
            result = measurement.result
            events = [
                event
                for event, count in counted[result.run].get(component, {}).items()
                if count and f"{component}.{event}" not in events_of_all("OBSERVATIONS")
            ]
            if not result.toggles.get(component) or not events:
                break
            record = f"record.{result.run}"
            sides.append(
                from_record(f"{record}.toggles.{component}", "toggles", measurement, f"toggles.{component}")
                / total(
                    [
                        from_record(
                            f"{record}.counts.{component}.{e}", "events", measurement, f"counts.{component}.{e}"
                        )
                        for e in events
                    ]
                )
            )
        if len(sides) == 2:
            weight = (sides[0] / sides[1]).named(
                f"{prefix(source.result.chip, source.result.workload, source.result.seed)}.activity.{component}",
                "1",
                "toggles per event over those of random operands",
            )
            nominal = weight.nominal
            found[component] = weight * varied(
                f"activity.{source.result.run}.{component}",
                min(nominal, 1.0) / nominal,
                max(nominal, 1.0) / nominal,
                "only the switching part of an energy follows the toggles: from this activity to that of random data",
            )
    return found
