"""The run's own chip as a card, beside the named ones: peak of its arrays, what this run delivers, its power."""

from hw.base.own_file import typed
from hw.gates import core_clock
from model.report import stated
from model.report.load import ARRAYS, CURVES, NETWORK
from model.report.section_type import Section, Sentence, Shown, say
from model.report.summary import Summary

CARD_FACTS = {"tdp": "W", "dram_capacity": "GB", "dram_bandwidth": "GB/s"}
"""What a chip must state besides its arrays and clock to be a whole card, with the unit."""

SCREEN = {NETWORK[0], *ARRAYS, *CURVES}
"""Named cards that the screen shows."""


def card(summary: Summary, full: bool) -> Section | None:
    """The section, on the screen with a few of the named cards.

    None if the chip has no machine whose arrays set a peak, or no clock."""
    start = summary.run
    if f"{start}.peak" not in summary.ranges:
        return None
    rows: list[tuple[str, ...]] = [("card", "peak TOPS", "delivered TOPS", "of the peak", "W", "what")]
    watts = next(
        (f"{start}.{name}.watt" for name, _ in summary.energies if f"{start}.{name}.watt" in summary.ranges), ""
    )
    rows.append(
        (
            summary.chip_name,
            summary.shown(f"{start}.peak"),
            summary.shown(f"{start}.delivered"),
            _share(summary, f"{start}.delivered", f"{start}.peak"),
            summary.shown(watts) if watts else "-",
            f"{summary.workload}: arrays alone, priced energy of what is counted",
        )
    )
    for name in _named(summary, full):
        ledger = f"ledger.{name}.int8"
        power = f"card.{name}.tdp"
        rows.append(
            (
                name,
                summary.shown(f"{ledger}.peak"),
                summary.shown(f"{ledger}.achievable"),
                _share(summary, f"{ledger}.achievable", f"{ledger}.peak"),
                summary.shown(power) if power in summary.ranges else "-",
                f"{stated.NETWORK} {stated.IMAGES.batch}, whole card; power: TDP",
            )
        )
    return Section(title=f"{summary.chip_name} beside the named cards", rows=tuple(rows), notes=tuple(_notes(summary)))


def _named(summary: Summary, full: bool) -> list[str]:
    """Cards of the ledger with a peak in INT8 and what they achieve."""
    names = [
        name.split(".")[1] for name in summary.ranges if name.startswith("ledger.") and name.endswith(".int8.peak")
    ]
    return [n for n in names if n != summary.chip_name and f"ledger.{n}.int8.achievable" in summary.ranges]


def _share(summary: Summary, part: str, whole: str) -> Shown:
    return Shown(f"{summary.value(part) / summary.value(whole):.1%}", part)


def _notes(summary: Summary) -> list[Sentence]:
    chip = summary.chip
    arrays = f"{chip.devices * chip.cores} array{'s' if chip.devices * chip.cores > 1 else ''}"
    clock = chip.clock
    notes: list[Sentence] = []
    if clock is not None:
        notes.append(say(f"Scaled from {arrays} at the clock of the chip's file ({clock.confidence}: {clock.source})."))
    at_gates = core_clock.note(chip)
    notes.append(say(f"{at_gates[0].upper()}{at_gates[1:]}."))
    own = f"`kcloud-cosim device --chip {typed('chip', summary.chip_name)} --workload {stated.IMAGES.workload}`"
    missing = [f"{name} ({unit})" for name, unit in CARD_FACTS.items() if name not in chip.facts]
    if missing:
        notes.append(
            say(
                f"To be a whole card it lacks {', '.join(missing)}: add them to its facts, each with its source; then "
                f"{own} and `serve` tell its rates."
            )
        )
    else:
        notes.append(say(f"{own} tells its rate as a card."))
    return notes
