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
        """Why a wall power is more than 15 % off; "" for others."""
        if self.unit != "W" or abs(self.error) <= 0.15:
            return ""
        return (
            "limited so far below its unrestricted rate, parts of the chip are slowed and switched off one by one; "
            "one speed for the whole card is too coarse"
        )

    @property
    def verdict(self) -> str:
        """"in range", or for bounds (arrays alone; nominal peak) "bound holds", else "outside"."""
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
    chips: Mapping[str, Chip], records: Mapping[str, Measurement], model: str = "resnet50"
) -> Validation:
    """Compare with every published result of `model`.

    Rates: clock x images / cycles of the chip's model record (arrays alone: an upper bound until memory and host are
    modelled). A chip without a record is bounded by its nominal INT8 peak over the operations of an image, which the
    first record gives. Latency: cycles / clock. Wall power, of every task: the rules of `overheads`.
    """
    found: list[tuple[Row, Figure, str, float]] = []
    rows = [row for row in published.rows() if row.model == model and row.chip in chips]
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
    checks.sort(key=lambda c: (not c.chip.startswith(KOREAN), c.what, c.chip, c.published_by))
    return Validation(checks=tuple(checks), not_validated=_gaps(chips, {c.chip for c in checks}))


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
            gaps[name] = energy if name in checked else f"no MLPerf result found; {energy}"
    return gaps
