"""Sections of the run: what was built, cycles, counts, priced energy, files."""

from pathlib import Path

from hw.base.own_file import typed
from model import record
from model.report.section_type import Section, Sentence, Shown, say
from model.report.summary import Summary

PROGRAMME_FOLDER = Path("build/report/kcloud")
"""The report of the programme's sites."""

ENERGY_UNITS = ((1e-12, "pJ"), (1e-9, "nJ"), (1e-6, "uJ"), (1e-3, "mJ"), (1.0, "J"))


def run(summary: Summary) -> Section:
    """What was built and run, and how near model and RTL are."""
    rows: list[tuple[str, ...]] = [("what", "value", "how")]
    rtl, model, start = summary.rtl, summary.model, summary.run
    if rtl is not None:
        tools = ", ".join(
            f"{name} {rtl.origin.tools[name]}" for name in ("verilator", "cocotb") if name in rtl.origin.tools
        )
        modules = rtl.result.figures.get("modules")
        built = f"digest {rtl.origin.verilog_digest}" + (f", {modules:.0f} modules" if modules else "")
        rows.append(("RTL built", built, tools))
        equal = f"RTL outputs equal the {_reference(summary)}"
        rows.append(("verdict", rtl.result.verdict, rtl.result.failure or equal))
    if summary.tests is not None:
        tests = summary.tests
        text = f"{tests.passed} passed" + (f", {len(tests.failed)} FAILED" if tests.failed else "")
        rows.append(("tests", text, ", ".join(tests.failed[:3]) or f"JUnit files below {tests.folder}"))
    if rtl is not None:
        measured = summary.shown(f"{start}.cycles_measured", f"{rtl.result.cycles:,}")
        rows.append(("cycles measured", measured, "counters of the RTL in Verilator"))
    if model is not None:
        predicted = summary.shown(f"{start}.cycles_predicted", f"{model.result.cycles:,}")
        rows.append(("cycles predicted", predicted, "cycle model"))
    if rtl is not None and model is not None:
        difference = model.result.cycles - rtl.result.cycles
        verdict = "equal" if difference == 0 else f"{difference / rtl.result.cycles:+.2%} of the measured"
        text = f"{difference:+,}" if difference else "0"
        rows.append(("difference", summary.shown(f"{start}.cycles_difference", text), verdict))
    source = summary.record
    assert source is not None
    macs = source.result.figures.get("macs")
    if macs and summary.cells:
        name = f"{start}.utilisation"
        rows.append(
            (
                "utilisation",
                summary.shown(name, f"{summary.value(name):.2%}"),
                f"{macs:,.0f} MAC / ({source.result.cycles:,} cycles x {summary.cells:,} cells)",
            )
        )
    rows += _task(summary, source)
    return Section(
        title=f"{summary.chip_name}: {summary.workload}, seed {summary.seed}",
        rows=tuple(rows),
        notes=tuple((sentence,) for sentence in summary.missing),
    )


def _reference(summary: Summary) -> str:
    return "integer reference" if summary.number.is_integer else "reference arithmetic"


def _task(summary: Summary, source: record.Measurement) -> list[tuple[str, ...]]:
    figures = source.result.figures
    images = figures.get("images")
    if not images:
        return []
    rows: list[tuple[str, ...]] = []
    if "correct" in figures:
        number = summary.number.name.upper()
        whose = "RTL" if source.result.witness == "rtl" else "reference"
        name = f"{summary.run}.accuracy"
        rows.append(
            (
                "accuracy",
                summary.shown(name, f"{summary.value(name):.2%}"),
                f"{figures['correct']:.0f} of {images:.0f} images, {number}, outputs of the {whose}",
            )
        )
    name = f"{summary.run}.cycles_per_image"
    rows.append(
        ("cycles per image", summary.shown(name, f"{summary.value(name):,.1f}"), f"{images:.0f} images in one batch")
    )
    return rows


def events(summary: Summary, full: bool) -> Section:
    """What was counted: one row an event, or on the screen one a component."""
    assert summary.record is not None
    counts = summary.record.result.counts
    components = counts.by_component()
    rows: list[tuple[str, ...]] = [("component", "event", "count") if full else ("component", "events")]
    for component, found in components.items():
        counted = {event: count for event, count in found.items() if count}
        if full:
            rows += [
                (component, event, summary.shown(f"{summary.run}.events.{component}.{event}", f"{count:,}"))
                for event, count in counted.items()
            ]
        elif counted:
            rows.append((component, ", ".join(f"{event} {count:,}" for event, count in counted.items())))
    notes: list[Sentence] = []
    if summary.rtl is not None and summary.model is not None:
        other = summary.model.result.counts
        # what operands decide is not in the record of a model that was given shapes only
        decided = summary.chip.kind.door("events").VALUE_EVENTS if summary.chip.machine is not None else ()
        names = (counts.keys() | other.keys()) - (set(decided) - other.keys())
        unequal = sorted(n for n in names if counts.get(n, 0) != other.get(n, 0))
        notes.append(
            say(
                "Every count of the RTL equals the model's."
                if not unequal
                else f"Counts that differ between RTL and model: {', '.join(unequal)}."
            )
        )
    if summary.record.result.toggles:
        toggles = f"{sum(summary.record.result.toggles.values()):,}"
        notes.append(
            say(
                "{} signal bit toggles in the RTL (zero-delay: no glitches).",
                summary.shown(f"{summary.run}.toggles", toggles),
            )
        )
    return Section(title="Events", rows=tuple(rows), notes=tuple(notes))


def energy(summary: Summary, full: bool) -> Section:
    """Counts priced by each table."""
    scale, unit = _scale(summary.energies[0][1].total_j.nominal)
    rows: list[tuple[str, ...]] = [("table", "component", f"low {unit}", f"nominal {unit}", f"high {unit}")]
    source = summary.record
    assert source is not None
    for name, priced in summary.energies:
        start = f"{summary.run}.energy.{name}"
        parts = [part.component for part in priced.components] if full else []
        for part in (*parts, "all"):
            rows.append((priced.table.title, part, *summary.three(f"{start}.{part}", scale)))
        if source.result.figures.get("images"):
            per, per_unit = _scale(summary.value(f"{start}.per_image"))
            rows.append((priced.table.title, f"per image, {per_unit}", *summary.three(f"{start}.per_image", per)))
    first = summary.energies[0][1]
    weights = [c for c in first.components if c.weight != 1]
    errors = ", ".join(f"{e.table.error.nominal:.0%}" for _, e in summary.energies)
    template = f"Priced, not measured: {first.activity}"
    if weights:
        template += " (over that of random operands: " + ", ".join(f"{c.component} {{}}" for c in weights) + ")"
    notes = [
        say(
            f"{template}; stated error of the tables {errors}.",
            *(Shown(f"{c.weight:.2f}", f"{summary.run}.activity.{c.component}") for c in weights),
        )
    ]
    if first.unpriced:
        notes.append(say(f"Counted but without a price: {', '.join(first.unpriced)}."))
    notes.append(say(f"Left out: {first.table.leaves_out}."))
    for _, priced in summary.energies:
        if (gates := priced.table.gates) is not None:
            rest = sorted({event.split(".")[0] for event in priced.unpriced})
            notes.append(say(f"{priced.table.title}: measured; covers {', '.join(gates.covers)}."))
            notes.append(say(f"Counted but not covered by it, wholly or in part: {', '.join(rest) or 'nothing'}."))
    return Section(title="Energy", rows=tuple(rows), notes=tuple(notes))


def files(summary: Summary) -> Section:
    """Where records and report lie."""
    rows: list[tuple[str, ...]] = [("what", "where")]
    for measurement in (summary.rtl, summary.model):
        if measurement is not None:
            result = measurement.result
            rows.append((f"{result.witness} record", str(record.path_of_result(result))))
    rows.append(
        (
            "waveforms",
            f"make waves CHIP={typed('chip', summary.chip_name)} WORKLOAD={summary.workload} SEED={summary.seed}",
        )
    )
    rows.append(("report", f"{summary.folder / 'report.html'}, report.md"))
    if summary.about == "run" and summary.programme is not None:
        rows.append(("sites", f"{PROGRAMME_FOLDER / 'report.html'}: the programme's sites, whatever chip runs"))
    return Section(title="Files", rows=tuple(rows))


def _scale(value_j: float) -> tuple[float, str]:
    """The largest unit in which the value is at least 1."""
    return next((unit for unit in reversed(ENERGY_UNITS) if value_j >= unit[0]), ENERGY_UNITS[0])
