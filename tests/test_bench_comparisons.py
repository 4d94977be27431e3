"""Every comparison of every bench is made in some test, and a wrong value fails the bench.

`tests/data/comparisons.json` says which run makes each comparison. The volume tests make those runs, in which every
comparison is given a wrong value (see `tests/support/comparisons/spoil.py`); a test of seconds names a comparison that
no run is written down for.
"""

import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.comparisons.through import comparisons
from tests.support.comparisons.wrong import wrong_answer

ROOT = Path(__file__).parent.parent
RUNS: dict[str, Any] = json.loads((ROOT / "tests" / "data" / "comparisons.json").read_text())
"""Name -> `run`, what is handed to `python -m`; `comparisons` that fail in it, as `path: function: text`."""
ROOMS = ("bench", "npu", "dram_pim", "arithmetic", "system", "crossbar")
ELSEWHERE = {
    "tb/bench/icarus.py": "runs in pytest's own process, tests/test_power_on.py fails it",
    "tb/npu/table.py": "a measurement of speed, not a bench",
    "tb/npu/speed.py": "a measurement of speed, not a bench",
    "tb/bench/speed.py": "a measurement of speed, not a bench",
    "tb/system/speed.py": "a measurement of speed, not a bench",
}
"""File -> why its comparisons are not looked for in simulators."""


def verdicts(notes: Path, name: str) -> dict[str, str]:
    """Comparison or value read -> "failed", "hung" or "passed": what a wrong value there did to the bench, in a run."""
    paths = [str(ROOT / "tests" / "support" / "comparisons"), str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "KCLOUD_COMPARISONS": str(notes)}
    words = shlex.split(RUNS[name]["run"])
    if words[0] == "pytest":  # one process, volume or not, and nothing kept for the next run
        words[1:1] = ["-q", "-n", "0", "-p", "no:cacheprovider", "-m", ""]
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-1000:]
    return {key: verdict for verdict, key in (line.split(" ", 1) for line in notes.read_text().splitlines())}


def wanted() -> list[str]:
    """The comparisons of all benches."""
    return [
        key
        for room in ROOMS
        for path in sorted((ROOT / "tb" / room).rglob("*.py"))
        if str(path.relative_to(ROOT)) not in ELSEWHERE
        for key in comparisons(ROOT, path)
    ]


def test_every_comparison_is_written_down_under_a_run_that_fails_it() -> None:
    there, written = wanted(), [key for run in RUNS.values() for key in run["comparisons"]]
    assert len(there) > 190
    unseen = [key for key in there if key not in written]
    assert not unseen, f"find the run that makes them, or add one, in tests/data/comparisons.json: {unseen}"
    assert [key for key in written if key not in there] == []
    assert len(written) == len(set(written))


def test_the_runs_are_tests_and_benches_that_are_there() -> None:
    for run in RUNS.values():
        words = shlex.split(run["run"])
        if words[0] == "pytest":
            for node in words[1:]:
                path, _, name = node.partition("::")
                assert f"def {name.partition('[')[0]}(" in (ROOT / path).read_text(), run
        else:
            assert words[:3] == ["tb", "sim", "--bench"]
            assert list((ROOT / "tb").glob(f"*/{words[3]}_tests.py")), run


@pytest.mark.parametrize(
    ("operators", "values", "noticed"),
    [
        (["Eq"], [3, 3], True),
        (["Eq"], [[1, 2], [1, 2]], True),
        (["Eq"], [{"a": {"b": 1}}, {"a": {"b": 1}}], True),
        (["Eq"], [{}, {}], False),  # an empty loop
        (["Eq"], [[], []], False),
        (["Eq"], [b"", b""], False),
        (["In"], [4, {3}], True),
        (["In"], [{"room": 1}, ({"room": 1}, {})], True),
        (["NotIn"], [None, {1: 2}.values()], True),
        (["Is"], [None, None], True),
        (["Lt", "Lt"], [1, 2, 3], True),
        (["Eq", "Eq"], [[1], [1], [1]], True),
        (["Eq", "Eq"], [[], [], []], False),
        (["GtE"], [0, -(1 << 300)], False),
        (["NotEq"], [np.arange(6).reshape(2, 3), np.arange(6).reshape(2, 3)], True),
        (["NotEq"], [np.full((2, 2), 127, np.int8), np.full((2, 2), 127, np.int8)], True),
        (["NotEq"], [np.full(3, np.inf), np.full(3, np.inf)], True),
        (["Eq"], [np.array([True]), np.array([True])], True),
        (["NotEq"], [np.zeros((0, 3)), np.zeros((0, 3))], False),
        (["NotEq"], [np.zeros((1, 3)), np.zeros((2, 3))], False),  # spread over the other
    ],
)
def test_a_comparison_notices_a_wrong_value_or_none(operators: list[str], values: list, noticed: bool) -> None:
    found, wrong = wrong_answer(operators, values)
    assert (wrong is not None) == noticed
    if noticed and not isinstance(found, np.ndarray):
        assert bool(found) != bool(wrong)


def test_what_agrees_with_everything_is_not_noticed() -> None:
    class Agreeable:
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

    assert wrong_answer(["Eq"], [3, Agreeable()]) == (True, None)


def test_comparisons_are_told_by_function_and_text(tmp_path: Path) -> None:
    (tmp_path / "bench.py").write_text(
        "class A:\n"
        "    def f(self, x):\n"
        "        assert x is not None\n"
        "        assert x == 1 and x < 2, 'text'\n"
        "        assert not x or y == 3\n"
        "        assert (a == b).all()\n"
        "        wrong = np.argwhere(a != b)\n"
        "        assert not len(wrong)\n"
        "        assert not any(x)\n"
        "        if x > 5:\n"
        "            raise AssertionError('no')\n"
        "        if x > 6:\n"
        "            raise ValueError\n"
    )
    assert [key.removeprefix("bench.py: A.f: ") for key in comparisons(tmp_path, tmp_path / "bench.py")] == [
        "x == 1", "x < 2", "y == 3", "a == b", "a != b", "len(wrong)", "any(x)", "x > 5",
    ]  # fmt: skip


def test_wrong_values_fail_a_small_bench(tmp_path: Path) -> None:
    """The FIFO's bench: all its comparisons in one run."""
    found = verdicts(tmp_path / "notes", "fifo")
    of_bench = comparisons(ROOT, ROOT / "tb" / "npu" / "fifo_tests.py")
    assert len(of_bench) >= 3
    assert set(of_bench) <= set(RUNS["fifo"]["comparisons"])
    assert missed(found, "fifo") == {}
    assert "tb/bench/stream.py: StreamMonitor._watch: self.payload.value" in found


def missed(found: dict[str, str], name: str) -> dict[str, str]:
    """What a run should have failed for and did not: its comparisons, and whatever it read from the design."""
    comparisons_missed = {
        key: found.get(key, "not made") for key in RUNS[name]["comparisons"] if found.get(key) != "failed"
    }
    return {key: verdict for key, verdict in found.items() if verdict == "passed"} | comparisons_missed


@pytest.mark.volume
@pytest.mark.parametrize("name", [name for name in RUNS if name != "fifo"])
def test_a_wrong_value_in_any_comparison_fails_its_bench(name: str, tmp_path: Path) -> None:
    """One run: the comparisons that are written down for it, and every value that the bench reads from the design."""
    begun = time.monotonic()
    found = verdicts(tmp_path / "notes", name)
    print(f"{name}: {len(found)} values spoilt in {time.monotonic() - begun:.0f} s")
    assert missed(found, name) == {}
