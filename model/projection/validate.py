"""Predicted beside published: rates and latencies of chips, wall power of servers, and what cannot be validated."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hw.spec.chip import Chip
from model.energy.price import Interval
from model.projection import published
from model.projection.figure import Figure, from_fact, from_record
from model.projection.projection import Projection
from model.projection.published import Row
from model.projection.wall import wall_power
from model.record import Measurement

CHIP_MODEL = "chip model"
"""Rule of a check whose prediction, with its range, is a record of the chip model."""

TASKS = {
    "resnet50": "resnet50",
    "bert-99": "bert_large_177",
    "ssd-mobilenet": "ssd_mobilenet",
    "ssd-resnet34": "ssd_resnet34",
    "gptj-99": "gptj_99",
    "llama2-70b-99": "llama2_70b_99",
    "llama31_8b_128_4096": "llama31_8b_128_4096",
}
"""Name of a published task -> of the record; the same name for others. BERT: of a submitter that drops the padding."""

PADDED = {"bert_large_177": "bert_large"}
"""Record of a task without padding -> with it, the other end of the range."""


LANGUAGE = ("gptj_99", "llama2_70b_99", "llama31_8b_128_4096")
"""Those whose record is of requests to a language model, not of one scenario of a network."""

Scenario = Literal["offline", "single_stream", "multi_stream", "server"]

SCENARIOS: Mapping[str, Scenario] = {
    "Offline": "offline",
    "SingleStream": "single_stream",
    "MultiStream": "multi_stream",
    "Server": "server",
}

NOT_VALIDATED = {
    "furiosa_rngd": "531 tokens/s on Llama 2 7B (secondary) and 3,300 or 3,580 on Llama 3.1 8B state neither lengths "
    "nor batch",
    "telechips_dolphin5": "the SSDLite behind 16.58 ms is not described (six times its smaller sister's time)",
    "telechips_n_dolphin": "the SSDLite behind 2.46 ms is not described",
}
"""Published results that nothing here is compared with, and why."""

KOREAN = ("furiosa", "sapeon", "rebellions", "deepx", "telechips")
"""Makers whose published results are the point of the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One published result with its prediction.

    `predicted` and `published` are in `unit`; `rule` says how it was predicted, `published_by` where it was printed.
    """

    chip: str
    what: str
    unit: str
    predicted: Interval
    published: float
    rule: str
    published_by: str

    @property
    def error(self) -> float:
        """Nominal prediction over published, minus 1."""
        return self.predicted.nominal / self.published - 1

    @property
    def cause(self) -> str:
        """Why a wall power is more than 15 % off, or a prediction of the chip model outside; "" for others."""
        if self.rule.startswith(CHIP_MODEL) and self.verdict == "outside":
            return _cause(self)
        if self.unit != "W" or abs(self.error) <= 0.15:
            return ""
        return (
            "limited so far below its unrestricted rate, parts of the chip are slowed and switched off one by one; "
            "one speed for the whole card is too coarse"
        )

    @property
    def verdict(self) -> str:
        """Of the chip model "within 15 %", "in range" or both, else "outside"; of arrays alone "bound holds" where
        their bound does, else "in range" or "outside"."""
        if self.rule.startswith(CHIP_MODEL):
            near = "within 15 %" if abs(self.error) <= 0.15 else ""
            within = "in range" if self.predicted.low <= self.published <= self.predicted.high else ""
            return ", ".join(filter(None, (near, within))) or "outside"
        if self.predicted.low <= self.published <= self.predicted.high:
            return "in range"
        slower = self.published > self.predicted.high if self.unit == "ms" else self.published < self.predicted.low
        return "bound holds" if self.unit != "W" and slower else "outside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """All checks, and per chip why the rest cannot be checked."""

    checks: tuple[Check, ...]
    not_validated: Mapping[str, str]


def validate(
    chips: Mapping[str, Chip],
    records: Mapping[str, Measurement],
    model: str = "resnet50",
    runs: Mapping[tuple[str, str], Measurement] | None = None,
) -> Validation:
    """Compare with every published result that a record of the chip model in `runs` predicts, by chip and workload;
    where there is none, with those of `model` by the arrays alone.

    Rates: clock x images / cycles of the chip's model record (arrays alone: an upper bound until memory and host are
    modelled). A chip without a record is bounded by its nominal INT8 peak over the operations of an image, which the
    first record gives. Latency: cycles / clock. Wall power, of every task: the rules of `overheads`.
    """
    found: list[tuple[Row, Figure, str, float]] = []
    direct = [
        check
        for row in (*published.rows(), *published.rows(published.OTHER))
        if row.chip in chips
        for check in [_by_chip_model(row, chips[row.chip], runs or {})]
        if check is not None
    ]
    done = {(check.chip, check.what, check.published_by) for check in direct}
    rows = [
        row
        for row in published.rows()
        if row.model == model and row.chip in chips and (row.chip, _what(row), _by(row)) not in done
    ]
    for row in rows:
        chip, record = chips[row.chip], records.get(row.chip)
        rate = _rate(row.chip, chip, record, records)
        number = f"{row.chip}.{row.scenario}.{row.round}.{row.system}"
        if row.scenario == "Offline" and row.system_power_w is None and rate is not None:
            figure, rule = rate
            found.append((row, (figure * 1).named(f"{number}.rate", "images/s"), rule, row.value / row.cards))
        if row.scenario == "SingleStream" and record is not None and chip.clock is not None:
            cycles = from_record(f"record.{row.chip}.cycles", "cycles", record, "cycles")
            latency = cycles / (from_fact(f"{row.chip}.clock", chip.clock) * 1e6)
            found.append((row, latency.named(f"{number}.latency", "ms"), "cycle model, arrays alone", row.value))
    for row in published.rows():
        wall = wall_power(row, chips) if row.system_power_w is not None and row.scenario == "Offline" else None
        if wall is not None and row.system_power_w is not None:
            number = f"{row.chip}.{row.scenario}.{row.round}.{row.system}.{row.model}"
            found.append((row, wall[0].named(f"{number}.power", "W"), wall[1], row.system_power_w))
    intervals = Projection(title="validation", figures=tuple(f for _, f, _, _ in found)).intervals() if found else []
    what = {
        "images/s": "offline, per card",
        "ms": "single stream",
        "W": "offline, wall power",
    }
    checks = [
        Check(
            chip=row.chip,
            what=f"{row.model} {what[figure.unit]}",
            unit=figure.unit,
            predicted=interval,
            published=value,
            rule=rule,
            published_by=f"MLPerf {row.round}, {row.system}",
        )
        for (row, figure, rule, value), interval in zip(found, intervals, strict=True)
    ]
    checks += direct
    checks.sort(key=lambda c: (not c.chip.startswith(KOREAN), c.what, c.chip, c.published_by))
    return Validation(checks=tuple(checks), not_validated=_gaps(chips, {c.chip for c in checks}))


def _cause(check: Check) -> str:
    """What the chip model leaves out, of the kind of this check."""
    fast = (check.error < 0) == (check.unit == "ms")
    gpu = check.chip.startswith("nvidia")
    if check.chip.startswith("telechips"):
        return "the toolchain and the board's memory are not published; neither array, clock nor the part that ran is"
    if check.what.startswith(("gptj", "llama2-70b")):
        return "requests of one recalled mean length, all at once; the benchmark's vary and join as others end"
    if check.what.startswith("bert") and not fast:
        return "kernels of the submission that do attention in one pass, or a higher clock than the hypothesis"
    if gpu and fast and check.what.startswith(("retinanet", "ssd")):
        return "the choice of boxes (sorting, overlap) is in the measured time, host software around it"
    if gpu and fast and check.what.endswith(("single stream", "query of 8")):
        return "host software of a query (issue, copies, launches) is not counted, kernels run back to back"
    if gpu and fast and check.what.endswith("server"):
        return "host software is not counted and one queue wastes nothing; the submission's batches may wait"
    if gpu and fast:
        return "no stalls inside a tile, no host software, a lower clock than the hypothesis"
    if gpu:
        return "left out: multicast between multiprocessors, first-level reuse of overlapping windows, a higher clock"
    if check.what.endswith("query of 8"):
        return "the size of the chunks a query was run in is not published"
    return "the toolchain, the part of the chip that ran and its memory are not published"


def _what(row: Row) -> str:
    scenario = {
        "Offline": "offline, per card",
        "SingleStream": "single stream",
        "MultiStream": "query of 8",
        "Server": "server",
    }
    return f"{row.model} {scenario.get(row.scenario, row.scenario)}"


def _by(row: Row) -> str:
    return f"{'MLPerf ' if row.round.startswith('v') else ''}{row.round}, {row.system}"


def _by_chip_model(row: Row, chip: Chip, runs: Mapping[tuple[str, str], Measurement]) -> Check | None:
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
    if f"{task}_fp8" in (name for at, name in runs if at == row.chip):
        others, rule = [runs[row.chip, f"{task}_fp8"]], f"{CHIP_MODEL}, cache FP16; range to FP8"
    padded = runs.get((row.chip, f"{PADDED.get(task)}_{scenario}"))
    if padded is not None:
        others, rule = [padded], f"{CHIP_MODEL}, padding dropped; range to 384 positions"
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
        what=_what(row),
        unit=unit,
        predicted=interval,
        published=row.value if latency else row.value / row.cards,
        rule=rule,
        published_by=_by(row),
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


def _rate(
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


def _gaps(chips: Mapping[str, Chip], checked: set[str]) -> dict[str, str]:
    gaps = {}
    for name in sorted(chips):
        if name.startswith(KOREAN):
            energy = "energy: no power log of this maker is published"
            parts = [energy] if name in checked else ["no MLPerf result found", energy]
            gaps[name] = "; ".join([*parts, *([NOT_VALIDATED[name]] if name in NOT_VALIDATED else [])])
    return gaps
