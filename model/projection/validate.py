"""Predicted beside published: rates and latencies of chips, wall power of servers, and what cannot be validated."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from hw.spec.chip import Chip
from model.energy.price import Interval
from model.projection import published
from model.projection.check import CHIP_MODEL, KOREAN, SCENARIOS, TASKS, Check, Score, Validation, score
from model.projection.figure import Figure, from_fact, from_record
from model.projection.projection import Projection
from model.projection.published import Row
from model.projection.published.calibration import Residual, learn
from model.projection.published.language import BLIND, language_rows
from model.projection.published_pim import PimRow
from model.projection.published_serving import LanguageCheck
from model.projection.row_checks import (
    by_chip_model,
    gaps_of,
    language_check,
    offline_rate,
    pim_check,
    result_of,
    rule_of,
)
from model.projection.wall_checks import wall_power
from model.record import Measurement


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
        for check in [by_chip_model(row, chips[row.chip], runs or {})]
        if check is not None
    ]
    done = {(check.chip, check.what, check.published_by) for check in direct}
    rows = [
        row
        for row in published.rows()
        if row.model == model and row.chip in chips and (row.chip, result_of(row), rule_of(row)) not in done
    ]
    for row in rows:
        chip, record = chips[row.chip], records.get(row.chip)
        rate = offline_rate(row.chip, chip, record, records)
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
    checks += [language_check(check) for check in language if check.row.chip in chips]
    checks += [pim_check(row, predicted) for row, predicted in memories if row.memory in chips]
    checks, curve = calibrated(checks)
    checks.sort(key=lambda c: (not c.chip.startswith(KOREAN), c.what, c.chip, c.published_by))
    return Validation(
        checks=tuple(checks),
        not_validated=gaps_of(chips, {c.chip for c in checks}),
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
                found.append(replace(language_check(LanguageCheck(row=row, predicted=interval)), rules=interval))
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
                        what=result_of(row),
                        unit=f["unit"],
                        predicted=interval,
                        published=row.value if f["unit"] == "ms" else row.value / row.cards,
                        rule=CHIP_MODEL,
                        published_by=rule_of(row),
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
