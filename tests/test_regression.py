"""The benches on the RTL in Verilator; what a failing case says; matrices, resuming, JUnit."""

import dataclasses
import functools
import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from xml.etree import ElementTree

import pytest

from hw.base.error import InputError
from model import record
from tb.bench import design, regression
from tb.bench.build import BUILD, ROOT, build
from tb.bench.measure import Case, measure, prepare, simulate
from tb.bench.regression import Finished, default_chips, matrix, write_junit
from tb.bench.run import run
from tb.cli import sim


@pytest.mark.rtl
@pytest.mark.parametrize("workload", ["gemm_16", "gemm_ragged", "gemm_queue"])
def test_the_core_gives_the_reference_on_every_small_workload(workload):
    measurement, outcome = measure(Case(bench="core", chip="tiny", workload=workload, seed=3), activity=False)
    assert outcome.passed, outcome.explain()
    assert measurement is not None
    result = measurement.result
    assert sum(result.phases.values()) == result.cycles
    assert sum(layer["cycles"] for layer in result.layers) == result.cycles
    assert result.counts["output_memory.write"] == sum(la["m"] * -(-la["n"] // 4) for la in result.layers)


@pytest.mark.rtl
def test_two_runs_give_equal_results_and_toggles_in_every_component(tmp_path):
    case = Case(bench="core", chip="tiny", workload="gemm_16", seed=7)
    first, _ = measure(case)
    second, _ = measure(case)
    assert first is not None
    assert second is not None
    assert record.result_bytes(first.result) == record.result_bytes(second.result)
    assert {"mac_array", "accumulator", "output_stage", "activation_memory"} <= first.result.toggles.keys()
    assert min(first.result.toggles.values()) > 0
    assert first.result.toggles["mac_array"] > first.result.toggles["command"]


@pytest.mark.rtl
def test_a_wrong_cell_is_reported_with_row_column_values_and_waveform_time(tmp_path):
    emitted = design.design("core", "tiny")
    head, multiply, tail = emitted.verilog.rpartition(") * $signed(")
    text = f"{head}) + $signed({tail}"  # in the last cell printed
    assert multiply
    wrong = tmp_path / "core_tiny.v"
    wrong.write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    mutant = dataclasses.replace(emitted, verilog_path=wrong, digest=digest)
    built = build(mutant, "none", design.published(design.load("core"), mutant))
    case = Case(bench="core", chip="tiny", workload="gemm_ragged", seed=2)
    outcome = run(
        built,
        "tb.npu.core_tests",
        seed=2,
        parameters={"chip": "tiny", "workload": "gemm_ragged"},
        run_dir=tmp_path / "run",
        reproduce=case.command,
    )
    assert not outcome.passed
    assert outcome.failure is not None
    for part in ("row ", "column ", "expected ", ", got ", " ns in the waveform", "elements differ"):
        assert part in outcome.failure
    told = re.search(r"(\S+) ns in the waveform", outcome.failure)
    assert told is not None
    assert 0 < int(told[1]) < outcome.tests[0].simulated_ns
    assert "make sim CHIP=tiny WORKLOAD=gemm_ragged BENCH=core SEED=2" in outcome.explain()


@pytest.mark.rtl
def test_waveforms_and_their_save_file_name_the_same_signals():
    import pywellen

    from tb.bench.wave import save_file

    case = Case(bench="core", chip="tiny", workload="gemm_16", seed=1)
    built = prepare(case, "fst")
    outcome = simulate(case, built)
    assert outcome.passed, outcome.explain()
    assert outcome.trace is not None
    save = save_file(built.emitted.manifest, outcome.trace, outcome.folder / "test.gtkw")
    named = [line.split()[-1].split("[")[0] for line in save.read_text().splitlines() if line.startswith("+{")]
    inside = {variable.full_name for variable in pywellen.Waveform(str(outcome.trace)).all_vars()}
    assert len(named) > 50
    missing = [name for name in named if name not in inside]
    assert not missing


@pytest.mark.rtl
def test_a_stopped_regression_leaves_nothing_half_written_and_goes_on(tmp_path):
    for name in ("core.tiny.gemm_16.91", "core.tiny.gemm_16.92", "core.tiny.gemm_16.93", "core.tiny.gemm_16.94"):
        (BUILD / "regress" / f"{name}.json").unlink(missing_ok=True)
    command = [sys.executable, "-m", "tb", "regress", "--bench", "core", "--chip", "tiny", "--workload", "gemm_16"]
    command += [word for seed in (91, 92, 93, 94) for word in ("--seed", str(seed))]
    log = open(tmp_path / "log", "w+")  # noqa: SIM115 (read while the process writes)
    # a shell's background job, which these tests may be, ignores interrupts and so would its children
    taken = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, preexec_fn=taken)
    limit = time.monotonic() + 240
    while "[1/4]" not in (tmp_path / "log").read_text():
        assert process.poll() is None, (tmp_path / "log").read_text()
        assert time.monotonic() < limit, (tmp_path / "log").read_text()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    log.close()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout
    assert "of 4 cases passed before with the same key" in done.stdout
    assert "4 passed, 0 failed" in done.stdout
    suites = ElementTree.parse(BUILD / "regress" / "junit.xml").getroot().findall("testsuite")
    assert [suite.get("name") for suite in suites] == [f"core.tiny.gemm_16.{seed}" for seed in (91, 92, 93, 94)]
    assert all(suite.find("testcase") is not None for suite in suites)


@pytest.mark.rtl
def test_the_speeds_of_cocotb_and_of_a_plain_loop_are_printed_with_their_ratio():
    done = subprocess.run(
        [sys.executable, "-m", "tb", "bench", "--chip", "tiny", "--repeat", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    lines = {line.split()[0]: line.split() for line in done.stdout.splitlines()}
    plain, cocotb = (float(lines[name][1].replace(",", "")) for name in ("plain", "cocotb"))
    assert plain > cocotb > 0.1 * plain, done.stderr
    assert abs(float(lines["ratio"][1].rstrip("%")) / 100 - cocotb / plain) < 0.02


def test_a_matrix_leaves_out_what_does_not_fit_and_says_why():
    said = []
    cases = matrix(["core", "fifo"], ["tiny"], ["gemm_16", "gemm_512", "resnet50"], [1, 2], said.append)
    assert [case.name for case in cases] == [
        "core.tiny.gemm_16.1",
        "core.tiny.gemm_16.2",
        "fifo.tiny.1",
        "fifo.tiny.2",
    ]
    assert any("gemm_512 on tiny" in reason for reason in said)
    assert any("resnet50 on tiny" in reason for reason in said)


def test_by_default_a_regression_builds_no_chip_of_several_cores():
    cases = matrix(["core", "fifo"], default_chips(), ["gemm_16"], [1])
    assert {case.chip for case in cases} >= {"tiny", "npu_16"}
    assert "furiosa_warboy" not in {case.chip for case in cases}
    assert not matrix(["core"], ["furiosa_warboy"], ["gemm_16"], [1])


def test_a_result_holds_for_its_key_only(tmp_path, monkeypatch):
    monkeypatch.setattr(regression, "BUILD", tmp_path)
    case = Case(bench="fifo", chip="tiny")
    (tmp_path / "regress").mkdir()
    (tmp_path / "junit").mkdir()
    (tmp_path / "junit" / "fifo.tiny.1.xml").write_text("<testsuites/>")
    held = tmp_path / "regress" / "fifo.tiny.1.json"
    held.write_text('{"key": "a", "passed": true, "seconds": 1.0}')
    known = regression._read(case, "a")
    assert known is not None
    assert known.resumed
    assert regression._read(case, "b") is None
    held.write_text('{"key": "a", "passed": false, "seconds": 1.0}')
    assert regression._read(case, "a") is None
    held.write_text('{"key": "a", "pas')
    assert regression._read(case, "a") is None


def test_a_case_without_results_is_a_failure_in_the_junit_file(tmp_path, monkeypatch):
    monkeypatch.setattr(regression, "BUILD", tmp_path)
    case = Case(bench="fifo", chip="tiny")
    path = write_junit(
        [Finished(case=case, key="", passed=False, failure="the simulator was ended after 3 s", seconds=3.0)],
        tmp_path / "regress.xml",
    )
    failure = ElementTree.parse(path).getroot().find("testsuite/testcase/failure")
    assert failure is not None
    assert failure.get("message") == "the simulator was ended after 3 s"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bench": "cor"}, "bench must be a known one.*did you mean 'core'"),
        ({"chip": "tinny"}, "chip must be a known one.*did you mean 'tiny'"),
        ({"workload": "gem_16"}, "workload must be a known one.*did you mean 'gemm_16'"),
        ({"seed": -1}, "the seed must be from 0 to"),
        ({"workload": "resnet50"}, "must hold operands to run on RTL"),
        ({"chip": "furiosa_warboy"}, "must have a chip of one core, .* among 128; choose one of npu_16, .*tiny"),
        ({"chip": "hbm_pim"}, "RTL needs a chip with a core, .* choose one of .*npu_16.*tiny"),
    ],
)
def test_a_case_that_cannot_be_run_is_refused_before_anything_is_built(changes, message):
    with pytest.raises(InputError, match=message):
        Case(**({"bench": "core", "chip": "tiny", "workload": "gemm_16"} | changes))


def test_the_command_line_leaves_with_2_on_bad_input():
    done = subprocess.run(
        [sys.executable, "-m", "tb", "sim", "--chip", "tinny"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: chip must be a known one")
    assert done.stderr.count("\n") == 1


def test_a_bench_without_workloads_takes_none():
    import argparse

    arguments = argparse.Namespace(
        chip="tiny", workload="digits", bench="fifo", seed=1, network=None, input=None, text=None, pim=None, tokens=None
    )
    assert sim.case_of(arguments).command == "make sim CHIP=tiny BENCH=fifo SEED=1"
