"""Joules at the gates: synthesis, the workload's operands, glitches; per component, per event, by operand class.

examples:
  kcloud-cosim energy --chip npu_16 --workload digits
  kcloud-cosim energy --chip hbm_pim --clock-gating
"""

import argparse
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hw import chips
from hw.base import place
from hw.base.error import InputError
from hw.base.file import write_atomically
from hw.base.seed import seed
from hw.gates import library, synthesis
from hw.gates import streams as operands
from hw.gates.clock_gating import gated
from hw.gates.library import Process
from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from hw.spec.crossbar import CrossbarSpec
from hw.spec.number import number_format
from hw.spec.pim import PimSpec
from model import workloads
from model.lowering import lower
from tb.gates import core as gates
from tb.gates import crossbar, events, memories, nodes, operators, pim_unit, report, table
from tb.gates.capture import capture, check_order
from tb.gates.floating import CLASSES, DTYPES, FloatArray
from tb.gates.output_stationary_array import OutputStationaryIntegers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Chip, workload, clock, cell library."""
    parser.add_argument(
        "--chip",
        type=chips.option,
        default="npu_16",
        help="an integer core, or a weight-stationary one of " + ", ".join(DTYPES) + " with synthetic operands",
    )
    parser.add_argument("--workload", default="digits")
    parser.add_argument("--seed", type=seed, default=1)
    parser.add_argument("--library", default="mini45", help=", ".join(library.NAMES))
    parser.add_argument("--clock", type=float, default=0.25, help="GHz, for the leakage per cycle")
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument(
        "--formats",
        default="",
        help=f"arrays of other formats as well: {','.join(DTYPES)}; half a minute of one processor each",
    )
    parser.add_argument(
        "--test",
        default="",
        metavar="WORKLOAD",
        help="another workload whose run on the RTL is "
        "priced by the events fitted on the first and compared with its gates",
    )
    parser.add_argument(
        "--clock-gating",
        action="store_true",
        help="the same with clock gates at registers that share an enable, and what they save: integer "
        "weight-stationary cores and PIM units",
    )
    parser.add_argument("--write-table", action="store_true", help="write model/energy/tables/<library>_<chip>.py")


def run(arguments: argparse.Namespace) -> int:
    """Measure, print, keep build/energy/<chip>/<workload>.json; every part that is done is not done again."""
    start, used = time.monotonic(), _cpu_s()
    if not 0 < arguments.clock < float("inf"):
        raise InputError(f"--clock must be above 0 GHz, not {arguments.clock:g}; give the clock of the leakage")
    chip = chips.load(arguments.chip)
    own = None if chip.machine is None else WHOLE.get(chip.kind.name)
    if arguments.clock_gating and own is _crossbar:
        raise InputError(_NO_GATES.format(chip=arguments.chip))
    if own is not None:
        return own(arguments, chip)
    core = gates.core_of(chip)
    array = core.array
    fitted = not array.is_floating_point and MEASURES[core.kind] is _weight_stationary
    if not fitted and (arguments.write_table or arguments.test):
        raise InputError(
            "energies of events must be fitted on operands that an RTL run moved, captured of integer "
            f"weight-stationary cores, not of {arguments.chip}; leave --write-table and --test out"
        )
    if arguments.clock_gating and not fitted:
        raise InputError(_NO_GATES.format(chip=arguments.chip))
    process = library.load(arguments.library, arguments.build)
    formats = [f for f in arguments.formats.split(",") if f]
    for number in formats:
        if number not in DTYPES:
            raise InputError(f"--formats must be some of {', '.join(DTYPES)}, not {number!r}; leave it out for INT8")
    folder = arguments.build / "energy" / arguments.chip
    workload = "synthetic" if array.is_floating_point else arguments.workload
    if array.is_floating_point:
        record = _float(process, arguments, FloatArray.of(core, process, arguments.build, arguments.clock))
    else:
        record = MEASURES[core.kind](process, arguments, core)
    for number in formats:
        record[number] = _float(process, arguments, FloatArray(number, process, arguments.build, arguments.clock))
    folder.mkdir(parents=True, exist_ok=True)
    if process.library.node_nm == 45:
        _nodes(arguments, record["pj_per_mac"], array.activation_format, folder / "nodes.png")
    record = {"chip": arguments.chip, "workload": workload, "clock_ghz": arguments.clock, **record}
    name = folder / f"{workload}.json"
    write_atomically(name, json.dumps(record, indent=1) + "\n")
    table.plot(record, name.with_suffix(".png"))
    print(f"{name}, .png and nodes.png: {time.monotonic() - start:.0f} s, {_cpu_s() - used:.0f} s of processors")
    return 0


def _weight_stationary(process: Process, arguments: argparse.Namespace, spec: CoreSpec) -> dict[str, Any]:
    gemms = _gemms(arguments, spec)
    captured = capture(arguments.chip, spec, arguments.workload, arguments.seed, arguments.build, _say)
    core = gates.Core(spec, process, arguments.build, arguments.clock)
    _say(report.blocks_text(process, f"{arguments.chip} on {arguments.workload}", core.blocks, arguments.clock))
    check_order(captured, spec, gemms)
    _say(
        f"operands: {captured.cycles} cycles of the RTL (Verilog {captured.verilog_digest}), rows and weights equal "
        "to the lowering order"
    )
    macs = spec.array.cells * spec.array.terms_per_lane
    measured = {arguments.workload: core.measure(captured.streams)}
    for name, pair in _classes(arguments, spec, gemms).items():
        measured[name] = core.measure(core.synthetic(pair), core.duty(pair))
    _say(report.components_text(measured, macs))
    busy = float(captured.events["macs"].sum() / spec.array.cells / captured.cycles)
    own = report.per_mac(measured[arguments.workload], macs)
    print(
        f"{arguments.workload} is the RTL's whole run, rows enter in {busy:.0%} of its cycles: "
        f"{own[1] / busy:.3f} pJ per MAC ({own[0] / busy:.3f} to {own[2] / busy:.3f});\nthe others are rows back to "
        "back (trained: operands of the workload, the rest synthetic)"
    )
    print("\n" + operators.text(operators.operators(process, arguments.build, arguments.seed)))
    if arguments.clock_gating:
        with_gates = gates.Core(spec, process, arguments.build, arguments.clock, gated(synthesis.RECIPE))
        after = with_gates.measure(captured.streams)
        _say(report.gating_text(core.blocks, with_gates.blocks, measured[arguments.workload], after))
    fitted = events.fit(core, captured, measured[arguments.workload])
    print(
        "\nevents, pJ: "
        + ", ".join(f"{e} {v:.3f}" for e, v in fitted.energy_pj.items())
        + f", clock and leakage {fitted.cycle_pj:.0f} per cycle"
    )
    print(
        f"sum of events against gates: {fitted.test_error:+.1%} on the half of the cycles that was not fitted, "
        f"{fitted.total_error:+.1%} on all"
    )
    if arguments.test:
        other = capture(arguments.chip, spec, arguments.test, arguments.seed, arguments.build, _say)
        error = events.error_on(fitted, core, other, core.measure(other.streams))
        print(f"sum of the same events against the gates on {arguments.test}, {other.cycles} cycles: {error:+.1%}")
    print("\n" + "\n".join(memories.text(arguments.chip, spec, arguments.workload, arguments.seed)))
    record = report.record(process, core.blocks, measured, macs)
    if arguments.write_table:
        path = (
            place.checkout("writing an energy table")
            / "model/energy/tables"
            / f"{arguments.library}_{arguments.chip}.py"
        )
        write_atomically(path, table.table(arguments.chip, arguments.workload, core, measured, fitted, captured))
        print(f"table written to {path.name}")
    return {
        **record,
        "events_pj": fitted.energy_pj,
        "cycle_pj": fitted.cycle_pj,
        "event_error": fitted.test_error,
        "verilog": captured.verilog_digest,
    }


def _output_stationary(process: Process, arguments: argparse.Namespace, spec: CoreSpec) -> dict[str, Any]:
    gemms = _gemms(arguments, spec)
    core = OutputStationaryIntegers(spec, process, arguments.build, arguments.clock)
    _say(report.blocks_text(process, f"{arguments.chip} on {arguments.workload}", core.blocks, arguments.clock))
    measured = {name: core.measure(pair) for name, pair in _classes(arguments, spec, gemms).items()}
    macs = spec.array.cells * spec.array.terms_per_lane
    _say(report.components_text(measured, macs))
    print(
        "folds back to back, every drained sum of the netlist equal to the product (trained: operands of the "
        "workload, the rest\nsynthetic); the accumulator is a buffer there, a memory like the others"
    )
    print("\n" + "\n".join(memories.text(arguments.chip, spec, arguments.workload, arguments.seed)))
    return report.record(process, core.blocks, measured, macs)


def _float(process: Process, arguments: argparse.Namespace, array: FloatArray) -> dict[str, Any]:
    _say(
        report.blocks_text(
            process,
            f"{array.number} array of {array.rows} x {array.columns}, FP32 sums, synthetic operands",
            array.blocks,
            arguments.clock,
        )
    )
    measured = {name: array.measure(name, arguments.seed) for name in CLASSES}
    _say(report.components_text(measured, array.rows * array.columns))
    return report.record(process, array.blocks, measured, array.rows * array.columns)


def _gemms(arguments: argparse.Namespace, spec: CoreSpec) -> list[tuple[np.ndarray, np.ndarray]]:
    if arguments.test:  # before anything is measured
        lower.check_formats(spec, workloads.load(arguments.test).jobs(arguments.seed))
    workload = workloads.load(arguments.workload)
    lower.check_formats(spec, workload.jobs(arguments.seed))
    return gates.operands_of(workload, arguments.seed)


def _classes(
    arguments: argparse.Namespace, spec: CoreSpec, gemms: Sequence[tuple[np.ndarray, np.ndarray]]
) -> dict[str, list[tuple[np.ndarray, np.ndarray]]]:
    """The workload's operands, and synthetic ones of four row blocks by two column blocks."""
    array = spec.array
    k, n = 4 * array.rows * array.terms_per_lane, 2 * array.columns
    bits = number_format(array.activation_format).bits, number_format(array.weight_format).bits
    return {
        "trained": [(a[:256], w) for a, w in gemms],
        **{c: [operands.operand_class(c, 256, k, n, arguments.seed, bits)] for c in operands.OPERAND_CLASSES},
    }


def _nodes(arguments: argparse.Namespace, classes: nodes.Ranges, number: str, path: Path) -> None:
    """Prints and draws what the array would cost at other nodes."""
    usual = next(c for c in ("trained", "trained-like") if c in classes)
    print("\n" + "\n".join(nodes.text(classes[usual], number)))
    nodes.plot(
        {c: classes[c] for c in ("random", usual, "zeros")},
        number,
        path,
        f"{arguments.chip}, scaled from 45 nm: array, skew, adders and output stage, no memories",
    )


def _cpu_s() -> float:
    """Processor time of this process and of those it waited for."""
    t = os.times()
    return t.user + t.system + t.children_user + t.children_system


def _crossbar(arguments: argparse.Namespace, chip: Chip) -> int:
    machine = chips.machine(chip, CrossbarSpec, "a crossbar at the gates")
    process = library.load(arguments.library, arguments.build)
    print(*crossbar.lines(crossbar.measure(machine, process, arguments.build, arguments.seed)), sep="\n")
    return 0


def _pim_unit(arguments: argparse.Namespace, chip: Chip) -> int:
    spec = chips.machine(chip, PimSpec, "a PIM unit at the gates")
    process = library.load(arguments.library, arguments.build)
    for line in pim_unit.lines(chip.kind.name, spec, process, arguments.build, arguments.seed, arguments.clock_gating):
        _say(line)
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


MEASURES = {"npu_weight_stationary": _weight_stationary, "npu_output_stationary": _output_stationary}
"""Kind of an integer core -> what measures it."""

_NO_GATES = (
    "clock gates must be asked for of an integer weight-stationary core or a PIM unit, not of {chip}; "
    "leave --clock-gating out"
)
WHOLE = {"crossbar": _crossbar, "hbm_pim": _pim_unit, "aim": _pim_unit}
"""Kind of a machine that is measured in a way of its own."""
