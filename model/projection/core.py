"""Figures of one core from a record of its RTL: utilisation, rate, accuracy, priced energy."""

from dataclasses import dataclass

from hw.base.error import InputError
from hw.spec.chip import Chip
from hw.spec.fact import Fact
from model.energy.table import EnergyTable
from model.projection.figure import Figure, from_fact, from_record, number, total
from model.record import Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreFigures:
    """What a record says about one core. Energies are priced by a table, never measured.

    Parameters
    ----------
    utilisation : Figure
        Multiply-accumulates over cycles x cells; 1 means every cell busy in every cycle.
    energy_per_mac : Figure
        Energy in pJ of all priced components, over the multiply-accumulates of the record.
    array_energy_per_mac : Figure
        The same of the events of the MAC array alone, in pJ.
    shown : tuple of Figure
        All named figures of the core; those of images and accuracy only where the record has them.
    activity : Figure or None
        Bit toggles per MAC event of the array over those on random operands; None without toggles in both records.
    """

    utilisation: Figure
    energy_per_mac: Figure
    array_energy_per_mac: Figure
    shown: tuple[Figure, ...]
    activity: Figure | None = None


FOLLOWS_TOGGLES = Fact(
    nominal=0.5,
    low=0.0,
    high=1.0,
    unit="1",
    confidence="assumed",
    source="share of an array's energy that follows its toggles; registers and clock switch whatever the data",
)


def core_figures(
    measurement: Measurement, chip: Chip, table_name: str, table: EnergyTable, random: Measurement | None = None
) -> CoreFigures:
    """Figures of one core.

    `measurement` needs figures.macs; with figures.images there are figures per image, with figures.correct the
    accuracy. With `random`, a record of random operands with toggles, there is the activity of the array: its bit
    toggles per MAC over those on random operands. Utilisation is macs / (cycles x cells). Energy is counts x
    table, the table's error around it.
    """
    result = measurement.result
    cells_of = None if chip.machine is None else chip.machine.cells
    if cells_of is None or chip.clock is None:
        raise InputError(f"chip {result.chip!r} must have a core and a clock to be projected, not leave them open")
    prefix, run = f"core.{result.chip}", f"{result.workload}"
    cycles = from_record(f"{prefix}.{run}.cycles", "cycles", measurement, "cycles")
    macs = from_record(f"{prefix}.{run}.macs", "MAC", measurement, "figures.macs")
    clock = from_fact(f"{prefix}.clock", chip.clock)
    cells = number(cells_of)
    utilisation = (macs / (cycles * cells)).named(
        f"{prefix}.{run}.utilisation", "1", f"of {cells_of} cells; one MAC per cell and cycle"
    )
    priced, array = priced_energy(measurement, table_name, table, prefix)
    energy_per_mac = (priced / macs).named(f"{prefix}.{run}.energy_per_mac", "pJ", f"priced by {table.title}")
    array_energy_per_mac = (array / macs).named(
        f"{prefix}.{run}.array_energy_per_mac", "pJ", "multipliers, adders and registers of the array alone"
    )
    activity = None
    if random is not None and result.toggles.get("mac_array") and random.result.toggles.get("mac_array"):
        here, there = (
            from_record(f"{prefix}.{m.result.workload}.toggles", "toggles", m, "toggles.mac_array")
            / from_record(f"{prefix}.{m.result.workload}.mac_array.mac", "events", m, "counts.mac_array.mac")
            for m in (measurement, random)
        )
        activity = (here / there).named(
            f"{prefix}.{run}.activity", "1", "toggles per MAC over random operands; RTL activity, no glitches"
        )
    shown = [utilisation, energy_per_mac, array_energy_per_mac]
    if result.figures.get("images"):
        images = from_record(f"{prefix}.{run}.images", "images", measurement, "figures.images")
        shown.append(
            (clock * 1e9 * images / cycles).named(
                f"{prefix}.{run}.images_per_s", "images/s", "one core, operands in its memories, INT8"
            )
        )
        shown.append(
            (energy_per_mac * macs / images / 1e6).named(
                f"{prefix}.{run}.energy_per_image", "uJ", f"priced by {table.title}"
            )
        )
        if "correct" in result.figures:
            correct = from_record(f"{prefix}.{run}.correct", "images", measurement, "figures.correct")
            shown.append((correct / images).named(f"{prefix}.{run}.accuracy", "1"))
    return CoreFigures(
        utilisation=utilisation,
        energy_per_mac=energy_per_mac,
        array_energy_per_mac=array_energy_per_mac,
        shown=tuple(shown) if activity is None else (*shown, activity),
        activity=activity,
    )


def priced_energy(measurement: Measurement, table_name: str, table: EnergyTable, owner: str) -> tuple[Figure, Figure]:
    """Energy of a whole record in pJ, all components and the MAC array alone: counts x table x (1 + its error).

    `owner` names the core the table was composed for: the same event costs differently in another core.
    """
    result = measurement.result
    spread = from_fact(f"energy.{table_name}.error", table_error(table))
    joules = {}
    for event in sorted(result.counts):
        fact = table.energies.get(event)
        if fact is not None and result.counts[event]:
            count = from_record(f"{owner}.{result.workload}.{event}", "events", measurement, f"counts.{event}")
            joules[event] = count * from_fact(f"{owner}.{table_name}.{event}", fact)
    array = [j for event, j in joules.items() if event.startswith("mac_array.")]
    if not array:
        raise InputError(f"record {result.run} must count priced events of mac_array, not only others; run it again")
    return total(list(joules.values())) * (1 + spread), total(array) * (1 + spread)


def table_error(table: EnergyTable) -> Fact:
    """An energy table's stated error, around 0."""
    error = table.error.nominal
    return Fact(
        nominal=0.0,
        low=-error,
        high=error,
        unit="1",
        confidence=table.error.confidence,
        source=f"stated error of the table {table.title}: {table.error.source}",
    )
