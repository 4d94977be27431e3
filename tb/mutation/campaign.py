"""Plant each mistake in a copy of the checkout and run the tests that come by it; several at once, resumable."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from queue import Queue
from typing import TypeVar

from hw.base.file import write_atomically
from tb.mutation import probe
from tb.mutation.mutants import Mutant
from tb.mutation.reach import Reach, outcomes

SLOW = 5.0
"""Tests that need this many times the time they need without a mistake, and `LEAST_SECONDS`, have noticed it. Processor
time, because a machine that is busy with other work would make false verdicts otherwise."""
LEAST_SECONDS = 30.0
BUILD_SECONDS = 240.0
"""More for a mistake in the RTL: simulators are built again."""
IDLE = 20.0
"""Wall time over the limit of processor time after which tests hang without computing."""
MEMORY_BYTES = 4 << 30
"""Writable private memory (RLIMIT_DATA) of each process of the tests: several times what a test, a compiler or a
simulator needs, and so little that a loop that a mistake makes endless fails for want of memory before the machine
does. Address space alone is not limited, because Yosys as WebAssembly and browsers reserve far more than they use."""
Result = TypeVar("Result")


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
        The test that noticed, with "(time)" if it did not end; None if none did.
    ran, reached : int
        Tests that were run, and that come by the mistake.
    seconds : float
        Processor time of the tests until the verdict.
    passed : dict of str to str
        Test that did not notice -> digest of its file.
    """

    key: str
    mutant: dict
    killed_by: str | None
    ran: int
    reached: int
    seconds: float
    passed: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """killed, alive (all tests that come by it ran) or unsure (the time was up before)."""
        if self.killed_by is not None:
            return "killed"
        return "alive" if self.ran == self.reached else "unsure"


class Campaign:
    """Copies of a checkout below `work`, results in `work`/verdicts.

    Parameters
    ----------
    root : Path
        The checkout; tracked files are copied.
    work : Path
    mutants : sequence of Mutant
        The mistakes.
    seconds : float
        Processor time for the tests of one mistake.
    jobs : int
        Mistakes looked at in parallel.
    equivalent : collection of str
        Keys of mistakes that nobody could see: once they have survived a batch of tests, no more are run.
    """

    def __init__(
        self,
        root: Path,
        work: Path,
        mutants: Sequence[Mutant],
        *,
        seconds: float,
        jobs: int,
        equivalent: Collection[str] = (),
    ) -> None:
        self.work, self.seconds, self.equivalent = work, seconds, equivalent
        self.mutants = list(mutants)
        self._listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True
        ).stdout.split("\0")
        self.root = root
        self.root = self._copy("source")  # of this moment: the checkout may be worked in while the campaign runs
        self.reach = Reach(self.root, work, mutants)
        self._processes: set[subprocess.Popen] = set()
        self._stopped = False
        self._copies: Queue[Path] = Queue()
        self.jobs = jobs

    def _copy(self, index: int | str) -> Path:
        copy = self.work / ("source" if index == "source" else f"copy_{index}")
        for name in filter(None, self._listed):
            source, target = self.root / name, copy / name
            if source.is_file() and not (target.is_file() and target.read_bytes() == source.read_bytes()):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
                shutil.copymode(source, target)
        for stale in set(copy.rglob("*.py")) - {copy / name for name in self._listed}:
            if "build" not in stale.relative_to(copy).parts:
                stale.unlink()
        return copy

    def look(self, names: Sequence[str]) -> Iterator[tuple[str, float]]:
        """Find out which tests of these files come by which mistake: (file, processor seconds) for each."""
        copies: Queue[Path] = Queue()
        for index in range(min(self.jobs, len(names))):
            copy = self._copy(f"probes_{index}")
            self.reach.put_probes(copy)
            shared = self.work / "simulators"
            (shared / "sim").mkdir(parents=True, exist_ok=True)
            (copy / "build").mkdir(exist_ok=True)
            if not (copy / "build" / "sim").exists():
                (copy / "build" / "sim").symlink_to(shared / "sim")
            copies.put(copy)

        def one(name: str) -> tuple[str, float]:
            copy = copies.get()
            try:
                return name, self.reach.look(copy, name, self._pytest).processor
            finally:
                copies.put(copy)

        yield from self._in_parallel([partial(one, name) for name in names])

    def _in_parallel(self, tasks: Sequence[Callable[[], Result]]) -> Iterator[Result]:
        """The results as they come; tests that still run are ended if whoever asked stops."""
        pool = ThreadPoolExecutor(self.jobs)
        try:
            for future in as_completed([pool.submit(task) for task in tasks]):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            self.stop()
            raise
        pool.shutdown()

    def run(self, *, likely: bool = False) -> Iterator[Verdict]:
        """A verdict for each mistake, known ones first, others as they come.

        Parameters
        ----------
        likely : bool
            While not all test files have been looked at: only the tests likely to notice.
        """
        waiting = []
        for mutant in self.mutants:
            known = self._known(mutant)
            settled = known.state == "killed" or (mutant.key in self.equivalent and known.passed)
            if settled or not self.reach.batches(mutant, known.passed, likely=likely):
                yield known
            else:
                waiting.append((mutant, known))
        waiting.sort(key=lambda entry: self._cost(*entry))
        while self._copies.qsize() < min(self.jobs, len(waiting)):
            self._copies.put(self._with_simulators(self._copy(self._copies.qsize())))
        yield from self._in_parallel([partial(self._try, mutant, known, likely) for mutant, known in waiting])

    def _cost(self, mutant: Mutant, known: Verdict) -> float:
        """Usual seconds of the first tests, and more where simulators are built: cheap verdicts come first."""
        first = self.reach.batches(mutant, known.passed)[:1]
        return sum(map(self.reach.usual, first)) + BUILD_SECONDS * (mutant.area == "rtl")

    def stop(self) -> None:
        """End the tests that are running; their mistakes get no verdict."""
        self._stopped = True
        for process in list(self._processes):
            if process.poll() is None:
                _kill(process.pid)

    def _with_simulators(self, copy: Path) -> Path:
        """Give a copy the simulators that were built while the tests were looked at; they are named by content."""
        for source in (self.work / "simulators").glob("*/*"):
            target = copy / "build" / source.parent.name / source.name
            if source.is_dir() and not source.name.startswith(".") and not target.exists():
                shutil.copytree(source, target, symlinks=True)
        return copy

    def _path(self, mutant: Mutant) -> Path:
        return self.work / "verdicts" / f"{mutant.key}.json"

    def _known(self, mutant: Mutant) -> Verdict:
        """The former verdict; what a mistake has survived so far, counted against the tests that are known now."""
        try:
            held = Verdict(**json.loads(self._path(mutant).read_text()))
        except (OSError, ValueError, TypeError):
            held = Verdict(key=mutant.key, mutant=asdict(mutant), killed_by=None, ran=0, reached=0, seconds=0.0)
        return held if held.state == "killed" else self._counted(mutant, held)

    def _counted(self, mutant: Mutant, verdict: Verdict) -> Verdict:
        left = sum(map(len, self.reach.batches(mutant, verdict.passed)))
        return replace(verdict, ran=len(verdict.passed), reached=len(verdict.passed) + left)

    def _try(self, mutant: Mutant, known: Verdict, likely: bool) -> Verdict:
        copy = self._copies.get()
        passed, killed, spent = dict(known.passed), None, 0.0
        held = _files(copy / "build")
        try:
            mutant.plant(copy)
            for batch in self.reach.batches(mutant, passed, likely=likely):
                if spent > self.seconds:
                    break
                killed, seconds = self._killer(copy, mutant, batch)
                spent += seconds
                if killed is not None:
                    break
                passed |= {test: self.reach.digests[test.partition("::")[0]] for test in batch}
        finally:
            shutil.copyfile(self.root / mutant.path, copy / mutant.path)
            _restore(copy / "build", held)
            self._copies.put(copy)
        verdict = replace(known, killed_by=killed, passed=passed, seconds=round(known.seconds + spent, 1))
        verdict = self._counted(mutant, verdict)
        write_atomically(self._path(mutant), json.dumps(asdict(verdict), indent=1) + "\n")
        return verdict

    def _killer(self, copy: Path, mutant: Mutant, tests: Sequence[str]) -> tuple[str | None, float]:
        """(the test that fails with the mistake planted, None if none does; processor seconds)."""
        events, wanted = (copy.parent / f"{copy.name}.{what}" for what in ("outcomes", "tests"))
        events.unlink(missing_ok=True)
        write_atomically(wanted, "\n".join(tests))
        limit = LEAST_SECONDS + SLOW * self.reach.usual(tests) + BUILD_SECONDS * (mutant.area == "rtl")
        files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
        lists = {probe.OUTCOMES: str(events), probe.WANTED: str(wanted)}
        code, seconds = self._pytest(copy, ["-x", *files], limit, lists)
        _, failed = outcomes(events)
        if not failed and code not in (0, 5, None):  # 5: the mistake has changed the names of all these tests
            failed = [f"pytest ended with {code}"]
        if code is None:
            return f"{(failed or tests)[-1]} (time)", seconds
        return failed[-1] if failed else None, seconds

    def _pytest(
        self, copy: Path, arguments: Sequence[str], limit: float, more: dict[str, str]
    ) -> tuple[int | None, float]:
        """(pytest's exit code, None if the time was up; processor seconds)."""
        environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1", **more}
        words = ["-q", "-n", "0", "-p", "no:cacheprovider", "-p", "tb.mutation.probe", *arguments]
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *words],
            cwd=copy,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        _limit_memory(process.pid)
        self._processes.add(process)
        started, spent = time.monotonic(), 0.0
        try:
            while process.poll() is None:
                spent = max(spent, _processor_seconds(process.pid))
                elapsed = time.monotonic() - started
                if spent > limit or elapsed > IDLE * limit:
                    return None, spent
                with suppress(subprocess.TimeoutExpired):  # looking at every process is not free
                    process.wait(min(2.0, 0.1 + elapsed / 10))
            if self._stopped:
                raise InterruptedError("the campaign was stopped")
            return process.returncode, spent
        finally:
            _kill(process.pid)
            process.wait()
            self._processes.discard(process)


def _files(folder: Path) -> dict[Path, tuple[int, int]]:
    """File -> time and size, for all below a folder."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            stat = path.stat()
            found[path] = (stat.st_mtime_ns, stat.st_size)
    return found


def _restore(folder: Path, held: dict[Path, tuple[int, int]]) -> None:
    """Delete what a mistake has put into a folder of kept results, or changed there: the next may not meet it."""
    for path, state in _files(folder).items():
        if held.get(path) != state:
            path.unlink(missing_ok=True)
    for path in sorted((p for p in folder.rglob("*") if p.is_dir()), reverse=True):
        if not any(path.iterdir()):
            path.rmdir()


def _of_session(leader: int) -> Iterator[tuple[int, list[str]]]:
    """(process, its entries of /proc from the state on) of a session; none without /proc.

    A test starts simulators in process groups of their own, so that the leader's group would leave them out.
    """
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended between the listing and the reading
            continue
        if int(fields[3]) == leader:
            yield int(stat.parent.name), fields


def _processor_seconds(leader: int) -> float:
    """User and system time of a session so far, ended children included; 0 without /proc."""
    ticks = sum(int(fields[i]) for _, fields in _of_session(leader) for i in range(11, 15))
    return ticks / os.sysconf("SC_CLK_TCK")


def _limit_memory(process: int) -> None:
    """Give a process, and those it will start, `MEMORY_BYTES` each at most; without limit where this is not Linux.

    From outside, because code between fork and exec may hang in a process of several threads.
    """
    with suppress(AttributeError, ProcessLookupError):
        _, most = resource.prlimit(process, resource.RLIMIT_DATA)
        limit = MEMORY_BYTES if most == resource.RLIM_INFINITY else min(MEMORY_BYTES, most)
        resource.prlimit(process, resource.RLIMIT_DATA, (limit, limit))


def _kill(leader: int) -> None:
    """End every process of a session, the leader first."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
    for process, _ in list(_of_session(leader)):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def summary(verdicts: Sequence[Verdict], reasons: dict[str, str], say: Callable[[str], None]) -> int:
    """Print the counts and every survivor with its reason; the number of survivors without one."""
    left = [v for v in verdicts if v.state != "killed"]
    equivalent = sum(reasons.get(v.key, "").startswith("equivalent") for v in left)
    unsure = sum(v.state == "unsure" and not reasons.get(v.key, "").startswith("equivalent") for v in left)
    killed = len(verdicts) - len(left)
    say(
        f"mutants {len(verdicts)}: {killed} killed, {len(left) - equivalent - unsure} alive, {equivalent} equivalent, "
        f"{unsure} unsure (not all tests ran)"
    )
    if len(verdicts) > equivalent:
        say(f"        {killed / (len(verdicts) - equivalent):.1%} of those that are not equivalent are killed")
    unknown = 0
    for verdict in verdicts:
        if verdict.state == "killed":
            continue
        m, reason = verdict.mutant, reasons.get(verdict.key, "")
        unknown += verdict.state == "alive" and not reason
        say(f"{verdict.state:7} {verdict.key} {m['path']}:{m['line']} {m['kind']}: {m['before']}  ->  {m['after']}")
        say(f"        {reason or f'no reason yet; {verdict.ran} of {verdict.reached} tests ran'}")
    return unknown
