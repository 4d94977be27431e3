"""The one `Summary` everything renders: what was built, run, counted, priced and projected."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from hw.spec.chip import Chip
from hw.spec.error import InputError
from model import energy, record
from model.energy.price import Energy, Interval
from model.projection import scenarios
from model.projection.programme import Programme, project
from model.record import Measurement

ROOTS = (record.RECORDS, Path("measurements"))
"""Where records are looked for: fresh ones first, then the committed ones."""

TABLES = ("tpuv4i_7nm", "horowitz_45nm")
"""The energy tables a run is priced by; the first one feeds the projection."""

NETWORK = ("furiosa_warboy", "resnet50", 1)
"""Chip, workload and seed of the model record of the network the sites run."""

LANGUAGE, CURVE, PIMS = "llama31_8b_decode", "llama31_8b_batches", ("", "hbm_pim", "aim")
"""Records of the chip model: the language service; decode rates against the batch, without and with PIM memories."""

NEEDED = (
    *(("gwangju.tokens_per_s", card, LANGUAGE) for card in (
        "sapeon_x330_compact", "rebellions_atom", "furiosa_warboy")),
    ("card.sapeon_x330_compact.images_per_s", "sapeon_x330_compact", f"{NETWORK[1]}_offline"),
    ("stage.1_furiosa_rngd_batch_16.tokens_per_s", "furiosa_rngd", LANGUAGE),
    *((f"stage.2_{pim}_batch_1.tokens_per_s", "furiosa_rngd", f"{CURVE}_{pim}") for pim in PIMS if pim),
    ("stage.gpu_batch_16.tokens_per_s", "nvidia_h100_sxm", LANGUAGE),
)
"""Figure, chip and workload of the records without which a figure would lose its origin."""

TASK = ("npu_16", "digits", 1)
"""Chip, workload and seed of the RTL record whose counts price a MAC."""

SAMPLES, SAMPLE_SEED = 10_000, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tests:
    """Outcome of the test cases found in JUnit files."""

    passed: int
    failed: tuple[str, ...]
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Utilisation of one GEMM: `macs` multiply-accumulates in `cycles` on `cells` cells, by one witness."""

    label: str
    macs: int
    cycles: int
    cells: int
    witness: str

    @property
    def size(self) -> float:
        """Edge of the cube with as many MACs: M = N = K of a square GEMM."""
        return self.macs ** (1 / 3)

    @property
    def utilisation(self) -> float:
        """MACs done over MACs the cells could have done."""
        return self.macs / (self.cycles * self.cells)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A projected figure: its bounds, and the middle 90 % of the samples."""

    name: str
    unit: str
    note: str
    bounds: Interval
    p5: float
    p95: float
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """All a report says. `missing` holds one sentence for everything that is not there, with what makes it."""

    chip_name: str
    chip: Chip
    workload: str
    seed: int
    rtl: Measurement | None
    model: Measurement | None
    tests: Tests | None
    energies: tuple[Energy, ...]
    points: tuple[Point, ...]
    programme: Programme | None
    ranges: Mapping[str, Range] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    folder: Path = Path("build/report")

    @property
    def record(self) -> Measurement | None:
        """The record the run's figures come from: the RTL's if there is one, else the model's."""
        return self.rtl or self.model

    @property
    def cells(self) -> int | None:
        """MAC cells of the chip's core, all cores together; None if the chip has no core."""
        return self.chip.core.array.cells * self.chip.cores if self.chip.core else None


def locate(chip: str, workload: str, seed: int, witness: str, roots: Sequence[Path] = ROOTS) -> Measurement:
    """The record of a run in the first root that has it; `InputError` naming the command that writes it."""
    for root in roots:
        if record.path_of(chip, workload, seed, witness, root).exists():
            return record.find(chip, workload, seed, witness, root)
    return record.find(chip, workload, seed, witness, roots[0])


def load_programme(chips: Mapping[str, Chip], roots: Sequence[Path] = ROOTS) -> Programme:
    """The projection of all sites from the records below `roots`; `InputError` naming site and record if one lacks.

    `chips` holds the chips of `TASK`, `NETWORK` and all cards. Cards with a model record of the network are bounded
    by it, the others by their nominal peak.
    """
    measurements = []
    for (chip, workload, seed), witness in ((TASK, "rtl"), (NETWORK, "model")):
        try:
            measurements.append(locate(chip, workload, seed, witness, roots))
        except InputError as error:
            sites = " and ".join(scenarios.names())
            raise InputError(f"the projection of {sites} cannot be made: {error}") from None
    for what, chip, workload in NEEDED:
        if not any(record.path_of(chip, workload, NETWORK[2], "model", root).exists() for root in roots):
            path = record.path_of(chip, workload, NETWORK[2], "model", roots[-1])
            raise InputError(f"{what} cannot be projected: there is no record {path}; "
                             f"run python -m model records --chips {chip}")
    sites = {name: scenarios.load(name) for name in scenarios.names()}
    cards = {share.card for site in sites.values() for share in site.shares} - {NETWORK[0]}
    further = {
        card: locate(card, *NETWORK[1:], "model", roots) for card in sorted(cards)
        if any(record.path_of(card, *NETWORK[1:], "model", root).exists() for root in roots)
    }
    return project(
        core_record=measurements[0], random_record=random_reference(TASK[0], roots),
        network_record=measurements[1], card_records=further, chips=chips, table_name=TABLES[0],
        language_records=of_all_chips(chips, LANGUAGE, roots),
        offline_records=of_all_chips(chips, f"{NETWORK[1]}_offline", roots),
        curve_records={
            (name, pim): record for pim in PIMS
            for name, record in of_all_chips(chips, f"{CURVE}_{pim}" if pim else CURVE, roots).items()
        },
        compose=partial(energy.table_for, TABLES[0]), scenarios=sites,
    )


def of_all_chips(chips: Mapping[str, Chip], workload: str, roots: Sequence[Path]) -> dict[str, Measurement]:
    """The model records of one workload that there are, by chip."""
    return {
        name: locate(name, workload, NETWORK[2], "model", roots) for name in chips
        if any(record.path_of(name, workload, NETWORK[2], "model", root).exists() for root in roots)
    }


def stale(
    programme: Programme, run: Iterable[Measurement | None], chips: Mapping[str, Chip]
) -> list[str]:
    """One sentence naming the records, of the run or below the projection, whose chip has been changed since."""
    used = {m.result.run: m.result for m in run if m is not None}
    for figure in programme.projection.figures:
        for leaf in figure.leaves():
            if leaf.record is not None:
                result = leaf.record.measurement.result
                used[result.run] = result
    old = [
        name for name, result in sorted(used.items())
        if result.chip in chips and chips[result.chip].digest != result.chip_digest
    ]
    return [f"made from an earlier description of their chips, to be run again: {', '.join(old)}"] if old else []


def ranges_of(programme: Programme) -> dict[str, Range]:
    """Every named figure with bounds and the middle 90 % of `SAMPLES` samples."""
    projection = programme.projection
    samples = projection.samples(SAMPLES, SAMPLE_SEED)
    result = {}
    for figure, bounds in zip(projection.figures, projection.intervals(), strict=True):
        p5, p95 = np.percentile(samples[figure.name], (5, 95))
        result[figure.name] = Range(
            name=figure.name, unit=figure.unit, note=figure.note, bounds=bounds, p5=float(p5), p95=float(p95),
            confidence=figure.confidence,
        )
    return result


def summarise(
    chip_name: str, chip: Chip, workload: str, seed: int, chips: Mapping[str, Chip], *,
    roots: Sequence[Path] = ROOTS, build: Path = Path("build"), folder: Path | None = None,
) -> Summary:
    """Gather everything about one run; what is missing is said, only a run without any record is an error."""
    missing: list[str] = []
    found: dict[str, Measurement | None] = {}
    for witness in ("rtl", "model"):
        try:
            found[witness] = locate(chip_name, workload, seed, witness, roots)
        except InputError as error:
            if not str(error).startswith("there is no record"):
                raise
            found[witness] = None
            missing.append(str(error))
    if found["rtl"] is None and found["model"] is None:
        raise InputError(missing[0])
    programme = None
    try:
        programme = load_programme(chips, roots)
    except InputError as error:
        missing.append(str(error))
    missing += stale(programme, found.values(), chips) if programme else []
    source = found["rtl"] or found["model"]
    assert source is not None
    energies = []
    if chip.core is not None and source.result.counts:
        random = random_reference(chip_name, roots)
        for name in TABLES:
            energies.append(energy.price(
                source.result.counts, energy.table_for(name, chip.core), toggles=source.result.toggles,
                reference=(random.result.counts, random.result.toggles) if random else None,
            ))
        at_gates, notices = energy.measured_for(chip_name, chip.core)
        energies += [energy.price(source.result.counts, table, cycles=source.result.cycles) for table in at_gates]
        missing += notices
    return Summary(
        chip_name=chip_name, chip=chip, workload=workload, seed=seed, rtl=found["rtl"], model=found["model"],
        tests=read_tests(build), energies=tuple(energies), points=utilisation_points(chip_name, chip, roots),
        programme=programme, ranges=ranges_of(programme) if programme else {}, missing=tuple(missing),
        folder=folder or build / "report" / chip_name / f"{workload}.{seed}",
    )


def random_reference(chip_name: str, roots: Sequence[Path] = ROOTS) -> Measurement | None:
    """The record of the largest RTL run on uniformly random operands, for which published energies hold.

    The GEMM workloads are such runs; None if none was recorded with toggles.
    """
    paths = [path for root in roots for path in sorted((Path(root) / chip_name).glob("gemm_*.rtl.json"))]
    usable = [m for m in map(record.read, paths) if m.result.toggles and m.result.verdict == "pass"]
    return max(usable, key=lambda m: (m.result.counts.get("mac_array.mac", 0), m.result.run), default=None)


def read_tests(build: Path) -> Tests | None:
    """Test cases of the JUnit files in `build/junit`; None if there are none. A damaged file counts as a failure."""
    folder = build / "junit"
    passed, failed, files = 0, [], sorted(folder.glob("**/*.xml"))
    for file in files:
        try:
            cases = list(ElementTree.parse(file).iter("testcase"))
        except ElementTree.ParseError:
            failed.append(f"{file} is not complete")
            continue
        for case in cases:
            if case.find("failure") is not None or case.find("error") is not None:
                failed.append(f"{case.get('classname', '')}.{case.get('name', '')}")
            elif case.find("skipped") is None:
                passed += 1
    return Tests(passed=passed, failed=tuple(failed), folder=folder) if files else None


def utilisation_points(chip_name: str, chip: Chip, roots: Sequence[Path] = ROOTS) -> tuple[Point, ...]:
    """Utilisation of every GEMM workload recorded for the chip, fresh records before committed ones."""
    if chip.core is None:
        return ()
    seen: set[str] = set()
    points: dict[tuple[str, str, int], Point] = {}
    for root in roots:
        for path in sorted((Path(root) / chip_name).glob("gemm_*.json")):
            if path.name in seen:
                continue
            seen.add(path.name)
            result = record.read(path).result
            if result.verdict == "pass":
                for label, macs, cycles in _gemms(result):
                    points.setdefault((result.witness, label, macs), Point(
                        label=label, macs=macs, cycles=cycles, cells=chip.core.array.cells, witness=result.witness
                    ))
    return tuple(sorted(points.values(), key=lambda p: (p.macs, p.witness, p.label)))


def _gemms(result: record.Result) -> list[tuple[str, int, int]]:
    """Name, MACs and cycles of each GEMM: the layers, or the whole run if it was a single one."""
    if result.layers:
        return [(f"{result.workload}/{layer['name']}", layer["macs"], layer["cycles"])
                for layer in result.layers if layer["macs"] and layer["cycles"]]
    macs = int(result.figures.get("macs", 0))
    return [(result.workload, macs, result.cycles)] if macs and result.cycles else []
