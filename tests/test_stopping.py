"""Ended from outside, run twice at once, damaged or full: nothing stays behind and the next run is right."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TextIO

import pytest

from hw.base.error import InputError
from tb.bench import build as building
from tb.bench import run as running
from tb.bench.claim import CLAIM, alone, claim, clean

ROOT = Path(__file__).parents[1]


def started(body: str, folder: Path, before: str = "") -> subprocess.Popen[str]:
    """A process that runs `body` as a verb of a command line; its own process group, its output in a pipe."""
    (folder / "verbs").mkdir()
    (folder / "verbs" / "__init__.py").write_text("")
    lines = textwrap.indent(textwrap.dedent(body), "    ")
    (folder / "verbs" / "go.py").write_text(
        f"import sys, time, subprocess\nfrom pathlib import Path\ndef add_arguments(parser): pass\n"
        f"{textwrap.dedent(before)}\ndef run(arguments):\n    folder = Path({str(folder)!r})\n{lines}\n"
    )
    code = "import sys, verbs; from hw.base.command_line import main; sys.exit(main('x', verbs, ['go']))"
    environment = os.environ | {"PYTHONPATH": f"{folder}:{ROOT}"}
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(condition, seconds: float = 30.0) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_build_that_is_stopped_ends_its_compilers_and_leaves_no_folder(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    process = started(
        """
        from tb.bench import build
        from tb.bench.claim import claim
        import shutil, tempfile
        work = Path(tempfile.mkdtemp(dir=folder, prefix=".building-"))
        kept = claim(work)
        try:
            build._run(["sh", "-c", f"sleep 300 & echo $! > {folder}/compiler; wait"], work, {"PATH": "/usr/bin:/bin"})
        finally:
            shutil.rmtree(work)
    """,
        tmp_path,
    )
    wait_for(lambda: (tmp_path / "compiler").exists() and (tmp_path / "compiler").read_text().strip())
    compiler = int((tmp_path / "compiler").read_text())
    process.send_signal(number)
    _, said = process.communicate(timeout=30)  # the pipe closes
    assert process.returncode == code, said
    assert "stopped: nothing half-written was kept" in said
    wait_for(lambda: not alive(compiler))
    assert not list(tmp_path.glob(".building-*"))


def test_a_killed_build_takes_its_make_along_and_the_next_one_cleans_up(tmp_path: Path) -> None:
    process = started(
        """
        from tb.bench import build
        from tb.bench.claim import claim
        import tempfile
        work = Path(tempfile.mkdtemp(dir=folder, prefix=".building-"))
        kept = claim(work)
        build._run(["sh", "-c", f"echo $$ > {folder}/make; exec sleep 300"], work, {"PATH": "/usr/bin:/bin"})
    """,
        tmp_path,
    )
    wait_for(lambda: (tmp_path / "make").exists() and (tmp_path / "make").read_text().strip())
    make = int((tmp_path / "make").read_text())
    (left,) = tmp_path.glob(".building-*")
    assert clean(tmp_path, ".building-") == []  # its process still claims it
    process.kill()
    process.communicate(timeout=30)
    wait_for(lambda: not alive(make))
    assert clean(tmp_path, ".building-") == [left]
    assert not left.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_regression_ends_its_workers_and_closes_the_pipe(tmp_path: Path, number: signal.Signals) -> None:
    process = started(
        """
        from tb.bench import regression
        regression._run_case = busy
        list(regression._run_all([(str(folder), ""), (str(folder), "")], 2))
        """,
        tmp_path,
        before="""
        import os
        def busy(folder, key):
            (Path(folder) / f"worker.{os.getpid()}").write_text("")
            time.sleep(300)
        """,
    )
    wait_for(lambda: len(list(tmp_path.glob("worker.*"))) == 2)
    workers = [int(path.suffix[1:]) for path in tmp_path.glob("worker.*")]
    process.send_signal(number)
    process.communicate(timeout=30)
    wait_for(lambda: not any(alive(worker) for worker in workers))


def test_a_folder_is_not_removed_between_its_making_and_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run cleans up right after the file of the claim was made, before it is locked."""
    work = tmp_path / ".running-new"
    work.mkdir()
    lock = fcntl.flock

    def late(file: TextIO, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        assert clean(tmp_path, ".running-") == []
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    kept = claim(work)
    assert clean(tmp_path, ".running-") == []
    kept.close()
    assert clean(tmp_path, ".running-") == [work]


def test_a_folder_without_a_claim_is_removed_when_it_is_old(tmp_path: Path) -> None:
    young, old, other = (tmp_path / name for name in (".running-a", ".running-b", "kept"))
    for folder in (young, old, other):
        folder.mkdir()
    os.utime(old, (1, 1))
    assert clean(tmp_path, ".running-") == [old]
    assert young.exists()
    assert other.exists()


def test_one_at_a_time_waits_and_says_so(tmp_path: Path) -> None:
    said = []
    code = (
        f"from pathlib import Path\nfrom tb.bench.claim import alone\n"
        f"with alone(Path({str(tmp_path / 'l')!r})):\n print('in', flush=True); input()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "in\n"

    def waiting() -> None:
        said.append("waits")
        assert other.stdin is not None
        other.stdin.write("\n")
        other.stdin.flush()

    with alone(tmp_path / "l", waiting):
        assert other.wait(30) == 0
    assert said == ["waits"]


def test_two_runs_that_end_at_once_leave_one_whole_folder(tmp_path: Path) -> None:
    code = """
        import sys
        from pathlib import Path
        from tb.bench import run
        for turn in range(60):
            work = Path(sys.argv[1]) / f".running-{sys.argv[2]}-{turn}"
            work.mkdir()
            (work / "log").write_text("x")
            run._install(work, Path(sys.argv[1]) / "case")
    """
    both = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code), str(tmp_path), name],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in "ab"
    ]
    for process in both:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
    assert (tmp_path / "case" / "log").read_text() == "x"
    assert not list(tmp_path.glob(".running-*"))


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "gone", "old"])
def test_a_damaged_simulator_is_not_taken_from_the_cache(tmp_path: Path, damage: str) -> None:
    import hashlib

    content = bytes(range(256)) * 64
    (tmp_path / "top").write_bytes(content)
    about = {"seconds": 3.0, "digest": "d", "sha256": hashlib.sha256(content).hexdigest()}
    (tmp_path / "built.json").write_text(json.dumps(about))
    assert building._read(tmp_path, "top") == 3.0
    if damage == "gone":
        (tmp_path / "top").unlink()
    elif damage == "old":
        (tmp_path / "built.json").write_text(json.dumps({"seconds": 3.0, "digest": "d"}))
    else:
        flipped = content[:5000] + b"\xff" * 64 + content[5064:]
        changed = {"cut": content[:1000], "empty": b"", "flipped": flipped}[damage]
        (tmp_path / "top").write_bytes(changed)
    assert building._read(tmp_path, "top") is None


def test_a_step_that_fails_on_a_full_disk_says_so_though_its_log_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(building.shutil, "disk_usage", lambda path: usage._replace(free=1 << 20))
    with pytest.raises(InputError, match="must have free space, the disk is full; free some space"):
        building._run(["false"], tmp_path, dict(os.environ))


def test_the_key_of_a_simulator_is_content_alone() -> None:
    """No path of this checkout or of its environment goes into it, so a moved or copied one finds its simulators."""
    import inspect

    assert "dir" not in inspect.signature(building._key).parameters
    text = inspect.getsource(building._key) + inspect.getsource(building._make)
    assert "rpath" not in text
    assert "config" not in inspect.getsource(building._key)


def test_only_our_own_assertions_are_rewritten_inside_the_simulator() -> None:
    files = running._rewritten().split()
    assert "core_tests.py" in files
    assert "*.py" not in files
    assert CLAIM not in files
    assert claim is not None


def test_a_failure_is_a_sentence_with_the_line_that_shows_it(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("Traceback (most recent call last):\n  cocotb's own\n")

    def outcome(tests: tuple[running.TestOutcome, ...]) -> running.Outcome:
        return running.Outcome(
            passed=False, failure="values: row 0 wrong", tests=tests, data={}, folder=tmp_path, junit=tmp_path / "x",
            log=tmp_path / "log", trace=None, seconds=1.0, reproduce="make sim CHIP=tiny BENCH=core SEED=1",
        )  # fmt: skip

    failed = running.TestOutcome(name="t", passed=False, simulated_ns=1, seconds=1, message="row 0 wrong")
    said = outcome((failed,)).explain().splitlines()
    assert said[0] == "failed: values: row 0 wrong"
    assert "see:    make waves CHIP=tiny BENCH=core SEED=1" in said
    assert not any("Traceback" in line for line in said)
    assert "Traceback" in outcome(()).explain()  # nobody said what is wrong
