"""Each published row beside what predicts it: records of the chip model, of requests and of memories that multiply."""

from collections.abc import Mapping

from hw.spec.chip import Chip
from model.energy.price import Interval
from model.projection.check import (
    CHIP_MODEL,
    KOREAN,
    LANGUAGE,
    NOT_VALIDATED,
    PADDED,
    SCENARIOS,
    TASKS,
    TIMES,
    Check,
    Scenario,
)
from model.projection.figure import Figure, from_fact, from_record
from model.projection.published import Row
from model.projection.published_pim import PimRow
from model.projection.published_serving import LanguageCheck
from model.record import Measurement


def _kind(row: Row, scenario: Scenario, language: bool) -> str:
    """Kind of question of a published row, for the model's own error."""
    if language and scenario == "single_stream":
        return "request"
    if language:
        return "requests, one card" if row.cards == 1 or row.model.startswith("gptj") else "requests, several cards"
    return {"offline": "offline", "server": "server", "single_stream": "query", "multi_stream": "query of 8"}[scenario]


def language_check(check: LanguageCheck) -> Check:
    row = check.row
    cards = f"{row.devices} cards" if row.devices > 1 else "1 card"
    running = f", {row.requests} running" if row.requests else ""
    return Check(
        chip=row.chip,
        what=f"{row.model} {row.weights} {row.prompt}+{row.answer} on {cards}{running}, {row.metric}",
        unit=row.unit,
        predicted=check.predicted,
        published=row.value,
        rule=f"{CHIP_MODEL}, {row.engine}",
        published_by=row.source,
        kind=check.kind,
        blind=row.blind,
    )


def pim_check(row: PimRow, predicted: Interval) -> Check:
    return Check(
        chip=row.memory,
        what=row.what,
        unit=TIMES,
        predicted=predicted,
        published=row.value,
        rule=f"PIM cycle model, {row.kind}",
        published_by=row.source,
    )


def result_of(row: Row) -> str:
    scenario = {
        "Offline": "offline, per card",
        "SingleStream": "single stream",
        "MultiStream": "query of 8",
        "Server": "server",
    }
    return f"{row.model} {scenario.get(row.scenario, row.scenario)}"


def rule_of(row: Row) -> str:
    return f"{'MLPerf ' if row.round.startswith('v') else ''}{row.round}, {row.system}"


def by_chip_model(row: Row, chip: Chip, runs: Mapping[tuple[str, str], Measurement]) -> Check | None:
    """The check of a published result against its record; None if there is none or the card's power was limited."""
    if row.scenario not in SCENARIOS or row.system_power_w is not None:
        return None
    task, scenario = TASKS.get(row.model, row.model), SCENARIOS[row.scenario]
    language = task in LANGUAGE
    if "bert_positions" in chip.facts:  # the submission keeps the padding
        task = PADDED.get(task, task)
    record = runs.get((row.chip, task if language and scenario == "offline" else f"{task}_{scenario}"))
    if record is None:
        return None
    rule, others = CHIP_MODEL, []
    if chip.machine is not None and (row.chip, f"{task}_fp16_cache") in runs:  # no engine states its cache format
        others, rule = [runs[row.chip, f"{task}_fp16_cache"]], f"{CHIP_MODEL}, cache FP8; range to FP16"
    if task in PADDED:
        rule = f"{CHIP_MODEL}, padding dropped as in the submitter's code"
    interval = _interval(row, record, scenario, language)
    for other in others:
        more = _interval(row, other, scenario, language)
        interval = Interval(
            low=min(interval.low, more.low), nominal=interval.nominal, high=max(interval.high, more.high)
        )
    latency = scenario in ("single_stream", "multi_stream")
    unit = "ms" if latency else "images/s" if row.model == "resnet50" and scenario == "offline" else row.unit
    return Check(
        chip=row.chip,
        what=result_of(row),
        unit=unit,
        predicted=interval,
        published=row.value if latency else row.value / row.cards,
        rule=rule,
        published_by=rule_of(row),
        kind=_kind(row, scenario, language),
        blind=row.blind,
        bound=max(record.result.phases, key=lambda name: record.result.phases[name], default=""),
    )


def _interval(row: Row, record: Measurement, scenario: Scenario, language: bool) -> Interval:
    """Prediction of a record in the unit of `row`, per card."""
    figures = record.result.figures
    if scenario in ("single_stream", "multi_stream"):
        low, nominal, high = (figures[f"time_ns{end}"] / 1e6 for end in ("_low", "", "_high"))
    else:
        # of a language model: of all its cards; requests instead of tokens where the benchmark counts those
        share = figures["cards"] * (figures["answer"] if language and row.unit != "tokens/s" else 1)
        low, nominal, high = (figures[f"per_second{end}"] / share for end in ("_low", "", "_high"))
    return Interval(low=low, nominal=nominal, high=high)


def offline_rate(
    name: str, chip: Chip, record: Measurement | None, records: Mapping[str, Measurement]
) -> tuple[Figure, str] | None:
    if record is not None and chip.clock is not None:
        cycles = from_record(f"record.{name}.cycles", "cycles", record, "cycles")
        images = from_record(f"record.{name}.images", "images", record, "figures.images")
        return from_fact(f"{name}.clock", chip.clock) * 1e9 * images / cycles, "cycle model, arrays alone"
    if "peak_int8" in chip.facts and records:
        first = records[min(records)]
        images = from_record("record.images", "images", first, "figures.images")
        macs = from_record("record.macs", "MAC", first, "figures.macs")
        peak = from_fact(f"{name}.peak_int8", chip.facts["peak_int8"])
        return peak * 1e12 * images / (2 * macs), "nominal INT8 peak"
    return None


def gaps_of(chips: Mapping[str, Chip], checked: set[str]) -> dict[str, str]:
    gaps = {}
    for name in sorted(chips):
        if name.startswith(KOREAN):
            energy = "energy: no power log of this maker is published"
            parts = [energy] if name in checked else ["no MLPerf result found", energy]
            gaps[name] = "; ".join([*parts, *([NOT_VALIDATED[name]] if name in NOT_VALIDATED else [])])
    return gaps
