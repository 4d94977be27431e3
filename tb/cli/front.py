"""Build every core of an explored front to RTL and hold it to its prediction: 0 cycles off, or say where.

examples:
  kcloud-cosim front digits_small
  kcloud-cosim front digits_cnn_int8 --most 5 --store results
  kcloud-cosim front digits_small --gates
  kcloud-cosim front digits_cnn_int8 --dask tcp://127.0.0.1:8786

Each core is emitted, built and run in Verilator on a part of every layer of its workload (as much as one command
holds); values are compared with the reference in the simulator, cycles with the closed form the sweep used. Each core
is a task of its own, of this process, of several or of a Dask cluster whose workers see the same folder. With --gates
area and energy are measured at the gates, on random operands, and stand beside what the sweep assumed.
"""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

from hw.base.error import InputError
from hw.base.file import write_atomically
from hw.gates import library
from hw.gates import streams as operands
from hw.rtl.emit.verilog import emit
from hw.rtl.npu.core_top import CoreTop
from hw.spec.core import CoreSpec
from hw.spec.number import number_format
from model.lowering import lower
from model.sweep.chain import chain
from model.sweep.executor import opened
from model.sweep.front import Design, front_of
from model.sweep.prices import MAC_ENERGY
from model.sweep.run import store_at
from model.sweep.space import Space
from model.sweep.space_file import load
from model.sweep.subjects import core as cores
from model.sweep.subjects.core import logic_area
from model.work.workload import Gemm
from tb.bench.build import BUILD, build
from tb.bench.protocol import Checked
from tb.bench.run import run as simulate
from tb.gates import core as gates
from tb.gates import report, whole_core
from tb.npu.agreement_tests import MEMORIES, Case, parameters

CLOCK_GHZ = 1.0
"""Clock of the energies at the gates, which leakage is divided by."""

LARGEST = 20_000
"""Cycles of one layer's part that are simulated at most."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which front, how much of it."""
    parser.add_argument("space", metavar="SPACE", help="a space that `explore` has evaluated, its points cores")
    parser.add_argument("--store", type=Path, metavar="DIR", help="default: build/explore/SPACE")
    parser.add_argument("--most", type=int, default=20, metavar="N", help="cores to build (default %(default)s)")
    parser.add_argument("--gates", action="store_true", help="area and energy at the gates too; a minute or two a core")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default: 1; a build uses two)")
    parser.add_argument(
        "--dask", default="", metavar="WHERE", help="local, slurm, lsf or tcp://HOST:PORT of a scheduler"
    )
    parser.add_argument("--json", action="store_true", help="one object a core")


def run(arguments: argparse.Namespace) -> int:
    """0 if every core's RTL takes the predicted cycles, 1 otherwise."""
    if arguments.most < 1:
        raise InputError(f"most must be at least 1, not {arguments.most}; build at least one core")
    space = load(arguments.space)
    if space.subject != "core":
        raise InputError(f"a front to build must be of cores, not of subject {space.subject!r}; choose another space")
    folder = arguments.store or Path("build/explore") / Path(arguments.space).stem
    if arguments.workers < 1:
        raise InputError(f"workers must be at least 1, not {arguments.workers}; choose another")
    store = store_at(folder)
    found = front_of(space, store, whole=not (folder / "front.json").is_file()).members[: arguments.most]
    done: dict[int, dict] = {}
    with opened(arguments.workers, arguments.dask, tasks=len(found)) as mapped:
        for place, row in mapped(measure, [(space, design, arguments.gates) for design in found]):
            done[place] = row
            if not arguments.json:
                _say(row, len(done), len(found))
            rows = [done[index] for index in sorted(done)]
            write_atomically(folder / "front_rtl.json", json.dumps(rows, indent=1) + "\n")
    rows = [done[index] for index in sorted(done)]
    wrong = sum(row["off"] != 0 for row in rows)
    if arguments.json:
        print(json.dumps(rows, indent=1))
    else:
        print(f"{len(rows)} cores built and run, {wrong} of them off; {folder / 'front_rtl.json'}")
    return 1 if wrong else 0


def _say(row: dict, number: int, of: int) -> None:
    axes = ", ".join(f"{name} {value}" for name, value in row["axes"].items())
    print(
        f"{number:3} of {of}  {axes}: {row['measured']:,} cycles measured, {row['predicted']:,} predicted, "
        f"{row['off']} off ({row['layers']} layers, {row['seconds']:.0f} s)",
        flush=True,
    )
    for line in row["where"]:
        print(f"       {line}")
    if "gates" in row:
        gates = row["gates"]
        print(
            f"       at the gates {gates['area_mm2']:.4f} mm2 without memories, the sweep assumed "
            f"{gates['assumed_area_mm2']:.4f} ({gates['assumed_area_mm2_low']:.4f} to "
            f"{gates['assumed_area_mm2_high']:.4f}); {gates['pj_per_mac']:.2f} pJ a MAC on random operands, assumed "
            f"{gates['assumed_pj_per_mac']:.2f} ({gates['assumed_pj_per_mac_low']:.2f} to "
            f"{gates['assumed_pj_per_mac_high']:.2f}); at most {gates['clock_ghz']:.2f} GHz",
            flush=True,
        )


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


def measure(space: Space, design: Design, at_gates: bool = False) -> dict:
    """One core: its parts predicted by the sweep's own count and run on its RTL; what a worker does."""
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
        **({"gates": gates_of(core)} if at_gates else {}),
        "axes": dict(design.axes),
        "layers": len(parts),
        "measured": measured,
        "predicted": predicted,
        "off": measured - predicted if not where else sum(1 for _ in where),
        "where": where,
        "seconds": round(time.monotonic() - start, 1),
    }


def gates_of(core: CoreSpec) -> dict[str, float]:
    """Area without memories, clock and energy of `core` at 45 nm gates, beside what the sweep assumes of them.

    Energy is per multiply-accumulate of an array whose rows come back to back with random operands, glitches and clock
    included, as the sweep's own price is.
    """
    if core.array.is_floating_point or core.array.rows_per_word > 1:
        raise InputError("cores at the gates must be weight-stationary with integers; leave --gates out")
    process, array = library.load("mini45"), core.array
    whole, parts = whole_core.measure(core, process, BUILD), gates.Core(core, process, BUILD, CLOCK_GHZ)
    bits = number_format(array.activation_format).bits, number_format(array.weight_format).bits
    k, n = 4 * array.rows * array.terms_per_lane, 2 * array.columns
    pair = [operands.operand_class("random", 256, k, n, 1, bits)]
    low, middle, high = report.per_mac(
        parts.measure(parts.synthetic(pair), parts.duty(pair)), array.cells * array.terms_per_lane
    )
    price = MAC_ENERGY[array.activation_format]
    cells = array.terms_per_lane  # a cell's cycle is so many multiply-accumulates
    areas = logic_area(core)
    return {
        "area_mm2": whole.area_mm2,
        "clock_ghz": whole.clock_ghz,
        "pj_per_mac": middle,
        "pj_per_mac_low": low,
        "pj_per_mac_high": high,
        "assumed_area_mm2": areas[1],
        "assumed_area_mm2_low": areas[0],
        "assumed_area_mm2_high": areas[2],
        "assumed_pj_per_mac": price.nominal / cells,
        "assumed_pj_per_mac_low": price.minimum / cells,
        "assumed_pj_per_mac_high": price.maximum / cells,
    }
