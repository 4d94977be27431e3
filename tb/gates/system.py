"""What the arithmetic of a system costs at the gates: cells and output stage of its core, lanes of its vector unit."""

from collections.abc import Iterator
from pathlib import Path

from hw.gates.block import Block
from hw.gates.library import Process
from hw.rtl.arithmetic.fp_convert import FpConvert
from hw.spec.core import CoreSpec
from tb.gates import vector
from tb.gates.core import Measured
from tb.gates.floating import FloatArray
from tb.gates.pim import measured

RANGE = ("zeros", "trained-like", "random")
"""Operand classes of the lowest, the nominal and the highest energy of an event of the core."""


def core_energies(core: CoreSpec, process: Process, build: Path, seed: int) -> dict[str, list[float]]:
    """Event of a floating-point core -> pJ on each class of `RANGE`, glitches, clock and leakage at 1 GHz included."""
    array = FloatArray.of(core, process, build, 1.0)
    found: dict[str, list[float]] = {"mac_array.mac": [], "accumulator.write": [], "output_stage.requantise": []}
    for name in RANGE:
        parts = {m.block: m for m in array.measure(name, seed)}
        cells = sum(_whole(parts[block]) for block in ("cells", "decoders", "operand skew", "sum skew"))
        found["mac_array.mac"].append(cells / core.array.cells)
        found["accumulator.write"].append(_whole(parts["accumulate"]))
        stage = parts["output stage"]
        moving = (stage.energy.switching_fj + stage.energy.internal_fj) * stage.glitches.mean
        found["output_stage.requantise"].append((moving + stage.energy.clock_fj) / 1000)
    return found


def _whole(part: Measured) -> float:
    """All instances, pJ a cycle."""
    return part.pj() * part.instances


def lane_energies(number: str, process: Process, build: Path, seed: int) -> Iterator[tuple[str, str, float]]:
    """(event of the vector unit, operation, pJ of one lane)."""
    events = {"product": "vector.multiply", "sum": "vector.add"}
    for unit in vector.units(process, build, seed):
        if unit.operation in events:
            yield events[unit.operation], unit.operation, unit.operation_pj
        elif unit.name.endswith("function"):
            yield "vector.function", unit.operation, unit.operation_pj
    block = Block(FpConvert([number], latency=0), f"vector_rounding_{number}", process, build)
    given = vector.numbers_for(block, seed)
    yield "vector.convert", "rounding", measured(block, "vector lane", "rounding", given).operation_pj


def text(prices: dict[str, dict[str, list[float]]]) -> str:
    """`model/energy/system_at_gates.py`: format of a system -> event -> pJ, lowest, nominal, highest."""
    lines = ['"""Energies of events of a system at the gates of this design, 45 nm: format -> event -> pJ."""', ""]
    lines += ["# Written by `tb gates system --write`.", ""]
    lines.append("PRICES: dict[str, dict[str, tuple[float, float, float]]] = {")
    for number, events in prices.items():
        lines.append(f'    "{number}": {{')
        for event, values in events.items():
            low, nominal, high = min(values), sorted(values)[len(values) // 2], max(values)
            lines.append(f'        "{event}": ({low:.4g}, {nominal:.4g}, {high:.4g}),')
        lines.append("    },")
    lines += ["}", '"""Lowest, nominal and highest energy of an event, by the operands tried, pJ."""', ""]
    return "\n".join(lines)
