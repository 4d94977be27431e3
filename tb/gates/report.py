"""What a measured array prints and what is kept of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from hw.gates.block import Block
from hw.gates.library import Process
from tb.gates.core import LIBRARY_ERROR, Measured

Blocks = Sequence[tuple[str, Block, float]]
"""(component, block, instances)."""
Classes = Mapping[str, Sequence[Measured]]
"""Operand class to every component on it."""


def area_um2(blocks: Blocks) -> float:
    """Cells of all blocks together."""
    return sum(b.netlist.area_um2 * n for _, b, n in blocks)


def blocks_text(process: Process, title: str, blocks: Blocks, clock_ghz: float) -> str:
    """Copies, gates, area and clock of every block."""
    lines = [
        f"\n{title}, cells {process.library.name}, {process.library.voltage_v:g} V, {clock_ghz:g} GHz, library "
        f"{process.library.digest}\n\n{'block':14}{'copies':>8}{'cells':>7}{'area um2':>10}{'max GHz':>9}"
    ]
    lines += [
        f"{name:14}{copies:8g}{len(block.netlist.instances):7}{block.netlist.area_um2:10.0f}"
        f"{block.timing.clock_ghz:9.2f}"
        for name, block, copies in blocks
    ]
    lines.append(f"total {area_um2(blocks) / 1e6:.3f} mm2 of cells, without memories, control and wiring")
    return "\n".join(lines)


def components_text(measured: Classes, macs: int) -> str:
    """pJ per MAC of every component by operand class; `macs`: MACs of the array in one cycle."""
    names = [m.block for m in next(iter(measured.values()))]
    lines = [f"\n{'pJ per MAC slot':16}" + "".join(f"{n:>18}" for n in names) + f"{'sum':>9}   interval"]
    for name, found in measured.items():
        low, total, high = per_mac(found, macs)
        lines.append(
            f"{name:16}"
            + "".join(f"{m.pj() * m.instances / macs:18.3f}" for m in found)
            + f"{total:9.3f}   {low:.3f} to {high:.3f}"
        )
        spreads = (f"{m.glitches.mean:.2f} ({m.glitches.low:.2f}-{m.glitches.high:.2f})" for m in found)
        lines.append(f"{'  glitch factor':16}" + "".join(f"{s:>18}" for s in spreads))
    return "\n".join(lines)


def per_mac(measured: Sequence[Measured], macs: int) -> tuple[float, float, float]:
    """Low, nominal, high pJ per MAC slot: glitch spread, then the error of the library."""

    def total(values: list[float]) -> float:
        return sum(v * m.instances for v, m in zip(values, measured, strict=True)) / macs

    return (
        total([m.low_pj for m in measured]) * (1 - LIBRARY_ERROR),
        total([m.pj() for m in measured]),
        total([m.high_pj for m in measured]) * (1 + LIBRARY_ERROR),
    )


def gating_text(plain: Blocks, gated: Blocks, before: Sequence[Measured], after: Sequence[Measured]) -> str:
    """What clock gates save by component on the same streams, pJ a cycle of all instances, and their share of area."""
    lines = [
        f"\n{'clock gates':16}{'registers':>11}{'behind gates':>14}{'area':>8}{'clock pJ':>10}{'gated':>8}"
        f"{'all pJ':>10}{'gated':>8}{'saving':>9}"
    ]
    rows = zip(plain, gated, before, after, strict=True)
    for (name, block, copies), (_, with_gates, _), m, g in rows:
        behind = sum(gate.registers for gate in with_gates.netlist.gates)
        clocks = [x.energy.clock_fj * copies / 1000 for x in (m, g)]
        lines.append(
            f"{name:16}{len(block.netlist.flops):11}{behind:14}"
            f"{with_gates.netlist.area_um2 / block.netlist.area_um2 - 1:+8.1%}{clocks[0]:10.1f}{clocks[1]:8.1f}"
            f"{m.pj() * copies:10.1f}{g.pj() * copies:8.1f}{1 - g.pj() / m.pj():9.1%}"
        )
    whole = [sum(x.pj() * x.instances for x in of) for of in (before, after)]
    lines.append(f"{'together':16}{'':43}{'':8}{whole[0]:10.1f}{whole[1]:8.1f}{1 - whole[1] / whole[0]:9.1%}")
    return "\n".join(lines)


def record(process: Process, blocks: Blocks, measured: Classes, macs: int) -> dict[str, Any]:
    """What is kept of a run: digests of library and netlists, area, pJ by operand class."""
    ends = ("low", "nominal", "high")
    return {
        "library": process.library.digest,
        "netlists": {name: b.netlist.digest for name, b, _ in blocks},
        "area_um2": area_um2(blocks),
        "pj_per_mac": {c: dict(zip(ends, per_mac(m, macs), strict=True)) for c, m in measured.items()},
        "components_pj": {c: {x.block: x.pj() * x.instances for x in m} for c, m in measured.items()},
    }
