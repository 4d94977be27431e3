"""The dependency rule, and that each folder-catalogue loads."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import hw.chips
from hw.base.error import InputError
from model import workloads

ROOT = Path(__file__).resolve().parent.parent
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def test_import_rule_holds() -> None:
    done = subprocess.run([sys.executable, "-c", LINT], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_import_rule_reports_a_planted_import(tmp_path: Path) -> None:
    """The rule is worth nothing if it cannot fail: in a copy, the model is made to import RTL."""
    for part in ("hw", "model", "tb"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "model" / "planted.py").write_text("import hw.rtl\n")
    done = subprocess.run(
        [sys.executable, "-c", LINT], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode != 0
    assert "model.planted -> hw.rtl" in done.stdout


@pytest.mark.parametrize("name", hw.chips.names())
def test_every_chip_loads(name: str) -> None:
    assert hw.chips.load(name).title


def test_unknown_chip_lists_the_known_ones_and_the_nearest() -> None:
    with pytest.raises(InputError, match=r"chip must be a known one, not 'tinny'; did you mean 'tiny'"):
        hw.chips.load("tinny")


def test_unknown_workload_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"workload must be a known one, not 'nonesuch'"):
        workloads.load("nonesuch")


def test_every_verb_opens_with_its_help() -> None:
    for folder in ("model/cli", "tb/cli"):
        for path in sorted((ROOT / folder).glob("[!_]*.py")):
            assert path.read_text().startswith('"""'), f"{path} must open with its one-line help"
