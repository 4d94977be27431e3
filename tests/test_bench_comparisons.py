"""Every comparison of every bench is made in some test, and would fail with a wrong value.

A bench whose loop is empty, or that compares a value with itself, passes whatever the RTL does. See
`tests/support/comparisons/sitecustomize.py` for how a comparison is noted.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.comparisons import sitecustomize as through

ROOT = Path(__file__).parent.parent
ROOMS = ("bench", "npu", "dram_pim", "arithmetic", "system", "crossbar")
APART = ("test_bench_comparisons", "test_gates_", "test_onnx_run", "test_explore", "test_trial_kind")
"""Beginnings of test files that run no bench of their own, or whole programs around one."""
ELSEWHERE: dict[str, str] = {
    "tb/bench/icarus.py": "runs in pytest's own process, tests/test_power_on.py fails it",
    "tb/npu/table.py": "a measurement of speed, not a bench",
    "tb/npu/speed.py": "a measurement of speed, not a bench",
    "tb/bench/speed.py": "a measurement of speed, not a bench",
    "tb/system/speed.py": "a measurement of speed, not a bench",
}
"""File -> why its comparisons are not looked for in simulators."""


def rtl_tests() -> list[str]:
    """The test files that run benches."""
    return [
        f"tests/{path.name}"
        for path in sorted((ROOT / "tests").glob("test_*.py"))
        if "mark.rtl" in path.read_text() and not path.name.startswith(APART)
    ]


def test_the_test_files_that_run_benches_are_found() -> None:
    found = rtl_tests()
    assert {"tests/test_axi.py", "tests/test_power_on.py", "tests/test_fp_volume.py"} <= set(found)
    assert not any(name.startswith(tuple(f"tests/{begin}" for begin in APART)) for name in found)


def made(notes: Path, *words: str) -> set[str]:
    """`path:line` of the comparisons that were made, and would have noticed, in a run of `python -m` `words`."""
    paths = [str(ROOT / "tests" / "support" / "comparisons"), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths)), through.NOTES: str(notes)}
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]
    return set(notes.read_text().split())


def test_a_comparison_with_itself_is_not_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot fail leaves no note; what can does."""
    monkeypatch.setenv(through.NOTES, str(tmp_path / "notes"))
    monkeypatch.setattr(through, "_noted", set())

    class Agreeable:
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

    assert through.compared("agreeable", "Eq", 3, Agreeable())
    assert through.compared("empty", "GtE", [], [])
    assert through.compared("equal", "Eq", 3, 3)
    assert through.compared("sorted", "Eq", [1, 2], [1, 2])
    assert not through.compared("in", "In", 4, {3})
    assert set((tmp_path / "notes").read_text().split()) == {"equal", "sorted", "in", "empty"} - {"empty"}


def test_comparisons_of_a_small_bench_would_all_fail(tmp_path: Path) -> None:
    """The FIFO's bench: all its comparisons are made in one run."""
    found = made(tmp_path / "notes", "tb", "sim", "--bench", "fifo", "--chip", "tiny", "--no-activity")
    path = ROOT / "tb" / "npu" / "fifo_tests.py"
    wanted = through.comparisons(ROOT, path)
    assert len(wanted) >= 3
    assert set(wanted) <= found


@pytest.mark.volume
def test_every_comparison_of_every_bench_would_fail(tmp_path: Path) -> None:
    """All tests that run benches; a comparison that none makes is named."""
    found = made(tmp_path / "notes", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *rtl_tests())
    wanted = [
        key
        for room in ROOMS
        for path in sorted((ROOT / "tb" / room).rglob("*.py"))
        if str(path.relative_to(ROOT)) not in ELSEWHERE
        for key in through.comparisons(ROOT, path)
    ]
    assert [key for key in wanted if key not in found] == []
