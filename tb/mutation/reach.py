"""Which tests come by which mistake, found by running every test file once with probes in the source.

A probe is a call put around the expression that a mistake would change (`uses.py`), so that nothing is traced and
children of a test, simulators included, tell as well.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from hw.base.digest import digest
from hw.base.file import write_atomically
from tb.mutation import probe
from tb.mutation.mutants import Mutant
from tb.mutation.related import Related
from tb.mutation.uses import Points, Uses, probed

READERS = ("tests/test_house.py", "tests/test_imports.py", "tests/test_mutation.py")
"""They read the source as text: what they notice is not what it does."""
SLOWEST = 300.0
"""Processor seconds after which a test file is ended while it is looked at; what it reached by then counts."""
MOST = 8
"""Small test files that are run for a mistake which shows at import, before all others."""
SIMULATES = "pytest.mark.rtl"
NEW = 0.2
"""A test file is looked at again when more of the mistakes than this had no probe the last time."""
IMPORT = "import "
"""Begins the name of a probe that runs when a module is imported: all tests of the file may then notice."""
QUICK, BATCH = (0.6, 3.0), (8.0, 30.0)
"""Tests of at most so many seconds come first, in one batch of at most so many seconds in all; then the longer ones."""

Run = Callable[[Path, Sequence[str], float, dict[str, str]], tuple[int | None, float]]
"""(copy, arguments of pytest, limit in processor seconds, environment) -> pytest's exit code, processor seconds."""


@dataclass(slots=True)
class Seen:
    """What one run of a test file showed.

    Parameters
    ----------
    digest : str
        Of the test file.
    asked : list of str
        Keys of the mistakes that had probes.
    seconds : dict of str to float
        Test that passed -> wall time, with what was set up for it.
    reached : dict of str to list of str
        Key of a mistake -> tests that came by; an empty name is the import of the file or of what it needs.
    processor : float
        Processor time of the file.
    """

    digest: str
    asked: list[str]
    seconds: dict[str, float] = field(default_factory=dict)
    reached: dict[str, list[str]] = field(default_factory=dict)
    processor: float = 0.0


class Reach:
    """The map from mistakes to tests, kept below `work`.

    Parameters
    ----------
    root : Path
        The checkout.
    work : Path
        Results lie in `work`/reach, a file for each test file.
    mutants : sequence of Mutant
        Get probes.
    """

    def __init__(self, root: Path, work: Path, mutants: Sequence[Mutant]) -> None:
        self.root, self.work, self.mutants = root, work, list(mutants)
        self.related = Related(root)
        uses = Uses(root)
        self.points: dict[str, Points] = {m.key: uses.points(m) for m in mutants}
        self.files = [
            str(path.relative_to(root))
            for path in sorted((root / "tests").glob("test_*.py"))
            if str(path.relative_to(root)) not in READERS
        ]
        self.digests = {name: digest((root / name).read_text()) for name in self.files}
        self._distances: dict[str, dict[str, int]] = {}
        self.seen: dict[str, Seen] = {}
        for name in self.files:
            held = self._held(name)
            if held is not None:
                self.seen[name] = held

    def _path(self, name: str) -> Path:
        return self.work / "reach" / f"{Path(name).stem}.json"

    def _held(self, name: str) -> Seen | None:
        """What was seen before, if the test file is the same and had nearly all of these probes."""
        try:
            held = Seen(**json.loads(self._path(name).read_text()))
        except (OSError, ValueError, TypeError):
            return None
        new = {m.key for m in self.mutants} - set(held.asked)
        return held if held.digest == self.digests[name] and len(new) <= NEW * len(self.mutants) else None

    @cached_property
    def simulating(self) -> set[str]:
        """Test files that build simulators."""
        return {name for name in self.files if SIMULATES in (self.root / name).read_text()}

    def missing(self) -> list[str]:
        """Test files to be looked at: those that simulate RTL last, those with little behind them first."""
        wanted = [name for name in self.files if name not in self.seen]
        return sorted(wanted, key=lambda name: (name in self.simulating, self.related.reaches(name)))

    @cached_property
    def probed(self) -> dict[str, bytes]:
        """File -> its source with probes."""
        spans: dict[str, dict[tuple[int, int], list[str]]] = {}
        for key, points in self.points.items():
            path, start, end = points.own
            word = f"{IMPORT}{key}" if points.at_import else key
            spans.setdefault(path, {}).setdefault((start, end), []).append(word)
            for path, places in points.spans.items():
                for span in places:
                    spans.setdefault(path, {}).setdefault(span, []).append(key)
        return {path: probed((self.root / path).read_bytes(), places) for path, places in spans.items()}

    def put_probes(self, copy: Path) -> None:
        """Write the source with probes into `copy`."""
        for path, source in self.probed.items():
            write_atomically(copy / path, source)

    def look(self, copy: Path, name: str, run: Run) -> Seen:
        """Run a test file in the copy with probes."""
        lists = {what: self.work / f"{copy.name}.{what}" for what in ("reached", "outcomes")}
        for path in lists.values():
            path.unlink(missing_ok=True)
        _, processor = run(
            copy,
            [name],
            SLOWEST,
            {probe.REACHED: str(lists["reached"]), probe.OUTCOMES: str(lists["outcomes"])},
        )
        seen = Seen(digest=self.digests[name], asked=sorted(m.key for m in self.mutants), processor=round(processor, 1))
        ends, failed = outcomes(lists["outcomes"])
        seen.seconds = {test: round(seconds, 3) for test, seconds in ends.items() if test not in failed}
        for line in lists["reached"].read_text().splitlines() if lists["reached"].is_file() else []:
            key, _, test = line.partition("\t")
            test, _, step = test.rpartition(" (")
            found = seen.reached.setdefault(key.removeprefix(IMPORT), [])
            if key.startswith(IMPORT):
                tests = {""}
            else:  # what is set up for one test serves others
                tests = {test} if step == "call)" else {test, ""}
            for one in tests:
                if one not in found:
                    found.append(one)
        write_atomically(self._path(name), json.dumps(_fields(seen), indent=0) + "\n")
        self.seen[name] = seen
        return seen

    def distance(self, mutant: Mutant, name: str) -> int:
        """Steps of imports from a test file to the mistake; 20 if there are none."""
        known = self._distances.setdefault(mutant.path, self.related.distances(mutant.path))
        return known.get(name, 20)

    def batches(self, mutant: Mutant, passed: dict[str, str], *, likely: bool = False) -> list[list[str]]:
        """Tests that come by a mistake, the quickest and nearest first; each batch is one run of pytest.

        Parameters
        ----------
        mutant : Mutant
        passed : dict of str to str
            Test -> digest of its file, for those that passed with this mistake before.
        likely : bool
            Only those that are likely to notice for what they cost.
        """
        exact: list[tuple[float, int, str]] = []
        wide: list[tuple[float, list[str]]] = []
        small: list[tuple[float, list[str]]] = []
        for name, seen in self.seen.items():
            tests = self._tests(mutant, seen)
            if not tests:
                continue
            left = {test for test in seen.seconds if passed.get(test) != seen.digest}
            near = self.distance(mutant, name)
            exact += [(seen.seconds[test], near, test) for test in left & tests]
            if "" in tests:
                rest = sorted(left - tests, key=lambda test: seen.seconds[test])
                total = sum(seen.seconds[test] for test in rest)
                if rest and near == 1 and total < QUICK[1]:  # a small file about this very module
                    small.append((total, rest))
                elif rest:
                    wide.append((near + math.log2(1 + total), rest))
        # a mistake in the RTL has simulators built again: tests that do without come first
        built = {entry for entry in exact if mutant.area == "rtl" and entry[2].partition("::")[0] in self.simulating}
        exact = [entry for entry in exact if entry not in built]
        found = [[test for _, rest in sorted(small)[:MOST] for test in rest]]
        for most, whole in zip(QUICK, BATCH, strict=True):
            batch, total = [], 0.0
            for _, seconds, test in sorted((near, seconds, test) for seconds, near, test in exact):
                if seconds <= most and total + seconds <= whole:
                    batch.append(test)
                    total += seconds
            chosen = set(batch)
            exact = [entry for entry in exact if entry[2] not in chosen]
            found.append(batch)
        if not likely:
            for rest in (exact, built):
                found += [[test] for _, _, test in sorted(rest, key=lambda entry: entry[1] + math.log2(1 + entry[0]))]
            found += [rest for _, rest in sorted(wide)]
        return [batch for batch in found if batch]

    def _tests(self, mutant: Mutant, seen: Seen) -> set[str]:
        """Tests of a file that come by a mistake, or, if it had no probe then, by one of the same source file."""
        if mutant.key in seen.asked:
            return set(seen.reached.get(mutant.key, ()))
        others = {m.key for m in self.mutants if m.path == mutant.path}
        return {test for key in others for test in seen.reached.get(key, ())}

    def usual(self, tests: Sequence[str]) -> float:
        """Seconds these tests take without a mistake."""
        return sum(self.seen[test.partition("::")[0]].seconds.get(test, 0.0) for test in tests)


def outcomes(path: Path) -> tuple[dict[str, float], list[str]]:
    """Test -> seconds of all its steps for those that ran, and the tests that failed, in order, from a list of events.

    A test that was started and did not end counts as failed; one that was skipped did not run.
    """
    seconds: dict[str, float] = {}
    failed: list[str] = []
    running: list[str] = []
    skipped: set[str] = set()
    for line in path.read_text().splitlines() if path.is_file() else []:
        event, took, test = line.split("\t", 2)
        if event == "started":
            running.append(test)
            continue
        if event == "ended":
            running.remove(test)
            continue
        seconds[test] = seconds.get(test, 0.0) + float(took)
        if event == "failed" and test not in failed:
            failed.append(test)
        if event == "skipped":
            skipped.add(test)
    return {test: took for test, took in seconds.items() if test not in skipped}, failed + running


def _fields(seen: Seen) -> dict:
    return {name: getattr(seen, name) for name in Seen.__slots__}
