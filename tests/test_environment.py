"""The environment's prerequisites, and that it is made again only when something it depends on changed."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tb import environment

ROOT = Path(__file__).resolve().parent.parent


def test_lock_pins_every_package_by_hash_and_names_no_host() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    entries = text.replace("\\\n", " ").splitlines()
    for entry in entries:
        assert "==" in entry.split("--hash")[0], entry
        assert "--hash=sha256:" in entry, entry


def test_lock_holds_every_direct_dependency() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    locked = {line.split("==")[0].lower() for line in lines if "==" in line}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    for requirement in wanted:
        assert requirement.split("==")[0].split("[")[0].replace("_", "-").lower() in locked, requirement


def test_digest_changes_with_the_lock_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = environment.wanted_digest()
    changed = tmp_path / "requirements.lock"
    changed.write_text(environment.LOCK.read_text() + "\n")
    monkeypatch.setattr(environment, "LOCK", changed)
    assert environment.wanted_digest() != before


def test_an_unsupported_python_is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 0))
    assert environment.main() == 2
    error = capsys.readouterr().err
    assert error == "error: Python must be 3.11 or 3.12, not 3.9: call make with PYTHON=python3.11, say\n"


def test_a_missing_verb_leaves_with_code_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "model", "nonesuch"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_build_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "build").write_text("")
    done = subprocess.run(
        [sys.executable, "-m", "tb", "formal", "--proof", "skid"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 2
    assert "must be writable and have free space" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_negative_size_is_refused_by_its_meaning_not_as_an_unknown_option() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "model", "cycles", "--gemm", "-1,4,4"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "error: m of GEMM 'gemm' must be an integer of at least 1, not -1\n"
