"""What the verbs of the Makefile run."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def commands(*words: str) -> list[str]:
    done = subprocess.run(["make", "-n", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if " -m " in line and "environment" not in line]


def test_a_named_chip_runs_its_own_workload_and_not_the_sweep_of_the_main_job() -> None:
    assert any("gemm_sweep" in line for line in commands("sim"))
    for words in (["CHIP=hbm_pim"], ["CHIP=aim"], ["WORKLOAD=digits"]):
        assert not any("gemm_sweep" in line for line in commands("sim", *words))
        assert sum("tb sim" in line for line in commands("sim", *words)) == 1


def test_a_run_that_prices_no_toggles_builds_one_simulator() -> None:
    assert not any("--no-activity" in line for line in commands("sim", "CHIP=tiny"))
    (run,) = [line for line in commands("sim", "CHIP=tiny", "ACTIVITY=no") if "tb sim" in line]
    assert run.endswith("--no-activity")


@pytest.mark.parametrize("name", ["CHIP", "WORKLOAD", "BENCH", "SEED", "FIGURE", "PYTHON"])
@pytest.mark.parametrize(
    "text",
    ["x'; touch {0}; '", '"; touch {0}; "', "$(shell touch {0})", "$$(touch {0})", "`touch {0}`", "$(touch {0})"],
)
def test_what_is_given_never_runs(tmp_path: Path, name: str, text: str) -> None:
    """The recipes' shell gets the text as a value; here they run in a folder whose Python only prints its arguments."""
    planted = tmp_path / "planted"
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    python.chmod(0o755)
    given = text.format(planted)
    for words, extra in (([f"{name}={given}"], {}), ([], {name: given})):
        environment = os.environ | {"PYTHON": str(python)} | extra
        for verb in ("sim", "explain"):
            subprocess.run(["make", *words, verb], cwd=tmp_path, env=environment, capture_output=True, check=False)
        assert not planted.exists()


def test_a_value_arrives_as_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    python.chmod(0o755)
    words = ["make", "-s", "explain", "FIGURE=a b'c\"d $e", f"PYTHON={python}"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "explain|a b'c\"d $e|" in done.stdout


@pytest.mark.parametrize("word", ["chip=tiny", "WORKLAOD=gemm_16", "Seed=3", "CHIPS=tiny"])
def test_an_unknown_variable_is_refused(word: str) -> None:
    done = subprocess.run(["make", "-n", "sim", word], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "a variable must be one of CHIP WORKLOAD BENCH SEED WAVES" in done.stderr
    assert f"not {word.partition('=')[0]}" in done.stderr


def test_settings_of_cocotb_pass() -> None:
    assert commands("sim", "COCOTB_RANDOM_SEED=3")
