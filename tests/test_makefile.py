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


@pytest.mark.parametrize("name", ["CHIP", "WORKLOAD", "BENCH", "SEED", "FIGURE", "WAVES", "STORE", "PYTHON"])
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


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ("validate CHIP=tiny", "CHIP"),
        ("test SEED=3", "SEED"),
        ("explain FIGURE=x SEED=1", "SEED"),
        ("waves WAVES=1", "WAVES"),
        ("CHIP=tiny", "CHIP"),
        ("validate explain WORKLOAD=digits", "WORKLOAD"),
    ],
)
def test_a_variable_that_the_verb_does_not_read_is_refused(words: str, given: str) -> None:
    done = subprocess.run(["make", "-n", *words.split()], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "must be given what it reads (" in done.stderr
    assert f"not {given}; leave it out" in done.stderr


def test_every_variable_of_the_list_is_read_by_a_verb_that_takes_it() -> None:
    for words in (
        ["sim", "CHIP=a", "WORKLOAD=b", "BENCH=c", "SEED=1", "WAVES=1", "PIM=d", "TOKENS=2", "ACTIVITY=no"],
        ["sim", "NETWORK=a", "INPUT=b", "PYTHON=python3"],
        ["report", "STORE=a"],
        ["explore", "SPACE=a", "STORE=b"],
        ["explain", "FIGURE=a"],
        ["fuzz", "SEED=1"],
        ["mutate", "SEED=1"],
        ["energy", "CHIP=a", "WORKLOAD=b", "SEED=1"],
    ):
        said = " ".join(commands(*words))
        for name in (
            word.partition("=")[0]
            for word in words[1:]
            if word.partition("=")[0] not in ("WAVES", "ACTIVITY", "PYTHON")
        ):
            assert f'"${name}"' in said, (words, name)
    assert any(line.split()[-1] == "$STORE" or '"$STORE"' in line for line in commands("report", "STORE=a"))


def test_waves_and_activity_are_switches() -> None:
    assert not any("--waves" in line for line in commands("sim", "WAVES=0", "CHIP=tiny"))
    assert any("--waves" in line for line in commands("sim", "WAVES=1", "CHIP=tiny"))
    for word in ("WAVES=true", "ACTIVITY=maybe"):
        done = subprocess.run(["make", "-n", "sim", word], cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, "must be one of yes no 1 0" in done.stderr) == (2, True)


def test_settings_of_cocotb_pass() -> None:
    assert commands("sim", "COCOTB_RANDOM_SEED=3")
