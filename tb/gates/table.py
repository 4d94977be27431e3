"""Measured energies as the source text of an energy table, and their plot by component."""

from collections.abc import Mapping
from io import BytesIO
from itertools import cycle
from pathlib import Path
from typing import Any

from hw.base.file import write_atomically
from hw.base.palette import HATCHES, SAFE
from model.energy import origin
from tb.gates import core as gates
from tb.gates.capture import Capture
from tb.gates.events import Events

COVERS = ("cells", "skew registers", "accumulator adders", "output stage")
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


def table(
    chip: str,
    workload: str,
    core: gates.Core,
    measured: Mapping[str, list[gates.Measured]],
    fitted: Events,
    captured: Capture,
) -> str:
    """The measured energies as the source of an energy table: nominal on the workload, zeros to random as range."""

    def moving(name: str) -> dict[str, float]:
        return {
            m.block: (m.energy.switching_fj + m.energy.internal_fj) * m.glitches.mean * m.instances / 1000
            for m in measured[name]
        }

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
        rows.append(
            f'        "{event}": Fact(nominal={value:.4g}, low={min(values):.4g}, high={max(values):.4g},\n'
            f'            unit="pJ", confidence="measured", source=_SOURCE),'
        )
    library_file = core.cell.process.library
    return _TABLE.format(
        title=f"{chip} at the gates, operands of {workload}",
        chip=chip,
        workload=workload,
        blocks_digest=origin.blocks_digest(core.spec),
        covers=COVERS,
        rtl="\n".join(f'            "{path}": "{origin.file_digest(path)}",' for path in origin.RTL_FILES),
        liberty=f"hw/cells/{library_file.path.name}",
        liberty_digest=library_file.digest,
        verilog_digest=captured.verilog_digest,
        error=gates.LIBRARY_ERROR,
        cycle=fitted.cycle_pj,
        netlists="\n".join(f'            "{name}": "{b.netlist.digest}",' for name, b, _ in core.blocks),
        cycle_source=f"clock pins and leakage at {core.clock_ghz:g} GHz of all gates covered, no clock gating",
        source=f"gate-level activity of captured operands with glitches, {library_file.name} cells; "
        "low zeros, high random operands",
        leaves="memories, control, clock tree, wires beyond a fan-out estimate",
        rows="\n".join(rows),
    )


def plot(record: Mapping[str, Any], path: Path) -> None:
    """Stacked bars: pJ per MAC slot by component, one bar per operand class."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot, rcsetup

    pyplot.rcParams["axes.prop_cycle"] = rcsetup.cycler(color=SAFE)

    figure, axes = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    names = list(record["components_pj"])
    components = list(record["components_pj"][names[0]])
    total = {n: sum(record["components_pj"][n].values()) for n in names}
    base = dict.fromkeys(names, 0.0)
    for component, hatch in zip(components, cycle(HATCHES), strict=False):
        part = {n: record["components_pj"][n][component] / total[n] * record["pj_per_mac"][n]["nominal"] for n in names}
        axes.bar(names, list(part.values()), bottom=list(base.values()), label=component, hatch=hatch)
        base = {n: base[n] + part[n] for n in names}
    spread = [
        [v["nominal"] - v["low"] for v in record["pj_per_mac"].values()],
        [v["high"] - v["nominal"] for v in record["pj_per_mac"].values()],
    ]
    axes.errorbar(names, list(base.values()), yerr=spread, fmt="none", ecolor="black", capsize=4)
    axes.set_ylabel("pJ per MAC slot")
    axes.set_title(f"{record['chip']}: energy by operands at 45 nm, cells {record['library']}")
    axes.legend(fontsize=8)
    drawn = BytesIO()
    figure.savefig(drawn, format=path.suffix[1:], dpi=120)
    write_atomically(path, drawn.getvalue())
    pyplot.close(figure)
