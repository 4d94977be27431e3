"""Characterises the 45 nm cells with ngspice: delays, slews, internal energy, pin capacitance, leakage.

Each deck's measurements are kept in a file named by the deck's digest, so a stopped run goes on where it was.
Conventions: slews are 20 % to 80 %; delays 50 % to 50 %; the internal energy of a transition is the supply's
charge times the voltage, less leakage, less C V^2 of the load when the output rises. A net with capacitance C
therefore costs C V^2 per rising edge (half of it per edge), never counted twice.
"""

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from hw.base.file import write_atomically
from hw.cells import deck as decks
from hw.cells.mini45 import CELLS, INPUT_SLEWS_NS, LOADS_FF, VOLTAGE_V, by_name
from hw.cells.transistors import Cell
from hw.gates import spice

Measured = dict[str, Any]
"""Per step: pin, value, before, after, energy_fj, charges_fc {pin: fC}, leakage_nw, delay_ns/slew_ns per output."""

EDGE = {0: "fall", 1: "rise"}
QUIET_S = 1e-9
"""The end of each step, where only leakage flows."""


def loads_ff(cell: Cell) -> tuple[float, ...]:
    """The loads at which `cell` is characterised."""
    return tuple(load * cell.drive for load in LOADS_FF)


def measure(cell: Cell, slew_ns: float, load_ff: float) -> Measured:
    """Run one deck and measure every step."""
    waves = spice.run(decks.deck(cell, slew_ns, load_ff))
    times = [t * 1e-9 for t in decks.step_times_ns(cell)]
    ramp = slew_ns * decks.RAMP_PER_SLEW * 1e-9
    steps = []
    for step, begin, end in zip(decks.walk(cell), times, times[1:], strict=False):
        static = _static_w(waves, step.inputs, end)
        supply_leak = spice.charge(waves, "vdd", end - QUIET_S, end) / QUIET_S
        energy = VOLTAGE_V * (spice.charge(waves, "vdd", begin, end) - supply_leak * (end - begin))
        record: Measured = {
            "pin": step.pin,
            "value": step.value,
            "inputs": step.inputs,
            "before": step.before,
            "after": step.after,
            "leakage_nw": static * 1e9,
            "charge_fc": spice.charge(waves, f"v{step.pin.lower()}", begin, end) * 1e15,
            "delay_ns": {},
            "slew_ns": {},
        }
        for pin in cell.outputs:
            if step.before[pin] == step.after[pin]:
                continue
            rising = step.after[pin] == 1
            energy -= load_ff * 1e-15 * VOLTAGE_V**2 if rising else 0.0
            middle = spice.crossing(waves, pin, 0.5 * VOLTAGE_V, begin, end, rising)
            low = spice.crossing(waves, pin, 0.2 * VOLTAGE_V, begin, end, rising)
            high = spice.crossing(waves, pin, 0.8 * VOLTAGE_V, begin, end, rising)
            if middle is None or low is None or high is None:
                raise RuntimeError(f"{cell.name}: output {pin} did not switch as its function says at step {step}")
            record["delay_ns"][pin] = (middle - begin - ramp / 2) * 1e9
            record["slew_ns"][pin] = abs(high - low) * 1e9
        record["energy_fj"] = energy * 1e15
        steps.append(record)
    return {"steps": steps}


def _static_w(waves: spice.Waves, inputs: dict[str, int], at_s: float) -> float:
    """Static power: supply plus what the drivers of high inputs deliver into gates."""
    total = spice.charge(waves, "vdd", at_s - QUIET_S, at_s) / QUIET_S * VOLTAGE_V
    for pin, value in inputs.items():
        if value:
            total += spice.charge(waves, f"v{pin.lower()}", at_s - QUIET_S, at_s) / QUIET_S * VOLTAGE_V
    return total


def _measure_to(folder: str, name: str, slew_ns: float, load_ff: float) -> None:
    cell = by_name(name)
    path = _result_path(Path(folder), cell, slew_ns, load_ff)
    write_atomically(path, json.dumps(measure(cell, slew_ns, load_ff)))


def _result_path(folder: Path, cell: Cell, slew_ns: float, load_ff: float) -> Path:
    text = decks.deck(cell, slew_ns, load_ff)
    return folder / f"{cell.name}.{slew_ns:g}.{load_ff:g}.{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"


def run(folder: Path, parallel: int = 2, progress: Callable[[int, int], None] = lambda done, total: None) -> None:
    """Measure every deck whose result is not yet in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    points = [(c, s, load) for c in CELLS for s in INPUT_SLEWS_NS for load in loads_ff(c)]
    missing = [p for p in points if not _result_path(folder, *p).exists()]
    progress(len(points) - len(missing), len(points))
    with ProcessPoolExecutor(max_workers=parallel) as pool:
        jobs = [pool.submit(_measure_to, str(folder), c.name, s, load) for c, s, load in missing]
        for count, job in enumerate(jobs, len(points) - len(missing) + 1):
            job.result()
            progress(count, len(points))


def load(folder: Path, cell: Cell) -> dict[tuple[int, int], Measured]:
    """The measurements of `cell` by (slew index, load index)."""
    return {
        (i, j): json.loads(_result_path(folder, cell, s, c).read_text())
        for i, s in enumerate(INPUT_SLEWS_NS)
        for j, c in enumerate(loads_ff(cell))
    }
