"""What a short input pulse does to one cell, by ngspice: from when on its output follows, and what that costs.

The figures behind the glitch rule of `timed`: from single cells, never from the blocks the rule is checked on.
"""

from dataclasses import dataclass

import numpy as np

from hw.cells.deck import RAMP_PER_SLEW, models, piecewise
from hw.cells.mini45 import TEMPERATURE_C, VOLTAGE_V, by_name
from hw.gates import spice

STIMULI: dict[str, tuple[str, dict[str, int], str]] = {
    "INV_X1": ("A", {}, "Y"),
    "NAND2_X1": ("A", {"B": 1}, "Y"),
    "NOR2_X1": ("A", {"B": 0}, "Y"),
    "XOR2_X1": ("A", {"B": 0}, "Y"),
    "XNOR2_X1": ("A", {"B": 1}, "Y"),
    "AOI21_X1": ("A", {"B": 1, "C": 0}, "Y"),
    "FA_X1": ("A", {"B": 0, "CI": 1}, "S"),
}
"""Cell to the pin that is pulsed, the others held, and the output that follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """One pulse: its width, both in ns and over the cell's mean delay and output ramp; the largest part of the supply
    the output moved by; supply energy over that of a wide pulse."""

    cell: str
    slew_ns: float
    load_ff: float
    low_first: bool
    width_ns: float
    per_delay: float
    per_ramp: float
    swing: float
    energy: float


def measure(name: str, slew_ns: float, load_ff: float, low_first: bool, widths_ns: list[float]) -> list[Pulse]:
    """The response of cell `name` to pulses of `widths_ns` (between half-supply points); the last must be wide."""
    cell, (pin, held, out) = by_name(name), STIMULI[name]
    window, ramp = 4.0, slew_ns * RAMP_PER_SLEW
    first = 0 if low_first else 1
    times, values = [], []
    for k, width in enumerate(widths_ns):
        times += [1.0 + window * k, 1.0 + window * k + width]
        values += [1 - first, first]
    lines = [f"* pulses {name}", models(), cell.subcircuit(), f"vdd vdd 0 {VOLTAGE_V:g}"]
    for p in cell.inputs:
        lines.append(
            f"v{p} {p} 0 {piecewise(times, values, ramp, first)}" if p == pin else f"v{p} {p} 0 {held[p] * VOLTAGE_V:g}"
        )
    lines.append(f"x0 {' '.join((*cell.inputs, *cell.outputs))} vdd 0 {name}")
    lines += [f"cl{p} {p} 0 {load_ff:g}f" for p in cell.outputs]
    end = 1.0 + window * len(widths_ns)
    lines += [
        f".temp {TEMPERATURE_C:g}",
        ".options method=gear reltol=1e-4 abstol=1e-12 chgtol=1e-17",
        f".save i(vdd) v({out})",
        f".tran 1p {end:g}n 0 5p",
        ".end",
        "",
    ]
    waves = spice.run("\n".join(lines))
    time, voltage = waves["time"], waves[f"v({out.lower()})"]
    swings, energies = [], []
    for k in range(len(widths_ns)):
        begin, stop = (0.9 + window * k) * 1e-9, (0.9 + window * k + 3.8) * 1e-9
        inside = (time >= begin) & (time <= stop)
        rest = float(np.interp(begin, time, voltage))
        swings.append(float(np.abs(voltage[inside] - rest).max()) / VOLTAGE_V)
        leak = spice.charge(waves, "vdd", stop - 5e-10, stop) / 5e-10
        energies.append(spice.charge(waves, "vdd", begin, stop) - leak * (stop - begin))
    at = (1.0 + window * (len(widths_ns) - 1)) * 1e-9
    wide = widths_ns[-1] * 1e-9
    delays, ramps = [], []
    for start in (at, at + wide):
        rising = float(np.interp(start + wide / 2, time, voltage)) > VOLTAGE_V / 2
        crossings = [
            spice.crossing(waves, out, level * VOLTAGE_V, start, start + wide, rising) for level in (0.2, 0.5, 0.8)
        ]
        low, middle, high = (c or float("nan") for c in crossings)
        delays.append((middle - start) * 1e9 - ramp / 2)
        ramps.append(abs(high - low) * 1e9 / 0.6)
    delay, out_ramp = float(np.mean(delays)), float(np.mean(ramps))
    return [
        Pulse(
            cell=name,
            slew_ns=slew_ns,
            load_ff=load_ff,
            low_first=low_first,
            width_ns=w,
            per_delay=w / delay,
            per_ramp=w / out_ramp,
            swing=s,
            energy=e / energies[-1],
        )
        for w, s, e in zip(widths_ns, swings, energies, strict=True)
    ]
