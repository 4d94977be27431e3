"""The built wheel in a folder of its own: one command from anywhere, packaged records, the three lines of README."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hw.base import place
from hw.base.error import InputError
from hw.base.program import as_typed
from model import gemm_cycles
from tb import entry

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's packages and its command; what they need is in this environment."""
    folder = tmp_path_factory.mktemp("installed")
    build = "import hatchling.build as b, sys; print(b.build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, str(folder)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    wheel = folder / done.stdout.split()[-1]
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", "install", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(folder / "site"), str(wheel)], check=True)
    return folder


def call(installed: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`kcloud-cosim WORDS` from an empty folder, the wheel's packages before those of the checkout."""
    elsewhere = installed / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, installed / "site" / "bin" / "kcloud-cosim", *words],
        cwd=elsewhere, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(installed / "site")},
    )  # fmt: skip


def test_the_command_says_its_version(installed: Path) -> None:
    assert call(installed, "--version").stdout == "kcloud-cosim 0.1.0\n"


def test_a_figure_is_explained_from_the_packaged_records(installed: Path) -> None:
    done = call(installed, "explain", "gwangju.wall_kw")
    assert done.returncode == 0, done.stderr
    assert "gwangju.wall_kw" in done.stdout


def test_cycles_are_those_of_the_checkout(installed: Path) -> None:
    done = call(installed, "cycles", "--gemm", "256,256,256", "--chip", "npu_16", "--json")
    assert done.returncode == 0, done.stderr
    assert '"cycles": 65593' in done.stdout


def test_what_needs_a_checkout_says_so(installed: Path) -> None:
    done = call(installed, "tb", "bench", "--table")
    assert done.returncode == 2
    assert "must run in a checkout of the project, not from an installed package" in done.stderr


def test_three_lines_give_the_cycles_of_a_product() -> None:
    assert gemm_cycles("npu_16", m=256, n=256, k=256).cycles == 65593
    with pytest.raises(InputError, match="m of GEMM 'gemm' must be an integer of at least 1, not 0"):
        gemm_cycles("npu_16", m=0, n=1, k=1)


def test_every_verb_is_listed_once_and_a_wrong_one_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main(["--help"]) == 0
    shown = capsys.readouterr().out
    for verb, folders in entry.verbs().items():
        for folder in folders:
            assert f"\n  {verb if len(folders) == 1 else f'{folder} {verb}'} " in shown
    assert entry.main(["cylces"]) == 2
    assert "did you mean 'cycles'?" in capsys.readouterr().err
    assert entry.main(["bench"]) == 2
    assert "kcloud-cosim model bench` or" in capsys.readouterr().err


def test_commands_are_printed_as_they_work_where_the_reader_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert as_typed("open it: kcloud-cosim explain x") == "open it: ./kcloud-cosim explain x"
    monkeypatch.chdir(tmp_path)
    assert as_typed("open it: kcloud-cosim explain x") == "open it: kcloud-cosim explain x"


def test_a_missing_package_is_one_sentence() -> None:
    """Debian's own Python, which has none of the locked packages: no traceback."""
    code = (
        "import sys; sys.path = [p for p in sys.path if 'site-packages' not in p]; sys.modules['numpy'] = None; "
        f"sys.path.insert(0, {str(ROOT)!r}); from hw.base.command_line import main; from model import cli; "
        "raise SystemExit(main('model', cli, ['cycles', '--gemm', '4,4,4']))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "the locked packages must be installed" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_places_of_a_checkout_are_inside_it() -> None:
    assert place.in_checkout()
    assert place.measurements() == ROOT / "measurements"
    assert place.build() == ROOT / "build"
