"""One simulation: a built simulator, a module of cocotb tests, a seed; what came of it.

The only caller of cocotb's runner. The runner returns quietly when a test fails, so the JUnit file is read here,
and a missing or empty one is a failure too.
"""

import functools
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cocotb_tools.config
from cocotb_tools.runner import get_runner

from hw.base.error import InputError
from hw.base.file import put_in_place
from tb.bench.build import BUILD, ROOT, Built
from tb.bench.claim import alone, claim, clean

# Settings a surrounding make, pytest or shell may hold, which would change what the runner does.
_FOREIGN = (
    "WAVES",
    "GUI",
    "PYTEST_CURRENT_TEST",
    "COCOTB_TEST_FILTER",
    "COCOTB_TESTCASE",
    "COCOTB_RANDOM_SEED",
    "MAKEFLAGS",
    "COCOTB_TRUST_INERTIAL_WRITES",
    "GPI_USERS",
    "COCOTB_RESULTS_ATTACHMENTS",
)
_TRACE_FILES = {"none": None, "fst": "dump.fst", "saif": "dump.saif"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TestOutcome:
    """One cocotb test that ran.

    Parameters
    ----------
    name : str
        Name of the test function, as in the JUnit file; "?" if that gives none.
    passed : bool
        The JUnit file notes neither a failure nor an error for it.
    simulated_ns : float
        Simulated time of the test in nanoseconds; 0 if the file does not say.
    seconds : float
        Wall time of the test; 0 if the file does not say.
    message : str
        Text of the failure, "" if the test passed.
    """

    __test__ = False  # not a test case for pytest

    name: str
    passed: bool
    simulated_ns: float
    seconds: float
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a simulation.

    Parameters
    ----------
    passed : bool
        At least one test ran and none failed.
    failure : str or None
        One sentence, with the test's name.
    tests : tuple of TestOutcome
        Those that ran, in the order of the JUnit file, skipped ones left out; empty if there is no such file.
    data : dict
        What the tests handed out with `Bench.report`.
    folder : Path
        Where the run's files are left; holds the three below.
    junit : Path
        The JUnit file; missing if the simulator ended before it was written.
    log : Path
        What the simulator printed.
    trace : Path or None
        The waveform or activity file, if the build has one.
    seconds : float
        Wall time of the simulator process.
    reproduce : str
        The command that repeats this simulation.
    """

    passed: bool
    failure: str | None
    tests: tuple[TestOutcome, ...]
    data: dict[str, Any]
    folder: Path
    junit: Path
    log: Path
    trace: Path | None
    seconds: float
    reproduce: str

    def explain(self) -> str:
        """The failure, where its log is and how to see and repeat it; "" if it passed.

        The end of the log comes along only if no test said what is wrong.
        """
        if self.passed:
            return ""
        lines = [f"failed: {self.failure}", f"log:    {self.log}"]
        if self.reproduce.startswith("make sim"):
            lines.append(f"see:    {self.reproduce.replace('make sim', 'make waves', 1)}")
        lines.append(f"again:  {self.reproduce}")
        if all(test.passed for test in self.tests) and self.log.is_file():
            lines = [*self.log.read_text(errors="replace").splitlines()[-25:], "", *lines]
        return "\n".join(lines)


def run(
    built: Built,
    test_module: str,
    *,
    seed: int = 1,
    parameters: Mapping[str, Any] | None = None,
    tests: tuple[str, ...] = (),
    run_dir: Path | None = None,
    timeout_s: int = 900,
    reproduce: str = "",
    pattern: str | None = None,
) -> Outcome:
    """Run the cocotb tests of `test_module` (e.g. "tb.npu.core_tests") on `built`.

    Parameters
    ----------
    built : Built
    test_module : str
    seed : int
        cocotb's seed and `Bench.rng`'s.
    parameters : mapping
        JSON data the tests see as `Bench.parameters`.
    tests : tuple of str
        Names of the tests to run; all if empty.
    run_dir : Path or None
        Folder the run's files are left in; `build/runs/<module>.<key>.<seed>` if None. Replaced when the run
        has ended, so a stopped run leaves the former one.
    timeout_s : int
        Wall time after which the simulator is ended and the run has failed.
    reproduce : str
        Command line that repeats the run; a `python -m tb` one is made up if empty.
    pattern : str or None
        Regular expression of the names of the tests to run, as cocotb's COCOTB_TEST_FILTER; not with `tests`.
    """
    if run_dir is None:
        run_dir = BUILD / "runs" / f"{test_module}.{built.key}.{seed}"
    run_dir = run_dir.resolve()
    reproduce = reproduce or f"make sim BENCH={test_module.rpartition('.')[2].removesuffix('_tests')} SEED={seed}"
    try:
        run_dir.parent.mkdir(parents=True, exist_ok=True)
        clean(run_dir.parent, ".running-")
        work = Path(tempfile.mkdtemp(dir=run_dir.parent, prefix=".running-"))
    except OSError as error:
        raise InputError(
            f"the folder {run_dir.parent} must be writable, it is not ({error.strerror}); free space or change rights"
        ) from error
    start = time.monotonic()
    kept = claim(work)
    try:
        (work / "parameters.json").write_text(json.dumps(dict(parameters or {})))
        with _environment(timeout_s):
            runner = get_runner(built.simulator)
            runner.log.disabled = True
            traced = built.trace != "none"
            try:
                runner.test(
                    test_module=test_module,
                    hdl_toplevel=built.emitted.name,
                    hdl_toplevel_lang="verilog",
                    seed=seed,
                    build_dir=built.folder,
                    test_dir=work,
                    results_xml=str(work / "results.xml"),
                    log_file=str(work / "log"),
                    waves=traced,
                    plusargs=["+verilator+rand+reset+2", f"+verilator+seed+{seed}"] if built.random_start else [],
                    test_filter=r"\.(" + "|".join(tests) + ")$" if tests else pattern,
                    extra_env={
                        "KCLOUD_PARAMETERS": str(work / "parameters.json"),
                        "KCLOUD_DATA": str(work / "data.json"),
                        "KCLOUD_RANDOM_START": str(int(built.random_start)),
                        "COCOTB_ANSI_OUTPUT": "0",
                        "COCOTB_RESULTS_ATTACHMENTS": str(run_dir / "log"),
                        "COCOTB_REWRITE_ASSERTION_FILES": _rewritten(),
                        "LD_LIBRARY_PATH": _libraries(),
                    },
                )
                code = 0
            except RuntimeError as error:  # the simulator's exit code; what it means is in the results
                code = int(str(error).rpartition(" ")[2])
        seconds = time.monotonic() - start
        found = _read_results(work / "results.xml")
        passed, failure = _judge(found, code, timeout_s)
        data = json.loads((work / "data.json").read_text()) if (work / "data.json").is_file() else {}
        _install(work, run_dir)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        kept.close()
    trace = _TRACE_FILES[built.trace]
    return Outcome(
        passed=passed,
        failure=failure,
        tests=found,
        data=data,
        folder=run_dir,
        junit=run_dir / "results.xml",
        log=run_dir / "log",
        trace=run_dir / trace if trace else None,
        seconds=seconds,
        reproduce=reproduce,
    )


@functools.cache
def _rewritten() -> str:
    """The files whose assertions cocotb makes speak: ours. The hundreds of libraries' cost seconds in every run."""
    return " ".join(sorted({path.name for path in (ROOT / "tb").rglob("*.py")} - {"__init__.py", "__main__.py"}))


def _libraries() -> str:
    """Where the simulator finds cocotb: said when it starts, so that it holds no path of this checkout."""
    return os.pathsep.join(filter(None, (str(cocotb_tools.config.libs_dir), os.environ.get("LD_LIBRARY_PATH"))))


def _read_results(path: Path) -> tuple[TestOutcome, ...]:
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError):
        return ()
    found = []
    for case in root.iter("testcase"):
        if case.find("skipped") is not None:
            continue
        fault = case.find("failure") if case.find("failure") is not None else case.find("error")
        message = "" if fault is None else (fault.get("error_msg") or fault.get("message") or fault.text or "failed")
        found.append(
            TestOutcome(
                name=case.get("name", "?"),
                passed=fault is None,
                message=message.strip(),
                simulated_ns=_property(case, "sim_time_duration"),
                seconds=float(case.get("time", 0)),
            )
        )
    return tuple(found)


def _property(case: ElementTree.Element, name: str) -> float:
    values = [p.get("value", "0") for p in case.iter("property") if p.get("name") == name]
    return float(values[0]) if values else 0.0


def _judge(found: tuple[TestOutcome, ...], code: int, timeout_s: int) -> tuple[bool, str | None]:
    if code in (124, 137):  # of `timeout`
        return False, f"the simulator was ended after {timeout_s} s"
    for test in found:
        if not test.passed:
            return False, f"{test.name}: {test.message}"
    if not found:
        return False, f"the simulator ended with code {code} before any test ran"
    if code != 0:
        return False, f"the simulator ended with code {code}"
    return True, None


def _install(work: Path, run_dir: Path) -> None:
    """Put the run's folder in its place; of two runs that end at once the later one stays."""
    work.chmod(0o755)
    with alone(run_dir.parent / f".{run_dir.name}.lock"):
        put_in_place(work, run_dir)


@contextmanager
def _environment(timeout_s: int) -> Iterator[None]:
    """The surroundings of the runner: no foreign settings, our packages importable inside, a time limit."""
    kept = {name: os.environ.pop(name) for name in _FOREIGN if name in os.environ}
    path = list(sys.path)
    # PYTHONPATH inside the simulator is our sys.path
    sys.path.insert(0, str(ROOT))
    # setpriv ends `timeout` if we are killed, and the simulator if `timeout` is, as happens on Ctrl-C
    os.environ["SIM_CMD_PREFIX"] = (
        f"setpriv --pdeathsig TERM timeout --kill-after=5 {timeout_s} setpriv --pdeathsig KILL"
    )
    try:
        yield
    finally:
        sys.path[:] = path
        del os.environ["SIM_CMD_PREFIX"]
        os.environ.update(kept)
