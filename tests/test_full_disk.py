"""A full disk, by the limit of a file's size: one sentence from every verb that writes, whoever writes for it."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def small_files() -> None:
    """Of the child: files end at a kilobyte."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))


@pytest.mark.parametrize(
    "words",
    [
        "model predict --chip tiny --workload digits",
        "model explore digits_small --search sobol --points 2 --store store",
        "model serve --chip furiosa_rngd --model llama32_1b --rate 4 --requests 50 --requests-out out.jsonl",
        "tb emit tiny --to ip",
    ],
)
def test_a_full_disk_is_one_sentence(tmp_path: Path, words: str) -> None:
    package, *rest = words.split()
    code = f"from hw.base.command_line import main; from {package} import cli; raise SystemExit(main({package!r}, cli))"
    done = subprocess.run(
        [sys.executable, "-c", code, *rest],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        preexec_fn=small_files,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert "File too large" in last


@pytest.mark.parametrize("words", [["list", "chips"], ["list", "figures"], ["list", "benches"]])
def test_an_output_that_takes_nothing_is_named(words: list[str]) -> None:
    """A short output as well: it stays in the buffer until the end."""
    code = "from hw.base.command_line import main; from model import cli; raise SystemExit(main('model', cli))"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code, *words],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("error: the output or the build folder must be writable")
    assert len(done.stderr.splitlines()) == 1
