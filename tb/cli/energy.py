"""Joules at the gates: synthesis, the workload's operands, glitches; per component, per event, by operand class."""

import argparse
import json
import os
import time
from pathlib import Path

from hw import chips
from hw.gates import library, scaling
from hw.gates import streams as operands
from model import workloads
from model.energy import origin
from tb import gates
from tb import gates_events as events
from tb.gates_capture import Capture, capture, check_order
from tb.gates_float import bfloat16_cells
from tb.gates_operators import Operator, common_rate, operators

TABLE_ERROR = gates.LIBRARY_ERROR
_TABLE = '''"""{title}."""

# Written by `make energy CHIP={chip} WORKLOAD={workload}` with --write-table.

from hw.spec.fact import Fact
from model.energy.origin import GateOrigin
from model.energy.table import EnergyTable

_SOURCE = {source!r}

TABLE = EnergyTable(
    title={title!r},
    kind="measured",
    node_nm=45,
    error=Fact(nominal={error}, unit="1", confidence="assumed", source="no layout, glitch model"),
    leaves_out={leaves!r},
    gates=GateOrigin(
        chip={chip!r},
        blocks_digest={blocks_digest!r},
        covers={covers!r},
        liberty={liberty!r},
        liberty_digest={liberty_digest!r},
        rtl={{
{rtl}
        }},
        verilog_digest={verilog_digest!r},
        netlists={{
{netlists}
        }},
    ),
    cycle=Fact(nominal={cycle:.4g}, unit="pJ", confidence="measured",
               source={cycle_source!r}),
    energies={{
{rows}
    }},
)
'''
COVERS = ("cells", "skew registers", "accumulator adders", "output stage")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Chip, workload, clock, cell library."""
    parser.add_argument("--chip", default="npu_16")
    parser.add_argument("--workload", default="digits")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--library", default="mini45", help=", ".join(library.NAMES))
    parser.add_argument("--clock", type=float, default=0.25, help="GHz, for the leakage per cycle")
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--float", action="store_true", help="the BF16 cell as well (a minute more)")
    parser.add_argument("--write-table", action="store_true", help="write model/energy/tables/<library>_<chip>.py")


def run(arguments: argparse.Namespace) -> int:
    """Measure, print, keep build/energy/<chip>/<workload>.json; every part that is done is not done again."""
    start = time.monotonic()
    chip, workload = chips.load(arguments.chip), workloads.load(arguments.workload)
    spec = gates.core_of(chip, arguments.chip)
    gemms = gates.operands_of(workload, arguments.seed)
    captured = capture(arguments.chip, spec, arguments.workload, arguments.seed, arguments.build, _say)
    process = library.load(arguments.library, arguments.build)
    core = gates.Core(spec, process, arguments.build, arguments.clock)
    node = f"{process.library.name}, {process.library.voltage_v:g} V, {arguments.clock:g} GHz"
    print(f"{arguments.chip} on {arguments.workload}, cells {node}, library {process.library.digest}")
    print(f"\n{'block':14}{'copies':>8}{'cells':>7}{'area um2':>10}{'max GHz':>9}")
    for name, block, copies in core.blocks:
        print(f"{name:14}{copies:8g}{len(block.netlist.instances):7}{block.netlist.area_um2:10.0f}"
              f"{block.timing.clock_ghz:9.2f}")
    area = sum(b.netlist.area_um2 * n for _, b, n in core.blocks)
    print(f"total {area / 1e6:.3f} mm2 of cells, without memories, control and wiring")
    check_order(captured, spec, gemms)
    print(f"operands: {captured.cycles} cycles of the RTL (Verilog {captured.verilog_digest}), rows and weights equal "
          "to the lowering order")
    k, n = 4 * spec.array.rows, 2 * spec.array.columns
    measured = {arguments.workload: core.measure(captured.streams)}
    for name in operands.OPERAND_CLASSES:
        matrices = [operands.operand_class(name, 256, k, n, arguments.seed)]
        measured[name] = core.measure(core.synthetic(matrices), core.duty(matrices))
    print(f"\n{'pJ per MAC slot':16}" + "".join(f"{b:>14}" for b, _, _ in core.blocks) + f"{'sum':>9}   interval")
    for name, found in measured.items():
        low, total, high = _per_mac(found, spec.array.cells)
        print(f"{name:16}" + "".join(f"{m.pj() * m.instances / spec.array.cells:14.3f}" for m in found)
              + f"{total:9.3f}   {low:.3f} to {high:.3f}")
        print(f"{'  glitch factor':16}" + "".join(
            f"{f'{m.glitches.mean:.2f} ({m.glitches.low:.2f}-{m.glitches.high:.2f})':>14}".replace(" (", "(")
            for m in found))
    _operators(operators(process, arguments.build, arguments.seed))
    if arguments.float:
        _float(process, arguments.build, arguments.seed)
    fitted = events.fit(core, captured, measured[arguments.workload])
    print("\nevents, pJ: " + ", ".join(f"{e} {v:.3f}" for e, v in fitted.energy_pj.items())
          + f", clock and leakage {fitted.cycle_pj:.0f} per cycle")
    print(f"sum of events against gates: {fitted.test_error:+.1%} on the half of the cycles that was not fitted, "
          f"{fitted.total_error:+.1%} on all")
    record = {
        "chip": arguments.chip, "workload": arguments.workload, "library": process.library.digest,
        "netlists": {name: b.netlist.digest for name, b, _ in core.blocks}, "area_um2": area,
        "pj_per_mac": {c: dict(zip(("low", "nominal", "high"), _per_mac(m, spec.array.cells), strict=True))
                       for c, m in measured.items()},
        "components_pj": {c: {x.block: x.pj() * x.instances for x in m} for c, m in measured.items()},
        "events_pj": fitted.energy_pj, "cycle_pj": fitted.cycle_pj, "event_error": fitted.test_error,
        "clock_ghz": arguments.clock, "verilog": captured.verilog_digest,
    }
    if process.library.node_nm == 45:
        _nodes(record["pj_per_mac"][arguments.workload])
    folder = arguments.build / "energy" / arguments.chip
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / f"{arguments.workload}.json", json.dumps(record, indent=1) + "\n")
    _plot(record, folder / f"{arguments.workload}.png")
    if arguments.write_table:
        path = Path(__file__).resolve().parents[2] / "model/energy/tables" / f"{arguments.library}_{arguments.chip}.py"
        _write(path, _table(arguments, core, measured, fitted, captured))
        print(f"table written to {path.name}")
    print(f"{folder / arguments.workload}.json and .png, {time.monotonic() - start:.0f} s")
    return 0


def _operators(found: list[Operator]) -> None:
    rate = common_rate(found)
    print(f"\n{'operator, pJ':16}{'um2':>7}{'ns':>6}{'random':>9}{'glitches':>10}{'Horowitz':>10}{'implied':>9}"
          f"{f'at {rate:.0%}':>9}{'ratio':>7}")
    for o in found:
        print(f"{o.name:16}{o.area_um2:7.0f}{o.critical_ns:6.2f}{o.random_pj:9.3f}{'x' + format(o.glitch, '.2f'):>10}"
              f"{o.published_pj:10.2f}{o.implied_rate:9.1%}{o.at(rate):9.3f}{o.at(rate) / o.published_pj:7.2f}")
    print("random: every operand new each cycle (half of the bits move), with glitches, 1.0 V; implied: part of the "
          "cycles in\nwhich an operand bit must move for the published figure, no glitches, 0.9 V; then all at the "
          "median of these rates")


def _float(process: library.Process, build: Path, seed: int) -> None:
    cell, found = bfloat16_cells(process, build, seed)
    print(f"\nBF16 cell, FP32 sums: {len(cell.netlist.instances)} cells, {cell.netlist.area_um2:.0f} um2, "
          f"{cell.timing.clock_ghz:.2f} GHz; pJ per MAC, glitch factor, interval with the library's error")
    for f in found:
        print(f"{f.operands:16}{f.pj:8.2f}   x{f.glitches.mean:.2f}   {f.low_pj * (1 - TABLE_ERROR):.2f} to "
              f"{f.high_pj * (1 + TABLE_ERROR):.2f}")


def _nodes(here: dict[str, float]) -> None:
    print("\nscaled by Stillmaker and Baas 2017, pJ per MAC slot (assumed supplies; range of devices and supplies)")
    for node in scaling.VOLTAGES:
        f = scaling.factor(node)
        anchors = ", ".join(f"{p.name} {p.number_format} {p.pj_per_mac:g} ({p.scope})"
                            for p in scaling.PUBLISHED if p.node_nm == node)
        beyond = " extrapolated" if f.extrapolated else ""
        print(f"{node:4} nm {here['nominal'] * f.nominal:7.3f}  "
              f"({here['low'] * f.low:.3f} to {here['high'] * f.high:.3f}){beyond}  {anchors}")


def _per_mac(measured: list[gates.Measured], cells: int) -> tuple[float, float, float]:
    """Low, nominal, high pJ per MAC slot: glitch spread, then the error of the library."""
    def total(values: list[float]) -> float:
        return sum(v * m.instances for v, m in zip(values, measured, strict=True)) / cells

    return (total([m.low_pj for m in measured]) * (1 - TABLE_ERROR), total([m.pj() for m in measured]),
            total([m.high_pj for m in measured]) * (1 + TABLE_ERROR))


def _table(
    arguments: argparse.Namespace, core: gates.Core, measured: dict[str, list[gates.Measured]], fitted: events.Events,
    captured: Capture,
) -> str:
    """The measured energies as the source of an energy table: nominal on the workload, zeros to random as range."""
    def moving(name: str) -> dict[str, float]:
        return {m.block: (m.energy.switching_fj + m.energy.internal_fj) * m.glitches.mean * m.instances / 1000
                for m in measured[name]}

    random, zeros = moving("random"), moving("zeros")
    cells, columns = core.spec.array.cells, core.spec.array.columns
    ranges = {
        "mac_array.mac": [sum(t[b] for b in ("cells", "operand skew", "sum skew")) / cells for t in (zeros, random)],
        "accumulator.write": [t["accumulate"] for t in (zeros, random)],
        "output_stage.requantise": [t["requantise"] / columns for t in (zeros, random)],
    }
    rows = []
    for event, value in fitted.energy_pj.items():
        values = [value, *ranges.get(event, [])]
        rows.append(f'        "{event}": Fact(nominal={value:.4g}, low={min(values):.4g}, high={max(values):.4g},\n'
                    f'            unit="pJ", confidence="measured", source=_SOURCE),')
    library_file = core.cell.process.library
    return _TABLE.format(
        title=f"{arguments.chip} at the gates, operands of {arguments.workload}",
        chip=arguments.chip, workload=arguments.workload, blocks_digest=origin.blocks_digest(core.spec), covers=COVERS,
        rtl="\n".join(f'            "{path}": "{origin.file_digest(path)}",' for path in origin.RTL_FILES),
        liberty=f"hw/cells/{library_file.path.name}", liberty_digest=library_file.digest,
        verilog_digest=captured.verilog_digest, error=TABLE_ERROR, cycle=fitted.cycle_pj,
        netlists="\n".join(f'            "{name}": "{b.netlist.digest}",' for name, b, _ in core.blocks),
        cycle_source=f"clock pins and leakage at {arguments.clock:g} GHz of all gates covered, no clock gating",
        source=f"gate-level activity of captured operands with glitches, {arguments.library} cells; "
               "low zeros, high random operands",
        leaves="memories, control, clock tree, wires beyond a fan-out estimate", rows="\n".join(rows),
    )


def _plot(record: dict, path: Path) -> None:
    """Stacked bars: pJ per MAC slot by component, one bar per operand class."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    names = list(record["components_pj"])
    components = list(record["components_pj"][names[0]])
    total = {n: sum(record["components_pj"][n].values()) for n in names}
    base = dict.fromkeys(names, 0.0)
    for component in components:
        part = {n: record["components_pj"][n][component] / total[n] * record["pj_per_mac"][n]["nominal"] for n in names}
        axes.bar(names, list(part.values()), bottom=list(base.values()), label=component)
        base = {n: base[n] + part[n] for n in names}
    spread = [[v["nominal"] - v["low"] for v in record["pj_per_mac"].values()],
              [v["high"] - v["nominal"] for v in record["pj_per_mac"].values()]]
    axes.errorbar(names, list(base.values()), yerr=spread, fmt="none", ecolor="black", capsize=4)
    axes.set_ylabel("pJ per MAC slot")
    axes.set_title(f"{record['chip']}: energy by operands, cells of {record['library']}")
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def _write(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    part.write_text(text)
    os.replace(part, path)


def _say(line: str) -> None:
    print(line, flush=True)
