"""Build every core of an explored front to RTL and hold it to its prediction: 0 cycles off, or say where.

examples:
  kcloud-cosim front digits_small
  kcloud-cosim front digits_cnn_int8 --most 5 --store results

Each core is emitted, built and run in Verilator on a part of every layer of its workload (as much as one command
holds); values are compared with the reference in the simulator, cycles with the closed form the sweep used.
"""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

from hw.base.error import InputError
from hw.base.file import write_atomically
from hw.rtl.emit.verilog import emit
from hw.rtl.npu.core_top import CoreTop
from hw.spec.core import CoreSpec
from model.lowering import lower
from model.sweep.chain import chain
from model.sweep.front import Design, front_of
from model.sweep.run import store_at
from model.sweep.space import Space
from model.sweep.space_file import load
from model.sweep.subjects import core as cores
from model.work.workload import Gemm
from tb.bench.build import BUILD, build
from tb.bench.protocol import Checked
from tb.bench.run import run as simulate
from tb.npu.agreement_tests import MEMORIES, Case, parameters

LARGEST = 20_000
"""Cycles of one layer's part that are simulated at most."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which front, how much of it."""
    parser.add_argument("space", metavar="SPACE", help="a space that `explore` has evaluated, its points cores")
    parser.add_argument("--store", type=Path, metavar="DIR", help="default: build/explore/SPACE")
    parser.add_argument("--most", type=int, default=20, metavar="N", help="cores to build (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="one object a core")


def run(arguments: argparse.Namespace) -> int:
    """0 if every core's RTL takes the predicted cycles, 1 otherwise."""
    if arguments.most < 1:
        raise InputError(f"most must be at least 1, not {arguments.most}; build at least one core")
    space = load(arguments.space)
    if space.subject != "core":
        raise InputError(f"a front to build must be of cores, not of subject {space.subject!r}; choose another space")
    folder = arguments.store or Path("build/explore") / Path(arguments.space).stem
    found = front_of(space, store_at(folder)).members
    rows, wrong = [], 0
    for index, design in enumerate(found[: arguments.most], start=1):
        row = _measure(space, design)
        rows.append(row)
        wrong += row["off"] != 0
        if not arguments.json:
            axes = ", ".join(f"{name} {value}" for name, value in design.axes.items())
            print(
                f"{index:3} of {min(len(found), arguments.most)}  {axes}: {row['measured']:,} cycles measured, "
                f"{row['predicted']:,} predicted, {row['off']} off ({row['layers']} layers, {row['seconds']:.0f} s)",
                flush=True,
            )
            for line in row["where"]:
                print(f"       {line}")
    write_atomically(folder / "front_rtl.json", json.dumps(rows, indent=1) + "\n")
    if arguments.json:
        print(json.dumps(rows, indent=1))
    else:
        print(f"{len(rows)} cores built and run, {wrong} of them off; {folder / 'front_rtl.json'}")
    return 1 if wrong else 0


def part_of(core: CoreSpec, m: int, n: int, k: int) -> tuple[int, int, int] | None:
    """As much of a product as one command holds and `LARGEST` cycles run; None if its sum does not fit."""
    try:
        tile = lower.split(core, Gemm(name="layer", m=m, n=n, k=k))[0]
    except InputError:
        return None
    rows, columns = tile.m, tile.n
    while chain(core, rows, columns, k).cycles > LARGEST and (rows > 1 or columns > core.array.columns):
        rows, columns = (max(1, rows // 2), columns) if rows > 1 else (rows, max(core.array.columns, columns // 2))
    return rows, columns, k


def _parts(space: Space, core: CoreSpec) -> Iterator[tuple[str, tuple[int, int, int]]]:
    for name in space.distinct["layer"]:
        one = cores.layer(str(name))
        shape = part_of(core, one.m, one.n, one.k)
        if shape is not None:
            yield str(name), shape


def _measure(space: Space, design: Design) -> dict:
    """One core: its parts predicted by the sweep's own count and run on its RTL."""
    start = time.monotonic()
    own = ("bandwidth_gb_s", "clock_ghz")
    core = cores.core_of(cores.base_core(space), tuple((n, v) for n, v in design.axes.items() if n not in own))
    assert core is not None
    parts = dict(_parts(space, core))
    cases = [Case(shapes=[shape], seed=1, offered=[0], blocked={}) for shape in parts.values()]
    public = [f"core_top.dut.{path}" for path in MEMORIES.values()]
    outcome = simulate(
        build(emit(Checked(CoreTop(core)), "core_top", BUILD / "rtl"), public=public),
        "tb.npu.agreement_tests", seed=1, parameters=parameters(core, cases),
    )  # fmt: skip
    if not outcome.passed:
        raise RuntimeError(outcome.explain())
    where, measured, predicted = [], 0, 0
    for (name, shape), counters in zip(parts.items(), outcome.data["counters"], strict=True):
        wanted = chain(core, *shape).cycles
        measured, predicted = measured + counters["busy"], predicted + wanted
        if counters["busy"] != wanted:
            where.append(
                f"{name}, {' x '.join(map(str, shape))}: {counters['cycles']:,} measured, {wanted:,} predicted"
            )
    return {
        "axes": dict(design.axes),
        "layers": len(parts),
        "measured": measured,
        "predicted": predicted,
        "off": measured - predicted if not where else sum(1 for _ in where),
        "where": where,
        "seconds": round(time.monotonic() - start, 1),
    }
