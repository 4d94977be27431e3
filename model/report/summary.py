"""The one `Summary` everything renders: what was built, run, counted, priced and projected."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from hw.base.error import InputError
from hw.spec.chip import Chip
from hw.spec.number import NumberFormat, number_format
from model.energy.price import Energy, Interval
from model.projection.explain import compact
from model.projection.programme import Programme
from model.projection.projection import Projection
from model.projection.run import prefix, run_figures
from model.record import Measurement, NoRecordError
from model.report.load import ROOTS, left_out, load_programme, locate, random_reference
from model.report.run_data import Point, Tests, read_tests, utilisation_points
from model.report.section_type import Shown

SAMPLES, SAMPLE_SEED = 10_000, 1
PERCENTILES = (5, 95)
"""Ends of the range in which 90 of 100 samples lie."""


About = Literal["all", "run", "programme"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A projected figure: its bounds, the middle 90 % of the samples and their median.

    Parameters
    ----------
    name : str
        Name of the figure in the projection, the one `explain` opens.
    unit : str
        Unit of all its numbers.
    note : str
        What the figure says of itself; "" if nothing.
    bounds : Interval
        Its nominal value, and the lowest and highest found with each input at an end of its range.
    p5, p95 : float
        5 % and 95 % percentile of the samples; the nominal value if the figure does not vary.
    confidence : str
        The weakest confidence among the facts and records it is made of.
    median : float
        Of the samples; not a number (NaN) if it is not known.
    """

    name: str
    unit: str
    note: str
    bounds: Interval
    p5: float
    p95: float
    confidence: str
    median: float = float("nan")

    @property
    def middle(self) -> float:
        """The nominal value, or the median where the nominal value lies outside the middle 90 %."""
        nominal = self.bounds.nominal
        inside = self.p5 <= nominal <= self.p95 or self.median != self.median
        return nominal if inside else self.median


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """All a report says. `missing` holds one sentence for everything that is not there, with what makes it.

    `about` says what a report of it holds: the run's own chip, the programme's sites, or both.
    `energies` are by the name of their table; `projection` holds the figures of the run and of the programme, `ranges`
    their numbers.

    Parameters
    ----------
    chip_name : str
        Name of the chip's file in `hw/chips`.
    chip : Chip
        Its description as it is now; records found may be of an earlier one.
    workload : str
        Name of what was run.
    seed : int
        Seed of the run's drawn operands.
    rtl, model : Measurement or None
        Record of the run by simulated RTL and by the cycle model; None if there is none. At least one is there.
    tests : Tests or None
        Test cases of this very run; None without JUnit files.
    points : tuple of Point
        Utilisation of every GEMM recorded for the chip; empty if no number of multipliers sets its pace.
    programme : Programme or None
        What is projected of the sites; None if that cannot be made, and `missing` then says why.
    folder : Path
        Where report and plots are written.
    store : Path or None
        Folder of an exploration whose front the report shows as well.
    """

    chip_name: str
    chip: Chip
    workload: str
    seed: int
    rtl: Measurement | None
    model: Measurement | None
    tests: Tests | None
    energies: tuple[tuple[str, Energy], ...]
    points: tuple[Point, ...]
    programme: Programme | None
    projection: Projection
    ranges: Mapping[str, Range] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    folder: Path = Path("build/report")
    about: About = "all"
    store: Path | None = None

    @property
    def record(self) -> Measurement | None:
        """The record the run's figures come from: the RTL's if there is one, else the model's."""
        return self.rtl or self.model

    @property
    def run(self) -> str:
        """What the names of the run's own figures begin with."""
        return prefix(self.chip_name, self.workload, self.seed)

    def range(self, name: str) -> Range:
        """A figure's numbers; `InputError` naming it if it has no origin."""
        if name not in self.ranges:
            raise InputError(f"figure {name} is printed and must have an origin, not none; add it to the projection")
        return self.ranges[name]

    def value(self, name: str) -> float:
        """The nominal value of a figure."""
        return self.range(name).bounds.nominal

    def shown(self, name: str, text: str | None = None) -> Shown:
        """A figure's nominal, or another text made of it, that knows its origin."""
        return Shown(compact(self.value(name)) if text is None else text, name)

    def leaf(self, name: str, leaf: str) -> Shown:
        """The nominal of the fact `leaf` below a figure, which opens with that figure."""
        fact = next(found.fact for found in self.projection[name].leaves() if found.name == leaf)
        assert fact is not None
        return Shown(compact(fact.nominal), name)

    def three(self, name: str, scale: float = 1.0) -> tuple[Shown, Shown, Shown]:
        """Low, nominal and high of a figure, over `scale`."""
        b = self.range(name).bounds
        low, nominal, high = (Shown(compact(v / scale), name) for v in (b.low, b.nominal, b.high))
        return low, nominal, high

    def span(self, name: str) -> Shown:
        """Nominal with its range in brackets; the nominal alone if there is none."""
        low, nominal, high = self.three(name)
        return nominal if low == high else Shown(f"{nominal} ({low} .. {high})", name)

    def likely(self, name: str) -> Shown:
        """The middle with the middle 90 % of the samples in brackets: the nominal value, or the median of the samples
        where the nominal value lies outside, because an input's is an end of its range."""
        value = self.range(name)
        nominal, low, high = (compact(v) for v in (value.middle, value.p5, value.p95))
        return Shown(nominal if low == high else f"{nominal} ({low} to {high})", name)

    @property
    def cells(self) -> int | None:
        """Multipliers of the chip's machines together; None if it has none that set the pace."""
        return self.chip.cells

    @property
    def number(self) -> NumberFormat:
        """Format of the operands of the chip's machine."""
        return number_format("int8" if self.chip.machine is None else self.chip.machine.number)


def stale(programme: Programme, run: Iterable[Measurement | None], chips: Mapping[str, Chip]) -> list[str]:
    """One sentence naming the records, of the run or below the projection, whose chip has been changed since."""
    used = {m.result.run: m.result for m in run if m is not None}
    for figure in programme.projection.figures:
        for leaf in figure.leaves():
            if leaf.record is not None:
                result = leaf.record.measurement.result
                used[result.run] = result
    old = [
        name
        for name, result in sorted(used.items())
        if result.chip in chips and chips[result.chip].digest != result.chip_digest
    ]
    return [f"made from an earlier description of their chips, to be run again: {', '.join(old)}"] if old else []


def ranges_of(projection: Projection) -> dict[str, Range]:
    """Every named figure with bounds and the middle 90 % of `SAMPLES` samples."""
    samples = projection.samples(SAMPLES, SAMPLE_SEED)
    varying = [name for name, values in samples.items() if values.strides != (0,)]
    shares = PERCENTILES[0], 50, PERCENTILES[1]
    ends = np.percentile([samples[name] for name in varying], shares, axis=1).T if varying else ()
    middle = dict(zip(varying, ends, strict=True))
    result = {}
    for figure, bounds in zip(projection.figures, projection.intervals(), strict=True):
        p5, p50, p95 = middle.get(figure.name, (bounds.nominal,) * 3)
        result[figure.name] = Range(
            name=figure.name,
            unit=figure.unit,
            note=figure.note,
            bounds=bounds,
            p5=float(p5),
            median=float(p50),
            p95=float(p95),
            confidence=figure.confidence,
        )
    return result


def summarise(
    chip_name: str,
    chip: Chip,
    workload: str,
    seed: int,
    chips: Mapping[str, Chip],
    *,
    workload_digest: str | None = None,
    roots: Sequence[Path] = ROOTS,
    build: Path = Path("build"),
    folder: Path | None = None,
) -> Summary:
    """Gather everything about one run; what is missing is said, only a run without any record is an error.

    With `workload_digest` the record of that very workload is taken if there is one.
    """
    missing: list[str] = []
    found: dict[str, Measurement | None] = {}
    for witness in ("rtl", "model"):
        try:
            found[witness] = locate(
                chip_name, workload, seed, witness, roots, chip_digest=chip.digest, workload_digest=workload_digest
            )
        except NoRecordError as error:
            found[witness] = None
            missing.append(str(error))
    if found["rtl"] is None and found["model"] is None:
        raise InputError(missing[0])
    programme = None
    try:
        programme = load_programme(chips, roots)
    except InputError as error:
        missing.append(str(error))
    missing += [
        f"{name} has no record and is left out of the projection; run kcloud-cosim records --chips {name} --write"
        for name in left_out(chips, roots)
    ]
    missing += stale(programme, found.values(), chips) if programme else []
    source = found["rtl"] or found["model"]
    assert source is not None
    energies: list[tuple[str, Energy]] = []
    random = random_reference(chip_name, roots)
    if chip.machine is not None and source.result.counts:
        energies, notices = chip.kind.door("prices").prices(chip_name, chip.machine, source.result, random)
        missing += notices
    figures = run_figures(
        found["rtl"],
        found["model"],
        chip.cells,
        [(name, priced.table) for name, priced in energies],
        random,
        clock=chip.clock,
        multipliers=chip.macs_per_cycle * chip.devices,
    )
    projection = Projection(title="report", figures=(*figures, *(programme.projection.figures if programme else ())))
    return Summary(
        chip_name=chip_name,
        chip=chip,
        workload=workload,
        seed=seed,
        rtl=found["rtl"],
        model=found["model"],
        tests=read_tests(build, chip_name, workload, seed),
        energies=tuple(energies),
        points=utilisation_points(chip_name, chip, roots),
        programme=programme,
        projection=projection,
        ranges=ranges_of(projection),
        missing=tuple(missing),
        folder=folder or build / "report" / chip_name / f"{workload}.{seed}",
    )
