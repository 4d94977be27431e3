"""Joules at the gates: synthesis, the workload's operands, glitches; per component, per event, by operand class."""

import argparse
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hw import chips
from hw.gates import library
from hw.gates import streams as operands
from hw.gates.library import Process
from hw.spec.error import InputError
from model import workloads
from tb.gates import core as gates
from tb.gates import events, memories, nodes, operators, table
from tb.gates.capture import capture, check_order
from tb.gates.core import LIBRARY_ERROR, Measured
from tb.gates.floating import CLASSES, COLUMNS, DTYPES, ROWS, FloatArray


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Chip, workload, clock, cell library."""
    parser.add_argument("--chip", default="npu_16", help="an INT8 weight-stationary core, or one of "
                        + ", ".join(DTYPES) + " with synthetic operands")
    parser.add_argument("--workload", default="digits")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--library", default="mini45", help=", ".join(library.NAMES))
    parser.add_argument("--clock", type=float, default=0.25, help="GHz, for the leakage per cycle")
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--formats", default="", help=f"arrays of other formats as well: {','.join(DTYPES)}; half a "
                        "minute of one processor each")
    parser.add_argument("--test", default="", metavar="WORKLOAD", help="another workload whose run on the RTL is "
                        "priced by the events fitted on the first and compared with its gates")
    parser.add_argument("--write-table", action="store_true", help="write model/energy/tables/<library>_<chip>.py")


def run(arguments: argparse.Namespace) -> int:
    """Measure, print, keep build/energy/<chip>/<workload>.json; every part that is done is not done again."""
    start, used = time.monotonic(), _cpu_s()
    chip = chips.load(arguments.chip)
    process = library.load(arguments.library, arguments.build)
    formats = [f for f in arguments.formats.split(",") if f]
    for number in formats:
        if number not in DTYPES:
            raise InputError(f"--formats must be some of {', '.join(DTYPES)}, not {number!r}; leave it out for INT8")
    folder = arguments.build / "energy" / arguments.chip
    if chip.core is not None and chip.core.array.is_floating_point and chip.core.array.dataflow == "ws":
        number = chip.core.array.activation_format
        if number not in DTYPES or arguments.write_table:
            raise InputError(f"floating-point energy at the gates covers {', '.join(DTYPES)} without --write-table, "
                             f"not that of {arguments.chip}; try npu_16_bf16")
        array = FloatArray(number, process, arguments.build, arguments.clock, chip.core.array.mac_latency,
                           chip.core.output_format)
        record = {**_float(process, arguments, array), "workload": "synthetic"}
        folder.mkdir(parents=True, exist_ok=True)
        nodes.plot(record["pj_per_mac"], number, folder / "nodes.png", f"{arguments.chip}, scaled from 45 nm")
    else:
        record = _integer(process, arguments, chip, folder)
        for number in formats:
            array = FloatArray(number, process, arguments.build, arguments.clock)
            record[number] = _float(process, arguments, array)
    name = folder / f"{record['workload']}.json"
    _write(name, json.dumps(record, indent=1) + "\n")
    table.plot(record, name.with_suffix(".png"))
    print(f"{name}, .png and nodes.png: {time.monotonic() - start:.0f} s, {_cpu_s() - used:.0f} s of processors")
    return 0


def _integer(process: Process, arguments: argparse.Namespace, chip: Any, folder: Path) -> dict[str, Any]:
    workload, spec = workloads.load(arguments.workload), gates.core_of(chip, arguments.chip)
    gemms = gates.operands_of(workload, arguments.seed)
    captured = capture(arguments.chip, spec, arguments.workload, arguments.seed, arguments.build, _say)
    core = gates.Core(spec, process, arguments.build, arguments.clock)
    area = _blocks(process, f"{arguments.chip} on {arguments.workload}", core.blocks, arguments.clock)
    check_order(captured, spec, gemms)
    print(f"operands: {captured.cycles} cycles of the RTL (Verilog {captured.verilog_digest}), rows and weights equal "
          "to the lowering order")
    k, n, cells = 4 * spec.array.rows, 2 * spec.array.columns, spec.array.cells
    measured = {arguments.workload: core.measure(captured.streams)}
    matrices = {"trained": [(a[:256], w) for a, w in gemms]}
    matrices |= {c: [operands.operand_class(c, 256, k, n, arguments.seed)] for c in operands.OPERAND_CLASSES}
    for name, pair in matrices.items():
        measured[name] = core.measure(core.synthetic(pair), core.duty(pair))
    _components(measured, cells)
    busy = float(captured.events["macs"].sum() / cells / captured.cycles)
    own = _per_mac(measured[arguments.workload], cells)
    print(f"{arguments.workload} is the RTL's whole run, rows enter in {busy:.0%} of its cycles: "
          f"{own[1] / busy:.3f} pJ per MAC ({own[0] / busy:.3f} to {own[2] / busy:.3f});\nthe others are rows back to "
          "back (trained: operands of the workload, the rest synthetic)")
    print("\n" + operators.text(operators.operators(process, arguments.build, arguments.seed)))
    fitted = events.fit(core, captured, measured[arguments.workload])
    print("\nevents, pJ: " + ", ".join(f"{e} {v:.3f}" for e, v in fitted.energy_pj.items())
          + f", clock and leakage {fitted.cycle_pj:.0f} per cycle")
    print(f"sum of events against gates: {fitted.test_error:+.1%} on the half of the cycles that was not fitted, "
          f"{fitted.total_error:+.1%} on all")
    if arguments.test:
        other = capture(arguments.chip, spec, arguments.test, arguments.seed, arguments.build, _say)
        error = events.error_on(fitted, core, other, core.measure(other.streams))
        print(f"sum of the same events against the gates on {arguments.test}, {other.cycles} cycles: {error:+.1%}")
    print("\n" + "\n".join(memories.text(arguments.chip, spec, arguments.workload, arguments.seed)))
    record = _record(process, arguments, core.blocks, area, measured, cells)
    record |= {"events_pj": fitted.energy_pj, "cycle_pj": fitted.cycle_pj, "event_error": fitted.test_error,
               "verilog": captured.verilog_digest}
    folder.mkdir(parents=True, exist_ok=True)
    if process.library.node_nm == 45:
        print("\n" + "\n".join(nodes.text(record["pj_per_mac"]["trained"], "int8")))
        shown = {c: record["pj_per_mac"][c] for c in ("random", "trained", "zeros")}
        nodes.plot(shown, "int8", folder / "nodes.png",
                   f"{arguments.chip}, scaled from 45 nm: array, skew, adders and output stage, no memories")
    if arguments.write_table:
        path = Path(__file__).resolve().parents[2] / "model/energy/tables" / f"{arguments.library}_{arguments.chip}.py"
        _write(path, table.table(arguments.chip, arguments.workload, core, measured, fitted, captured))
        print(f"table written to {path.name}")
    return record


def _float(process: Process, arguments: argparse.Namespace, array: FloatArray) -> dict[str, Any]:
    number = array.number
    area = _blocks(process, f"{number} array of {ROWS} x {COLUMNS}, FP32 sums, synthetic operands", array.blocks,
                   arguments.clock)
    measured = {name: array.measure(name, arguments.seed) for name in CLASSES}
    _components(measured, ROWS * COLUMNS)
    record = _record(process, arguments, array.blocks, area, measured, ROWS * COLUMNS)
    if process.library.node_nm == 45:
        print("\n" + "\n".join(nodes.text(record["pj_per_mac"]["trained-like"], number)))
    return record


def _blocks(process: Process, title: str, blocks: Sequence[tuple[str, Any, float]], clock_ghz: float) -> float:
    """Prints copies, gates, area and clock of every block; the area of all, um2."""
    print(f"\n{title}, cells {process.library.name}, {process.library.voltage_v:g} V, {clock_ghz:g} GHz, library "
          f"{process.library.digest}\n\n{'block':14}{'copies':>8}{'cells':>7}{'area um2':>10}{'max GHz':>9}")
    for name, block, copies in blocks:
        print(f"{name:14}{copies:8g}{len(block.netlist.instances):7}{block.netlist.area_um2:10.0f}"
              f"{block.timing.clock_ghz:9.2f}")
    area = sum(b.netlist.area_um2 * n for _, b, n in blocks)
    print(f"total {area / 1e6:.3f} mm2 of cells, without memories, control and wiring")
    return area


def _components(measured: Mapping[str, Sequence[Measured]], cells: int) -> None:
    names = [m.block for m in next(iter(measured.values()))]
    print(f"\n{'pJ per MAC slot':16}" + "".join(f"{n:>16}" for n in names) + f"{'sum':>9}   interval")
    for name, found in measured.items():
        low, total, high = _per_mac(found, cells)
        print(f"{name:16}" + "".join(f"{m.pj() * m.instances / cells:16.3f}" for m in found)
              + f"{total:9.3f}   {low:.3f} to {high:.3f}")
        spreads = (f"{m.glitches.mean:.2f} ({m.glitches.low:.2f}-{m.glitches.high:.2f})" for m in found)
        print(f"{'  glitch factor':16}" + "".join(f"{s:>16}" for s in spreads))


def _per_mac(measured: Sequence[Measured], cells: int) -> tuple[float, float, float]:
    """Low, nominal, high pJ per MAC slot: glitch spread, then the error of the library."""
    def total(values: list[float]) -> float:
        return sum(v * m.instances for v, m in zip(values, measured, strict=True)) / cells

    return (total([m.low_pj for m in measured]) * (1 - LIBRARY_ERROR), total([m.pj() for m in measured]),
            total([m.high_pj for m in measured]) * (1 + LIBRARY_ERROR))


def _record(
    process: Process, arguments: argparse.Namespace, blocks: Sequence[tuple[str, Any, float]], area_um2: float,
    measured: Mapping[str, Sequence[Measured]], cells: int,
) -> dict[str, Any]:
    ends = ("low", "nominal", "high")
    return {
        "chip": arguments.chip, "workload": arguments.workload, "library": process.library.digest,
        "netlists": {name: b.netlist.digest for name, b, _ in blocks}, "area_um2": area_um2,
        "pj_per_mac": {c: dict(zip(ends, _per_mac(m, cells), strict=True)) for c, m in measured.items()},
        "components_pj": {c: {x.block: x.pj() * x.instances for x in m} for c, m in measured.items()},
        "clock_ghz": arguments.clock,
    }


def _cpu_s() -> float:
    """Processor time of this process and of those it waited for."""
    t = os.times()
    return t.user + t.system + t.children_user + t.children_system


def _write(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    part.write_text(text)
    os.replace(part, path)


def _say(line: str) -> None:
    print(line, flush=True)
