"""Plant each mistake in a copy of the checkout and run the tests that can notice it; several at once, resumable."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Queue
from threading import Lock

from hw.base.digest import digest
from hw.base.file import write_atomically
from tb.mutation.mutants import Mutant
from tb.mutation.related import Related

SLOW = 5.0
"""A test file that needs this many times the processor time it needs without a mistake, and `LEAST_SECONDS`, has
noticed it. Processor time, because a machine that is busy with other work would make false verdicts otherwise."""
LEAST_SECONDS = 60.0
UNKNOWN_SECONDS = 400.0
"""Limit of processor time while the usual time of a test file is not known."""
IDLE = 20.0
"""Wall time over the limit of processor time after which a test file hangs without computing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a mistake.

    Parameters
    ----------
    key : str
        Name of the mistake, `Mutant.key`.
    mutant : dict
        Its fields.
    killed_by : str or None
        The test file that noticed, with "(time)" if it did not end; None if none did.
    ran, related : int
        Test files that were run, and that reach the module.
    seconds : float
        Processor time of the tests until the verdict.
    """

    key: str
    mutant: dict
    killed_by: str | None
    ran: int
    related: int
    seconds: float

    @property
    def state(self) -> str:
        """killed, alive (all related tests ran) or unsure (the time was up before)."""
        if self.killed_by is not None:
            return "killed"
        return "alive" if self.ran == self.related else "unsure"


class Campaign:
    """Copies of a checkout below `work`, results in `work`/verdicts.

    Parameters
    ----------
    root : Path
        The checkout; tracked files are copied.
    work : Path
    seconds : float
        Processor time for the tests of one mistake.
    jobs : int
        Mistakes looked at in parallel.
    """

    def __init__(self, root: Path, work: Path, *, seconds: float, jobs: int) -> None:
        self.root, self.work, self.seconds = root, work, seconds
        self.related = Related(root)
        tests = {str(p.relative_to(root)): p.read_text() for p in sorted((root / "tests").rglob("*.py"))}
        self.tests_digest = digest(tests)
        self._lock = Lock()
        self._copies: Queue[Path] = Queue()
        self._processes: set[subprocess.Popen] = set()
        self._stopped = False
        for index in range(jobs):
            self._copies.put(self._copy(index))
        self.jobs = jobs

    def _copy(self, index: int | str) -> Path:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=self.root, capture_output=True, text=True, check=True
        ).stdout.split("\0")
        copy = self.work / f"copy_{index}"
        for name in filter(None, listed):
            source, target = self.root / name, copy / name
            if source.is_file() and not (target.is_file() and target.read_bytes() == source.read_bytes()):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
        for stale in set(copy.rglob("*.py")) - {copy / name for name in listed}:
            if "build" not in stale.relative_to(copy).parts:
                stale.unlink()
        return copy

    def run(self, mutants: Sequence[Mutant]) -> Iterator[Verdict]:
        """A verdict for each, known ones first, others as they come."""
        waiting = []
        for mutant in mutants:
            known = self._known(mutant)
            if known is None:
                waiting.append(mutant)
            else:
                yield known
        pool = ThreadPoolExecutor(self.jobs)
        try:
            for future in as_completed([pool.submit(self._try, mutant) for mutant in waiting]):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            self.stop()
            raise
        pool.shutdown()

    def stop(self) -> None:
        """End the tests that are running; their mistakes get no verdict."""
        self._stopped = True
        for process in list(self._processes):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)

    def _path(self, mutant: Mutant) -> Path:
        return self.work / "verdicts" / f"{mutant.key}.json"

    def _known(self, mutant: Mutant) -> Verdict | None:
        """A former verdict that still holds: one alive only while the tests are the same."""
        try:
            held = json.loads(self._path(mutant).read_text())
            tests = held.pop("tests")
            verdict = Verdict(**held)
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return verdict if verdict.state == "killed" or tests == self.tests_digest else None

    def _try(self, mutant: Mutant) -> Verdict:
        copy = self._copies.get()
        related = self.related.tests(mutant.path)
        ran, killed, spent = 0, None, 0.0
        try:
            mutant.plant(copy)
            for test in related:
                if spent > self.seconds:
                    break
                usual = self._usual(test)
                ran += 1
                limit = UNKNOWN_SECONDS if usual is None else max(LEAST_SECONDS, SLOW * usual)
                code, seconds = self._pytest(copy, test, limit)
                spent += seconds
                if code == 0:
                    continue
                if self._measured(test) is None:  # it fails without the mistake too, and so says nothing
                    continue
                killed = test if code is not None else f"{test} (time)"
                break
        finally:
            shutil.copyfile(self.root / mutant.path, copy / mutant.path)
            shutil.rmtree(copy / "build" / "runs", ignore_errors=True)
            self._copies.put(copy)
        verdict = Verdict(
            key=mutant.key, mutant=asdict(mutant), killed_by=killed, ran=ran, related=len(related),
            seconds=round(spent, 1),
        )  # fmt: skip
        write_atomically(
            self._path(mutant), json.dumps(asdict(verdict) | {"tests": self.tests_digest}, indent=1) + "\n"
        )
        return verdict

    def _usual_path(self, test: str) -> Path:
        return self.work / "usual" / f"{digest([test, self.tests_digest])}.json"

    def _usual(self, test: str) -> float | None:
        """Processor seconds of a test file without a mistake, None if it fails or was never measured."""
        path = self._usual_path(test)
        return json.loads(path.read_text()) if path.is_file() else None

    def _measured(self, test: str) -> float | None:
        """As `_usual`, measured if need be: only a test file that fails with a mistake is run without one."""
        with self._lock:
            if self._usual_path(test).is_file():
                return self._usual(test)
            code, seconds = self._pytest(self._copy("usual"), test, 900.0)
            found = seconds if code == 0 else None
            write_atomically(self._usual_path(test), json.dumps(found))
            return found

    def _pytest(self, copy: Path, test: str, limit: float) -> tuple[int | None, float]:
        """(pytest's exit code, processor seconds); 5, nothing collected, is 0 here; None if the time was up."""
        environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", test],
            cwd=copy,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._processes.add(process)
        started, spent = time.monotonic(), 0.0
        try:
            while process.poll() is None:
                spent = max(spent, _processor_seconds(process.pid))
                if spent > limit or time.monotonic() - started > IDLE * limit:
                    return None, spent
                time.sleep(0.1)
            if self._stopped:
                raise InterruptedError("the campaign was stopped")
            return (0 if process.returncode == 5 else process.returncode), spent
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            self._processes.discard(process)


def _processor_seconds(group: int) -> float:
    """User and system time of a process group so far, ended children included; 0 without /proc."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended between the listing and the reading
            continue
        if int(fields[2]) == group:
            ticks += sum(int(fields[i]) for i in range(11, 15))
    return ticks / os.sysconf("SC_CLK_TCK")


def summary(verdicts: Sequence[Verdict], reasons: dict[str, str], say: Callable[[str], None]) -> int:
    """Print the counts and every survivor with its reason; the number of survivors without one."""
    states = [verdict.state for verdict in verdicts]
    equivalent = sum(v.state == "alive" and reasons.get(v.key, "").startswith("equivalent") for v in verdicts)
    judged = len(states) - states.count("unsure") - equivalent
    killed = states.count("killed")
    say(
        f"mutants {len(states)}: {killed} killed, {states.count('alive')} alive ({equivalent} equivalent), "
        f"{states.count('unsure')} unsure (time was up)"
    )
    if judged:
        say(f"        {killed / judged:.1%} of those that are judged and not equivalent are killed")
    unknown = 0
    for verdict in verdicts:
        if verdict.state == "killed":
            continue
        m, reason = verdict.mutant, reasons.get(verdict.key, "")
        unknown += verdict.state == "alive" and not reason
        say(f"{verdict.state:7} {verdict.key} {m['path']}:{m['line']} {m['kind']}: {m['before']}  ->  {m['after']}")
        say(f"        {reason or f'no reason yet; {verdict.ran} of {verdict.related} test files ran'}")
    return unknown
