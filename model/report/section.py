"""The summary as sections of a heading, a table and notes: what the screen and Markdown both show."""

from hw.spec.event import VALUE_EVENTS
from model import record
from model.projection.explain import compact
from model.report.section_programme import programme_sections
from model.report.section_type import Section
from model.report.summary import Range, Summary

ENERGY_UNITS = ((1e-12, "pJ"), (1e-9, "nJ"), (1e-6, "uJ"), (1e-3, "mJ"), (1.0, "J"))


def sections(summary: Summary, *, full: bool = True) -> list[Section]:
    """All sections in order; `full` False leaves out what does not fit one screen."""
    result = [_run(summary)]
    if summary.record is not None:
        result.append(_events(summary))
    if summary.energies:
        result.append(_energy(summary, full))
    result += _projected(summary, full)
    result.append(_files(summary))
    return result


def _run(summary: Summary) -> Section:
    rows: list[tuple[str, ...]] = [("what", "value", "how")]
    rtl, model = summary.rtl, summary.model
    if rtl is not None:
        tools = ", ".join(f"{name} {rtl.origin.tools[name]}" for name in ("verilator", "cocotb")
                          if name in rtl.origin.tools)
        modules = rtl.result.figures.get("modules")
        built = f"digest {rtl.origin.verilog_digest}" + (f", {modules:.0f} modules" if modules else "")
        rows.append(("RTL built", built, tools))
        rows.append(("verdict", rtl.result.verdict, rtl.result.failure or "RTL outputs equal the integer reference"))
    if summary.tests is not None:
        tests = summary.tests
        text = f"{tests.passed} passed" + (f", {len(tests.failed)} FAILED" if tests.failed else "")
        rows.append(("tests", text, ", ".join(tests.failed[:3]) or f"JUnit files below {tests.folder}"))
    if rtl is not None:
        rows.append(("cycles measured", f"{rtl.result.cycles:,}", "counters of the RTL in Verilator"))
    if model is not None:
        rows.append(("cycles predicted", f"{model.result.cycles:,}", "cycle model"))
    if rtl is not None and model is not None:
        difference = model.result.cycles - rtl.result.cycles
        verdict = "equal" if difference == 0 else f"{difference / rtl.result.cycles:+.2%} of the measured"
        rows.append(("difference", f"{difference:+,}" if difference else "0", verdict))
    source = summary.record
    assert source is not None
    macs = source.result.figures.get("macs")
    if macs and summary.cells:
        share = macs / (source.result.cycles * summary.cells)
        rows.append(("utilisation", f"{share:.2%}", f"{macs:,.0f} MAC / ({source.result.cycles:,} cycles x "
                                                    f"{summary.cells:,} cells)"))
    rows += _task(summary, source)
    return Section(
        title=f"{summary.chip_name}: {summary.workload}, seed {summary.seed}", rows=tuple(rows), notes=summary.missing
    )


def _task(summary: Summary, source: record.Measurement) -> list[tuple[str, ...]]:
    figures = source.result.figures
    images = figures.get("images")
    if not images:
        return []
    rows: list[tuple[str, ...]] = []
    if "correct" in figures:
        number = "INT8" if summary.chip.pim is None else summary.chip.pim.number.upper()
        whose = "RTL" if source.result.witness == "rtl" else "reference"
        rows.append(("accuracy", f"{figures['correct'] / images:.2%}",
                     f"{figures['correct']:.0f} of {images:.0f} images, {number}, outputs of the {whose}"))
    rows.append(("cycles per image", f"{source.result.cycles / images:,.1f}", f"{images:.0f} images in one batch"))
    return rows


def _events(summary: Summary) -> Section:
    assert summary.record is not None
    counts = summary.record.result.counts
    components = counts.by_component()
    rows: list[tuple[str, ...]] = [("component", "events")]
    for component, events in components.items():
        text = ", ".join(f"{event} {count:,}" for event, count in events.items() if count)
        if text:
            rows.append((component, text))
    notes = []
    if summary.rtl is not None and summary.model is not None:
        other = summary.model.result.counts
        # what operands decide is not in the record of a model that was given shapes only
        names = (counts.keys() | other.keys()) - (set(VALUE_EVENTS) - other.keys())
        unequal = sorted(n for n in names if counts.get(n, 0) != other.get(n, 0))
        notes.append("Every count of the RTL equals the model's." if not unequal else
                     f"Counts that differ between RTL and model: {', '.join(unequal)}.")
    if summary.record.result.toggles:
        toggles = sum(summary.record.result.toggles.values())
        notes.append(f"{toggles:,} signal bit toggles in the RTL (zero-delay: no glitches).")
    return Section(title="Events", rows=tuple(rows), notes=tuple(notes))


def _energy(summary: Summary, full: bool) -> Section:
    scale, unit = _scale(summary.energies[0].total_j.nominal)
    rows: list[tuple[str, ...]] = [("table", "component", f"low {unit}", f"nominal {unit}", f"high {unit}")]
    notes = []
    source = summary.record
    assert source is not None
    images = source.result.figures.get("images")
    for priced in summary.energies:
        if full:
            for part in priced.components:
                rows.append((priced.table.title, part.component, *_three(part.energy_j, scale)))
        rows.append((priced.table.title, "all", *_three(priced.total_j, scale)))
        if images:
            per, per_unit = _scale(priced.total_j.nominal / images)
            text = " / ".join(compact(v / images / per) for v in
                              (priced.total_j.low, priced.total_j.nominal, priced.total_j.high))
            rows.append((priced.table.title, f"per image, {per_unit}", *text.split(" / ")))
    first = summary.energies[0]
    weights = ", ".join(f"{c.component} {c.weight:.2f}" for c in first.components if c.weight != 1)
    notes.append(
        f"Priced, not measured: {first.activity}{f' (random operands = 1: {weights})' if weights else ''}; "
        f"stated error of the tables {', '.join(f'{e.table.error.nominal:.0%}' for e in summary.energies)}."
    )
    if first.unpriced:
        notes.append(f"Counted but without a price: {', '.join(first.unpriced)}.")
    notes.append(f"Left out: {first.table.leaves_out}.")
    for priced in summary.energies:
        if (gates := priced.table.gates) is not None:
            rest = sorted({event.split(".")[0] for event in priced.unpriced})
            notes.append(f"{priced.table.title}: measured; covers {', '.join(gates.covers)}.")
            notes.append(f"Counted but not covered by it, wholly or in part: {', '.join(rest) or 'nothing'}.")
    return Section(title="Energy", rows=tuple(rows), notes=tuple(notes))


def _projected(summary: Summary, full: bool) -> list[Section]:
    if summary.programme is None:
        return []
    result = []
    for name, site in summary.programme.sites.items():
        if not full and name != "gwangju":
            continue
        shown = [f.name for f in site.totals]
        if full:
            shown += [f.name for figures in site.by_operator.values() for f in figures]
        else:
            shown = [n for n in shown if n.split(".")[-1] in
                     ("cards", "nominal_pf", "images_per_s", "wall_kw", "mwh_per_year", "mkrw_per_year")]
        rows = [("figure", "unit", "low", "nominal", "high", "5 %", "95 %", "weakest input")]
        rows += [_range(summary.ranges[n], name) for n in shown]
        result.append(Section(
            title=f"Projected: {site.scenario.title}, {site.scenario.capacity.nominal:g} PF nominal",
            rows=tuple(rows),
            notes=(
                "low and high: every input at its worse and better end; 5 % and 95 %: 10,000 samples.",
                f"ResNet-50 offline, 224 x 224; open any figure with: python -m model explain {name}.wall_kw",
            ),
        ))
        if full:
            rows = [("step", "low kW", "nominal kW", "high kW", "what")]
            for figure in (*site.chain, next(f for f in site.totals if f.name.endswith("wall_kw"))):
                bounds = summary.ranges[figure.name].bounds
                rows.append((figure.name.split(".")[-1], *_three(bounds, 1.0), figure.note))
            result.append(Section(title=f"From the array to the wall: {site.scenario.title}", rows=tuple(rows)))
            result.append(_drivers(summary, name))
    if full:
        result += programme_sections(summary)
    return result


def _drivers(summary: Summary, site: str) -> Section:
    assert summary.programme is not None
    rows: list[tuple[str, ...]] = [("input", "low", "high", "kW at low", "kW at high", "source")]
    for driver in summary.programme.projection.drivers(f"{site}.wall_kw"):
        fact = driver.leaf.fact
        assert fact is not None
        rows.append((driver.leaf.name, f"{compact(fact.minimum)} {fact.unit}", f"{compact(fact.maximum)} {fact.unit}",
                     compact(driver.at_low), compact(driver.at_high), f"{fact.confidence}: {fact.source}"))
    return Section(title=f"What drives {site}.wall_kw (one input at a time)", rows=tuple(rows))


def _files(summary: Summary) -> Section:
    rows: list[tuple[str, ...]] = [("what", "where")]
    for measurement in (summary.rtl, summary.model):
        if measurement is not None:
            result = measurement.result
            rows.append((f"{result.witness} record",
                         str(record.path_of(result.chip, result.workload, result.seed, result.witness))))
    rows.append(("waveforms", f"make waves CHIP={summary.chip_name} WORKLOAD={summary.workload} SEED={summary.seed}"))
    rows.append(("report", str(summary.folder / "report.md")))
    return Section(title="Files", rows=tuple(rows))


def _range(value: Range, site: str) -> tuple[str, ...]:
    return (
        value.name.removeprefix(f"{site}."), value.unit, *_three(value.bounds, 1.0), compact(value.p5),
        compact(value.p95), value.confidence,
    )


def _three(interval: object, scale: float) -> tuple[str, str, str]:
    low, nominal, high = (compact(getattr(interval, end) / scale) for end in ("low", "nominal", "high"))
    return low, nominal, high


def _scale(value_j: float) -> tuple[float, str]:
    """The largest unit in which the value is at least 1."""
    return next((unit for unit in reversed(ENERGY_UNITS) if value_j >= unit[0]), ENERGY_UNITS[0])
