"""cocotb's variables work or are refused aloud; JUnit says where a test is."""

import inspect
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from hw.base.error import InputError
from tb.bench.build import ROOT
from tb.bench.cocotb_variables import INSTEAD, Given, given
from tb.npu import fifo_tests


def test_seed_and_filter_are_taken() -> None:
    assert given({}) == Given(seed=None, pattern=None)
    assert given({"COCOTB_RANDOM_SEED": "7", "COCOTB_TEST_FILTER": "words"}) == Given(seed=7, pattern="words")
    assert given({"COCOTB_RANDOM_SEED": "7"}, seed=7).seed == 7


@pytest.mark.parametrize(
    ("environment", "seed", "sentence"),
    [
        ({"COCOTB_RANDOM_SEED": "7"}, 8, "COCOTB_RANDOM_SEED is 7 and the seed given is 8"),
        ({"COCOTB_RANDOM_SEED": "random"}, None, "must be a whole number from 0 on, not 'random'"),
        ({"COCOTB_TEST_FILTER": "("}, None, "COCOTB_TEST_FILTER must be a regular expression"),
        *(({name: "x"}, None, f"{name} must not be set, it has no effect here") for name in INSTEAD),
    ],
)
def test_what_cannot_work_is_refused(environment: dict[str, str], seed: int | None, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        given(environment, seed=seed)
    assert sentence in str(caught.value)


def _sim(tmp_path: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tb", *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_regression_takes_no_filter(tmp_path: Path) -> None:
    done = _sim(tmp_path, "regress", COCOTB_TEST_FILTER="x")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


@pytest.mark.rtl
def test_a_filtered_run_runs_those_tests_with_that_seed_and_junit_names_their_lines(tmp_path: Path) -> None:
    names = [name for name, value in vars(fifo_tests).items() if name.startswith("words")]
    chosen = names[0]
    done = _sim(
        tmp_path, "sim", "--bench", "fifo", "--chip", "tiny", COCOTB_TEST_FILTER=chosen, COCOTB_RANDOM_SEED="11"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    cases = list(ElementTree.parse(ROOT / "build" / "junit" / "fifo.tiny.11.xml").getroot().iter("testcase"))
    ran = [case for case in cases if case.find("skipped") is None]
    assert [case.get("name") for case in ran] == [chosen]
    source = inspect.getsource(fifo_tests).splitlines()
    place = next(i for i, line in enumerate(source, 1) if f"def {chosen}(" in line)
    (case,) = ran
    assert case.get("file") == "tb/npu/fifo_tests.py"
    assert abs(int(case.get("line", "0")) - place) <= 1
    none = _sim(tmp_path, "sim", "--bench", "fifo", "--chip", "tiny", COCOTB_TEST_FILTER="no_such_test")
    assert none.returncode == 1


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("COCOTB_NONSENSE", "1", "must be one that cocotb 2 knows, not COCOTB_NONSENSE"),
        ("COCOTB_TEST_FILTR", "a", "did you mean 'COCOTB_TEST_FILTER'"),
        ("COCOTB_HDL_TIMEUNIT", "1ns", "has no effect here; the time unit follows from the chip's clock"),
        ("COCOTB_LOG_LEVEL", "SILLY", "COCOTB_LOG_LEVEL must be one of CRITICAL, ERROR, .* not 'SILLY'"),
    ],
)
def test_a_variable_that_cocotb_does_not_know_is_refused(name: str, value: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        given({name: value})


def test_variables_that_cocotb_reads_pass() -> None:
    passing = {"COCOTB_LOG_LEVEL": "debug", "COCOTB_RESOLVE_X": "ZEROS", "COCOTB_PYTEST_DIR": "x", "PATH": "/bin"}
    assert given(passing).seed is None
