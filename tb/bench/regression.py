"""Many cases on both cores, resumable: what passed with an equal key is not run again.

The key of a case holds the key of its simulator, the case, and the sources of the testbench and the reference.
Each result is written, atomically, when its case ends; Ctrl-C loses the cases that were running and no other.
"""

import ctypes
import hashlib
import json
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path
from xml.etree import ElementTree

from hw import chips
from hw.base.error import InputError
from hw.base.file import write_atomically
from model import record, workloads
from tb.bench import design
from tb.bench.build import BUILD, ROOT
from tb.bench.measure import Case, measure, prepare

_PR_SET_PDEATHSIG = 1
_LAST_SECONDS = 3.0
"""A worker whose parent was killed has so long to clean up."""
LARGEST_CYCLES = 1_000_000
"""A matrix leaves out cases that need more cycles than this: they are run one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The result of a case.

    Parameters
    ----------
    case : Case
        What was run.
    key : str
        16 hex digits, digest of the simulator's key, the case's name and the sources; while it is equal the result
        holds.
    passed : bool
        At least one test ran and none failed.
    failure : str or None
        One sentence that says what failed; None if the case passed.
    seconds : float
        Wall time of the simulator process; of a resumed case, in the run it passed in.
    resumed : bool
        The case passed in a former run with the same key and was not run again.
    """

    case: Case
    key: str
    passed: bool
    failure: str | None
    seconds: float
    resumed: bool = False


def default_chips() -> list[str]:
    """The chips whose RTL is the whole chip, not one of many cores; others are run by name."""
    return [name for name, chip in chips.load_all()[0].items() if chip.cores == 1]


def matrix(
    benches: Iterable[str],
    chip_names: Iterable[str],
    workload_names: Iterable[str],
    seeds: Iterable[int],
    skip: Callable[[str], None] = lambda reason: None,
) -> list[Case]:
    """All cases that make sense, in order; `skip` is told why a combination does not."""
    cases = []
    seeds, workload_names = list(seeds), list(workload_names)
    for bench_name in benches:
        bench = design.load(bench_name)
        measures = design.measures(bench)
        for chip_name in chip_names:
            chip = chips.load(chip_name)
            if not design.suits(bench, chip):
                continue
            for workload_name in workload_names if measures else [""]:
                if workload_name:
                    workload = workloads.load(workload_name)
                    try:
                        bench.check(chip, workload, seeds[0])
                    except InputError as error:
                        skip(f"{workload_name} on {chip_name}: {error}")
                        continue
                    cells = chip.cells or 1
                    cycles = sum(gemm.macs for gemm in workload.gemms()) // cells
                    if cycles > LARGEST_CYCLES:
                        skip(f"{workload_name} on {chip_name}: over {LARGEST_CYCLES:,} cycles, run it with make sim")
                        continue
                cases += [Case(bench=bench_name, chip=chip_name, workload=workload_name, seed=seed) for seed in seeds]
    return cases


def regress(cases: list[Case], say: Callable[[str], None], processes: int = 2) -> list[Finished]:
    """Run `cases`; the simulators are built first, one after the other (a build uses both cores)."""
    keys: dict[tuple[str, str], str] = {}
    for case in cases:
        if (case.bench, case.chip) not in keys:
            keys[case.bench, case.chip] = prepare(case, say=say).key
    sources = _source_digest()
    finished: list[Finished] = []
    to_run: list[tuple[Case, str]] = []
    for case in cases:
        key = hashlib.sha256(f"{keys[case.bench, case.chip]} {case.name} {sources}".encode()).hexdigest()[:16]
        known = _read(case, key)
        if known is None:
            to_run.append((case, key))
        else:
            finished.append(known)
    if finished:
        say(f"resume  {len(finished)} of {len(cases)} cases passed before with the same key")
    for result in _run_all(to_run, processes):
        finished.append(result)
        state = "pass" if result.passed else "FAIL"
        say(f"        {state}  {result.case.name}  ({result.seconds:.1f} s)  [{len(finished)}/{len(cases)}]")
        if not result.passed:
            say(f"        {result.failure}\n        again: {result.case.command}")
    order = {case: index for index, case in enumerate(cases)}
    return sorted(finished, key=lambda result: order[result.case])


def _run_all(to_run: list[tuple[Case, str]], processes: int) -> Iterator[Finished]:
    # Ctrl-C is ours to handle: workers are told to stop, each removes what it has half written.
    pool = ProcessPoolExecutor(max_workers=processes, initializer=_start_worker)
    waiting: set[Future[Finished]] = set()
    try:
        waiting = {pool.submit(_run_case, case, key) for case, key in to_run}
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    except BaseException:
        workers = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            os.kill(worker.pid or 0, signal.SIGTERM)
        for worker in workers:
            worker.join()
        raise
    pool.shutdown()


def end_with_parent() -> None:
    """Have the kernel send this process SIGTERM when its parent ends, however it ends (Linux)."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _start_worker() -> None:
    parent = os.getppid()

    def stop(number: int, frame: object) -> None:
        if os.getppid() != parent:  # nobody is left to tell us to end when what we do is cleaned up
            signal.setitimer(signal.ITIMER_REAL, _LAST_SECONDS)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stop)
    end_with_parent()


def _run_case(case: Case, key: str) -> Finished:
    measurement, outcome = measure(case, activity=False)
    if measurement is not None:
        record.write(measurement, root=BUILD / "regress" / "records")
    result = Finished(
        case=case, key=key, passed=outcome.passed, failure=outcome.failure, seconds=round(outcome.seconds, 2)
    )
    write_atomically(_path(case), json.dumps(asdict(result), indent=1) + "\n")
    return result


def _path(case: Case) -> Path:
    return BUILD / "regress" / f"{case.name}.json"


def _read(case: Case, key: str) -> Finished | None:
    try:
        held = json.loads(_path(case).read_text())
        if held["key"] != key or not held["passed"] or not _junit(case).is_file():
            return None
        return Finished(case=case, key=key, passed=True, failure=None, seconds=held["seconds"], resumed=True)
    except (OSError, ValueError, KeyError):
        return None


def _junit(case: Case) -> Path:
    return BUILD / "junit" / f"{case.name}.xml"


def write_junit(finished: list[Finished], path: Path) -> Path:
    """All cases in one JUnit file, a suite each, outside the folder that holds them one by one."""
    root = ElementTree.Element("testsuites", name="regression")
    for result in finished:
        name = result.case.name
        try:
            suites = ElementTree.parse(_junit(result.case)).getroot().findall("testsuite")
        except (OSError, ElementTree.ParseError):
            suites = []
        if not suites:
            suite = ElementTree.SubElement(root, "testsuite", name=name, tests="1", failures="1", errors="0")
            test = ElementTree.SubElement(suite, "testcase", classname=name, name="simulation")
            ElementTree.SubElement(test, "failure", message=result.failure or "no results")
        for suite in suites:
            root.append(suite)
    write_atomically(path, ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n")
    return path


def _source_digest() -> str:
    digest = hashlib.sha256()
    files = [*(ROOT / "tb").rglob("*.py"), *(ROOT / "model").rglob("*.py"), *(ROOT / "hw" / "spec").rglob("*.py")]
    for path in sorted(files):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
