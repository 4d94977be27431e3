"""Predicted beside published: rates and latencies of chips, wall power of servers, and what cannot be validated."""

from collections.abc import Mapping
from dataclasses import dataclass

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

PEAK_ONLY = "peak only"
"""Added to the rule where the chip has no array in the model: its rate is a bound."""

TASKS = {
    "resnet50": "resnet50", "bert-99": "bert_large", "ssd-mobilenet": "ssd_mobilenet", "ssd-resnet34": "ssd_resnet34",
    "gptj-99": "gptj_99", "llama2-70b-99": "llama2_70b_99", "llama31_8b_128_4096": "llama31_8b_128_4096",
}
"""Name of a published task -> of the record."""

LANGUAGE = ("gptj_99", "llama2_70b_99", "llama31_8b_128_4096")
"""Those whose record is of requests to a language model, not of one scenario of a network."""

SCENARIOS = {"Offline": "offline", "SingleStream": "single_stream", "MultiStream": "multi_stream"}

NOT_VALIDATED = {
    "furiosa_rngd": "531 tokens/s on Llama 2 7B (secondary) and 3,300 or 3,580 on Llama 3.1 8B state neither lengths "
                    "nor batch",
    "sapeon_x220_compact": "the server rate (latency limit, random arrivals) is not modelled",
    "sapeon_x220_enterprise": "the server rate (latency limit, random arrivals) is not modelled",
    "telechips_dolphin5": "its latencies are of MobileNet v2, EfficientNet and YOLO, which are no workloads here",
    "telechips_n_dolphin": "its latencies of MobileNet v2 and YOLO are of networks that are no workloads here",
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
        if self.rule.startswith(CHIP_MODEL) and self.verdict in ("outside", "bound holds"):
            return _cause(self)
        if self.unit != "W" or abs(self.error) <= 0.15:
            return ""
        return (
            "limited so far below its unrestricted rate, parts of the chip are slowed and switched off one by one; "
            "one speed for the whole card is too coarse"
        )

    @property
    def verdict(self) -> str:
        """Of the chip model "within 15 %", "in range" or both; of bounds (arrays alone, peaks) "bound holds" where they
        do; else "in range" or "outside"."""
        if self.rule.startswith(CHIP_MODEL):
            near = "within 15 %" if abs(self.error) <= 0.15 else ""
            within = "in range" if self.predicted.low <= self.published <= self.predicted.high else ""
            slower = self.published > self.predicted.high if self.unit == "ms" else self.published < self.predicted.low
            bound = "bound holds" if slower and PEAK_ONLY in self.rule else "outside"
            return ", ".join(filter(None, (near, within))) or bound
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
    chips: Mapping[str, Chip], records: Mapping[str, Measurement], model: str = "resnet50",
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
        check for row in (*published.rows(), *published.rows(published.OTHER)) if row.chip in chips
        for check in [_by_chip_model(row, chips[row.chip], runs or {})] if check is not None
    ]
    done = {(check.chip, check.what, check.published_by) for check in direct}
    rows = [
        row for row in published.rows() if row.model == model and row.chip in chips
        and (row.chip, _what(row), _by(row)) not in done
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
        "images/s": "offline, per card", "ms": "single stream", "W": "offline, wall power",
    }
    checks = [
        Check(chip=row.chip, what=f"{row.model} {what[figure.unit]}", unit=figure.unit, predicted=interval,
              published=value, rule=rule, published_by=f"MLPerf {row.round}, {row.system}")
        for (row, figure, rule, value), interval in zip(found, intervals, strict=True)
    ]
    checks += direct
    checks.sort(key=lambda c: (not c.chip.startswith(KOREAN), c.what, c.chip, c.published_by))
    return Validation(checks=tuple(checks), not_validated=_gaps(chips, {c.chip for c in checks}))


def _cause(check: Check) -> str:
    """What the chip model leaves out, of the kind of this check."""
    if check.what.startswith("bert-99 offline"):
        return "all 384 positions are counted here, submitters may drop the padding"
    if check.what.startswith("gptj"):
        return "requests of one mean length all at once; the benchmark's vary, and its lengths are recalled"
    if check.what.startswith("llama2-70b"):
        return "tensor parallel over all eight cards here, which waits for the links; lengths are recalled"
    if PEAK_ONLY in check.rule:
        return "only peak, memories and starts of layers are modelled of a chip without a known array"
    if check.what.endswith("query of 8"):
        return "one batch of eight here; one after the other would take eight times the single stream"
    return "the toolchain, the part of the chip that ran and its memory are not published"


def _what(row: Row) -> str:
    scenario = {"Offline": "offline, per card", "SingleStream": "single stream", "MultiStream": "query of 8"}
    return f"{row.model} {scenario.get(row.scenario, row.scenario)}"


def _by(row: Row) -> str:
    return f"{'MLPerf ' if row.round.startswith('v') else ''}{row.round}, {row.system}"


def _by_chip_model(row: Row, chip: Chip, runs: Mapping[tuple[str, str], Measurement]) -> Check | None:
    """The check of a published result against its record; None if there is none or the card's power was limited."""
    if row.model not in TASKS or row.scenario not in SCENARIOS or row.system_power_w is not None:
        return None
    task, scenario = TASKS[row.model], SCENARIOS[row.scenario]
    language = task in LANGUAGE
    record = runs.get((row.chip, task) if language else (row.chip, f"{task}_{scenario}"))
    if record is None or (language and scenario != "offline"):
        return None
    figures, rule = record.result.figures, CHIP_MODEL
    if chip.core is None:
        rule = f"{CHIP_MODEL}, {PEAK_ONLY}"
    if scenario == "offline":
        # of a language model: of all its cards; requests instead of tokens where the benchmark counts those
        share = figures["cards"] * (figures["answer"] if language and row.unit == "samples/s" else 1)
        low, nominal, high = (figures[f"per_second{end}"] / share for end in ("_low", "", "_high"))
        value, unit = row.value / row.cards, "images/s" if row.model == "resnet50" else row.unit
        other = runs.get((row.chip, f"{task}_fp8"))
        if other is not None:
            low, high = (
                choose(end, other.result.figures[f"per_second{name}"] / share)
                for choose, end, name in ((min, low, "_low"), (max, high, "_high"))
            )
            rule = f"{rule}, cache FP16; range to FP8"
    else:
        low, nominal, high = (figures[f"time_ns{end}"] / 1e6 for end in ("_low", "", "_high"))
        value, unit = row.value, "ms"
    return Check(
        chip=row.chip, what=_what(row), unit=unit, predicted=Interval(low=low, nominal=nominal, high=high),
        published=value, rule=rule, published_by=_by(row),
    )


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
