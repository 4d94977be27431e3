"""Predicted beside published: rates and latencies of chips, wall power of servers, and what cannot be validated."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Literal

from hw.spec.chip import Chip
from model.energy.price import Interval
from model.projection import published
from model.projection.figure import Figure, from_fact, from_record
from model.projection.projection import Projection
from model.projection.published import Row
from model.projection.published.calibration import Residual, learn
from model.projection.published.language import BLIND, language_rows
from model.projection.published_pim import PimRow
from model.projection.published_serving import LanguageCheck
from model.projection.wall_checks import wall_power
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

TIMES = "times"
"""Unit of a gain."""

KOREAN = ("furiosa", "sapeon", "rebellions", "deepx", "telechips")
"""Makers whose published results are the point of the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One published result with its prediction.

    `predicted` and `published` are in `unit`; `rule` says how it was predicted, `published_by` where it was printed.
    `kind` is one of `calibration.KINDS`, "" for a bound of arrays alone; `rules` what the rules and open inputs say
    alone, where `predicted` holds the model's own error too, learnt without this chip. `blind`: its prediction was
    written before the result was opened. `bound`: what most of the predicted time is spent on, "" where no record says.

    Parameters
    ----------
    chip : str
        Name of the chip in hw/chips.
    what : str
        Task and how it was run, in words.
    """

    chip: str
    what: str
    unit: str
    predicted: Interval
    published: float
    rule: str
    published_by: str
    kind: str = ""
    rules: Interval | None = None
    blind: bool = False
    bound: str = ""

    @property
    def inside(self) -> bool:
        """The published value lies in the range."""
        return self.predicted.low <= self.published <= self.predicted.high

    @property
    def half_width(self) -> float:
        """Half of the range over the nominal value."""
        return (self.predicted.high - self.predicted.low) / 2 / self.predicted.nominal

    @property
    def error(self) -> float:
        """Nominal prediction over published, minus 1."""
        return self.predicted.nominal / self.published - 1

    @property
    def cause(self) -> str:
        """Why a wall power is more than 15 % off, or a prediction of the chip model outside; "" for others."""
        if self.rule.startswith(CHIP_MODEL) and self.verdict == "outside":
            return _cause(self)
        if self.unit == TIMES and self.verdict == "outside":
            return (
                "gains over a host's own kernel, which reads at a small part of its memory's bandwidth; the model "
                "compares with a plain read at the pins"
            )
        if self.unit != "W" or abs(self.error) <= 0.15:
            return ""
        return (
            "limited so far below its unrestricted rate, parts of the chip are slowed and switched off one by one; "
            "one speed for the whole card is too coarse"
        )

    @property
    def verdict(self) -> str:
        """Of the chip model "in range of" so much to both sides, else "outside"; of arrays alone "bound holds" where
        their bound does, else "in range" or "outside"."""
        if self.rule.startswith(CHIP_MODEL):
            return f"in range of {self.half_width:.0%}" if self.inside else "outside"
        if self.predicted.low <= self.published <= self.predicted.high:
            return "in range"
        slower = self.published > self.predicted.high if self.unit == "ms" else self.published < self.predicted.low
        return "bound holds" if self.unit != "W" and slower else "outside"


LEAST_COVERAGE, MOST_COVERAGE = 0.85, 0.95
"""Shares of the published results that ranges meant to hold 90 % may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Of some results: how many of how many chips, the share inside their ranges, the median factor between published
    and predicted (and by the rules alone), the median half width of the ranges.

    Parameters
    ----------
    results : int
        Number of results; 0 leaves `coverage` and `half_width` at 0 and the factors at 1.
    chips : int
        Number of different chips among them.
    coverage : float
        Share of the results inside their ranges, 0 to 1.
    factor : float
        Median of nominal prediction over published or the reverse, whichever is above 1.
    rules_factor : float
        The same for the prediction by rules and open inputs alone, without the model's own error.
    half_width : float
        Median of half the range over the nominal prediction.
    """

    results: int
    chips: int
    coverage: float
    factor: float
    rules_factor: float
    half_width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """All checks, and per chip why the rest cannot be checked; `curve`: share of the results inside ranges meant to
    hold so many, each chip's learnt without it; `blind_written`, `blind_networks`, `blind_detectors`: the predictions
    of serving, of networks on a GPU and of detectors on Warboy that were written before their results were opened.

    Parameters
    ----------
    checks : tuple of Check
        Korean makers first, then by task, chip and publication.
    not_validated : dict of str to str
        Chip of a Korean maker to what of it no published result can check.
    """

    checks: tuple[Check, ...]
    not_validated: Mapping[str, str]
    curve: Mapping[float, float]
    blind_written: Score
    blind_networks: Score
    blind_detectors: Score

    @property
    def coverage(self) -> float:
        """Share of the results of the chip model inside their ranges."""
        kept = [check for check in self.checks if check.kind]
        return sum(check.inside for check in kept) / len(kept) if kept else 0.0

    @property
    def by_kind(self) -> Mapping[str, Score]:
        """Scores of every kind of question."""
        kinds: dict[str, list[Check]] = {}
        for check in self.checks:
            if check.kind:
                kinds.setdefault(check.kind, []).append(check)
        return {kind: score(found) for kind, found in sorted(kinds.items())}


def score(checks: Sequence[Check]) -> Score:
    """The score of checks of the chip model."""

    def factor(value: float, check: Check) -> float:
        return max(value / check.published, check.published / value)

    return Score(
        results=len(checks),
        chips=len({check.chip for check in checks}),
        coverage=sum(check.inside for check in checks) / max(1, len(checks)),
        factor=median(factor(c.predicted.nominal, c) for c in checks) if checks else 1.0,
        rules_factor=median(factor((c.rules or c.predicted).nominal, c) for c in checks) if checks else 1.0,
        half_width=median(c.half_width for c in checks) if checks else 0.0,
    )


def validate(
    chips: Mapping[str, Chip],
    records: Mapping[str, Measurement],
    model: str = "resnet50",
    runs: Mapping[tuple[str, str], Measurement] | None = None,
    language: Sequence[LanguageCheck] = (),
    memories: Sequence[tuple[PimRow, Interval]] = (),
) -> Validation:
    """Compare with every published result that a record of the chip model in `runs` predicts, by chip and workload;
    where there is none, with those of `model` by the arrays alone.

    Rates: clock x images / cycles of the chip's model record (arrays alone: an upper bound until memory and host are
    modelled). A chip without a record is bounded by its nominal INT8 peak over the operations of an image, which
    the first record gives. Latency: cycles / clock. Wall power, of every task: the rules of `overheads`.
    `language`: published serving results beside their predictions; `memories`: gains of memories with processing.
    Ranges hold the model's own error, learnt from all other chips.
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
            kind="wall power" if figure.unit == "W" else "",
        )
        for (row, figure, rule, value), interval in zip(found, intervals, strict=True)
    ]
    checks += direct
    checks += [_language_check(check) for check in language if check.row.chip in chips]
    checks += [_pim_check(row, predicted) for row, predicted in memories if row.memory in chips]
    checks, curve = calibrated(checks)
    checks.sort(key=lambda c: (not c.chip.startswith(KOREAN), c.what, c.chip, c.published_by))
    return Validation(
        checks=tuple(checks),
        not_validated=_gaps(chips, {c.chip for c in checks}),
        curve=curve,
        blind_written=_blind_written(),
        blind_networks=_blind(published.BLIND_NETWORKS),
        blind_detectors=_blind(published.BLIND_DETECTORS),
    )


LEVELS = (0.5, 0.8, 0.9, 0.95)


def calibrated(checks: Sequence[Check]) -> tuple[list[Check], dict[float, float]]:
    """The checks with the model's own error in their ranges, learnt for each chip without its own results; and the
    share of results inside ranges of every level."""
    residuals = [residual for check in checks if (residual := _residual(check)) is not None]
    learnt = {chip: learn(residuals, without=chip) for chip in {check.chip for check in checks}}
    found, inside, count = [], dict.fromkeys(LEVELS, 0), 0
    for check in checks:
        if not check.kind:
            found.append(check)
            continue
        p, error = check.predicted, learnt[check.chip][check.kind]
        low, middle, high = error.span(p.nominal, p.low, p.high)
        found.append(replace(check, predicted=Interval(low=low, nominal=middle, high=high), rules=p))
        count += 1
        for level in LEVELS:
            first, _, last = error.span(p.nominal, p.low, p.high, level)
            inside[level] += first <= check.published <= last
    return found, {level: n / max(1, count) for level, n in inside.items()}


def _blind_written() -> Score:
    """The predictions of `published.language.BLIND` beside the rows they are of."""
    found = []
    rows = {(r.chip, r.model, r.devices, r.weights, r.prompt, r.answer): r for r in language_rows() if r.blind}
    with BLIND.open(newline="", encoding="utf-8") as file:
        for f in csv.DictReader(file):
            key = f["chip"], f["model"], int(f["devices"]), f["weights"], int(f["prompt"]), int(f["answer"])
            row = rows.get(key)
            if row is not None:
                interval = Interval(low=float(f["low"]), nominal=float(f["middle"]), high=float(f["high"]))
                found.append(replace(_language_check(LanguageCheck(row=row, predicted=interval)), rules=interval))
    return score(found)


def _blind(path: Path) -> Score:
    """The predictions of networks in `path` beside the rows they are of."""
    rows: dict[tuple[str, str, str], list[Row]] = {}
    for row in published.rows():
        if row.blind:
            rows.setdefault((row.chip, TASKS.get(row.model, row.model), SCENARIOS[row.scenario]), []).append(row)
    found = []
    with path.open(newline="", encoding="utf-8") as file:
        for f in csv.DictReader(file):
            interval = Interval(low=float(f["low"]), nominal=float(f["middle"]), high=float(f["high"]))
            for row in rows.get((f["chip"], f["task"], f["scenario"]), []):
                found.append(
                    Check(
                        chip=row.chip,
                        what=_what(row),
                        unit=f["unit"],
                        predicted=interval,
                        published=row.value if f["unit"] == "ms" else row.value / row.cards,
                        rule=CHIP_MODEL,
                        published_by=_by(row),
                        rules=interval,
                    )
                )
    return score(found)


def residuals_of(checks: Sequence[Check]) -> list[Residual]:
    """What `learn` takes of checks that were calibrated."""
    kept = [c for c in checks if c.kind and c.rules is not None]
    return [r for c in kept if (r := _residual(replace(c, predicted=c.rules))) is not None]  # type: ignore[arg-type]


def _residual(check: Check) -> Residual | None:
    p = check.predicted
    if not check.kind:
        return None
    return Residual(
        kind=check.kind,
        chip=check.chip,
        ratio=check.published / p.nominal,
        low=p.low / p.nominal,
        high=p.high / p.nominal,
    )


def _kind(row: Row, scenario: Scenario, language: bool) -> str:
    """Kind of question of a published row, for the model's own error."""
    if language and scenario == "single_stream":
        return "request"
    if language:
        return "requests, one card" if row.cards == 1 or row.model.startswith("gptj") else "requests, several cards"
    return {"offline": "offline", "server": "server", "single_stream": "query", "multi_stream": "query of 8"}[scenario]


def _language_check(check: LanguageCheck) -> Check:
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


def _pim_check(row: PimRow, predicted: Interval) -> Check:
    return Check(
        chip=row.memory,
        what=row.what,
        unit=TIMES,
        predicted=predicted,
        published=row.value,
        rule=f"PIM cycle model, {row.kind}",
        published_by=row.source,
    )


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
    if gpu and check.what.startswith(("retinanet", "ssd")):
        return (
            "a detector's scores are counted as the passes of its definition; the software of a round fuses more of "
            "them, or passes its boxes one by one through memory"
        )
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
        what=_what(row),
        unit=unit,
        predicted=interval,
        published=row.value if latency else row.value / row.cards,
        rule=rule,
        published_by=_by(row),
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
