"""A chip, a workload and a seed to a measurement: emit, build, simulate, read what the bench reported."""

import json
import shlex
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from hw import chips
from hw.base.error import InputError
from hw.base.file import write_atomically
from hw.base.own_file import typed
from model import workloads
from model.count import Counts
from model.record import Measurement, Origin, Result, current_commit
from tb.bench import design, junit
from tb.bench.activity import toggles
from tb.bench.build import BUILD, Built, Trace, build
from tb.bench.claim import alone
from tb.bench.run import Outcome, run

ACTIVITY_CYCLES = 100_000
"""Up to this many cycles the run is repeated with activity recorded: that runs 100 times as slowly."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One simulation: a bench on a chip, with a workload and a seed.

    Parameters
    ----------
    bench : str
        Name of the bench, as `tb.bench.design.load` takes it.
    chip : str
        Name of the chip, as `hw.chips.load` takes it.
    workload : str
        Name of the workload, as `model.workloads.load` takes it; "" if the bench runs none.
    seed : int
        Seed of cocotb and of the bench's random numbers, 0 to 2**31 - 1.
    tests : str
        Regular expression of the names of the tests to run, "" for all; with one set no record is made.
    """

    bench: str
    chip: str
    workload: str = ""
    seed: int = 1
    tests: str = ""

    def __post_init__(self) -> None:
        bench = design.load(self.bench)
        chip = chips.load(self.chip)
        if not 0 <= self.seed < 1 << 31:
            raise InputError(f"the seed must be from 0 to {(1 << 31) - 1}, not {self.seed}; choose another")
        if design.measures(bench):
            bench.check(chip, workloads.load(self.workload), self.seed)

    @property
    def name(self) -> str:
        """One word per part; names files."""
        return ".".join(str(part) for part in (self.bench, self.chip, self.workload, self.seed) if part != "")

    @property
    def command(self) -> str:
        """The line that repeats it."""
        workload = f" WORKLOAD={self.workload}" if self.workload else ""
        chosen = f" COCOTB_TEST_FILTER={shlex.quote(self.tests)}" if self.tests else ""
        return f"make sim CHIP={typed('chip', self.chip)}{workload} BENCH={self.bench} SEED={self.seed}{chosen}"


def prepare(case: Case, trace: Trace = "none", say: Say = lambda line: None) -> Built:
    """The simulator of a case."""
    bench = design.load(case.bench)
    emitted = design.design(case.bench, case.chip)
    instances = emitted.manifest["instances"]
    say(
        f"rtl     {emitted.name}: Verilog {emitted.digest}, {len(instances)} instances of "
        f"{len(set(instances.values()))} modules"
    )
    watched = [f"{emitted.name}.dut.{path}" for path in getattr(bench, "WATCHED", ())]
    built = build(emitted, trace, design.published(bench, emitted), watched=watched)
    kind = "" if trace == "none" else f" with {trace.upper()}"
    say(f"build   simulator{kind} {built.key}: " + ("from the cache" if built.cached else f"{built.seconds:.1f} s"))
    return built


def simulate(case: Case, built: Built) -> Outcome:
    """Run a case; its files are in `build/runs/<case>.<trace>`, its JUnit file in `build/junit/<case>.xml`."""
    outcome = run(
        built,
        design.module_name(case.bench),
        seed=case.seed,
        parameters={"chip": case.chip, "workload": case.workload},
        run_dir=BUILD / "runs" / f"{case.name}.{built.trace}",
        timeout_s=getattr(design.load(case.bench), "TIMEOUT_S", 1800),
        reproduce=case.command,
        pattern=case.tests or None,
    )
    if built.trace != "saif" and outcome.junit.is_file():
        junit.install(outcome.junit, BUILD / "junit" / f"{case.name}.xml", case.name)
    return outcome


def measure(
    case: Case, say: Say = lambda line: None, *, trace: Trace = "none", activity: bool = True
) -> tuple[Measurement | None, Outcome]:
    """Simulate a case; the measurement is None if its bench runs no workload or handed nothing out.

    With `activity`, a short run that passed is repeated on a build that counts toggles, if the bench names
    components; its counts must be equal. Two processes run one case one after the other: they share its folder.
    """
    built = prepare(case, trace, say)
    with one_at_a_time(case, say):
        measured, outcome = _measure(case, built, say, activity)
        finish = getattr(design.load(case.bench), "finish", None)
        if finish is not None and measured is not None and outcome.passed:
            say(f"record  {shown(finish(case, built, outcome))}")
        return measured, outcome


def measure_all(
    cases: list[Case], say: Say, *, trace: Trace = "none", activity: bool = True
) -> list[tuple[Measurement | None, Outcome]]:
    """`measure` of cases that share a simulator, two at a time in processes of their own if there are several."""
    if len(cases) == 1:
        return [measure(cases[0], say, trace=trace, activity=activity)]
    prepare(cases[0], trace, say)  # built once, before
    say(f"run     {' and '.join(case.name for case in cases)} side by side")
    with ProcessPoolExecutor(max_workers=min(2, len(cases)), mp_context=get_context("spawn")) as pool:
        return list(pool.map(partial(measure, say=say, trace=trace, activity=activity), cases))


def one_at_a_time(case: Case, say: Say) -> AbstractContextManager[None]:
    """Holds the folder of a case's files against other processes."""
    return alone(BUILD / "runs" / f".{case.name}.lock", lambda: say(f"wait    {case.name} runs already, it ends first"))


def _measure(case: Case, built: Built, say: Say, activity: bool) -> tuple[Measurement | None, Outcome]:
    say(f"run     {case.name}")
    outcome = simulate(case, built)
    data = outcome.data
    for test in outcome.tests:
        say(f"        {'pass' if test.passed else 'FAIL'}  {test.name}  ({test.seconds:.1f} s)")
    if case.tests or not design.measures(design.load(case.bench)) or "cycles" not in data:
        return None, outcome
    switched: dict[str, int] = {}
    components = getattr(design.load(case.bench), "COMPONENTS", {})
    if activity and components and outcome.passed and data["simulated_cycles"] <= ACTIVITY_CYCLES:
        again = prepare(case, "saif", say)
        say("run     the same, counting toggles")
        counted = simulate(case, again)
        if counted.data.get("counts") != data["counts"] or counted.trace is None:
            raise RuntimeError(f"the run that counts toggles differs: {counted.failure}\n{counted.explain()}")
        switched = toggles(counted.trace, again.emitted.manifest, components)
        write_atomically(BUILD / "runs" / f"{case.name}.toggles.json", json.dumps(switched, indent=1) + "\n")
        counted.trace.unlink(missing_ok=True)  # 5 MB and more; what it says is in the record
    chip, workload = chips.load(case.chip), workloads.load(case.workload)
    result = Result(
        chip=case.chip,
        chip_digest=chip.digest,
        workload=case.workload,
        workload_digest=workload.digest,
        witness="rtl",
        seed=case.seed,
        verdict="pass" if outcome.passed else "fail",
        failure=outcome.failure,
        cycles=data["cycles"],
        phases=data["phases"],
        counts=Counts(data["counts"]),
        toggles=switched,
        figures=data["figures"],
        layers=tuple(data["layers"]),
        answer=data.get("answer", {}),
    )
    origin = Origin(
        verilog_digest=built.emitted.digest, tools=built.tools, commit=current_commit(), command=case.command
    )
    return Measurement(result=result, origin=origin), outcome


def shown(path: Path) -> str:
    """`path` relative to where we are if below it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
