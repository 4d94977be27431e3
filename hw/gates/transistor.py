"""A whole block as transistors in ngspice: the supply's energy for a vector sequence, to check the tables."""

import numpy as np

from hw.cells.deck import RAMP_PER_SLEW, SETTLE_NS, models, piecewise
from hw.cells.mini45 import TEMPERATURE_C, VOLTAGE_V, by_name
from hw.gates import spice
from hw.gates.activity import Streams
from hw.gates.netlist import ONE, ZERO, Net, Netlist
from hw.gates.timing import Timing


def energy_fj(
    netlist: Netlist, timing: Timing, streams: Streams, period_ns: float, slew_ns: float, timeout_s: float = 1800.0
) -> float:
    """Supply energy in fJ per vector of a combinational block, leakage taken off; the first vector only settles.

    Every net carries the same wire capacitance as in the table-based sum; input nets are driven by ideal sources and
    cost the supply nothing.
    """
    cycles = next(iter(streams.values())).shape[0]
    waves = spice.run(deck(netlist, timing, streams, period_ns, slew_ns), timeout_s)
    start, period = SETTLE_NS * 1e-9, period_ns * 1e-9
    total = 0.0
    for k in range(cycles - 1):
        begin, end = start + k * period, start + (k + 1) * period
        quiet = 0.1 * period
        leak = spice.charge(waves, "vdd", end - quiet, end) / quiet
        total += spice.charge(waves, "vdd", begin, end) - leak * period
    return total * VOLTAGE_V * 1e15 / (cycles - 1)


def deck(netlist: Netlist, timing: Timing, streams: Streams, period_ns: float, slew_ns: float) -> str:
    """The SPICE deck: subcircuits, instances, wire capacitances, one piecewise-linear source per input bit."""

    def node(net: Net) -> str:
        return "vdd" if net == ONE else "0" if net == ZERO else f"n{net}"

    cycles = next(iter(streams.values())).shape[0]
    times = [SETTLE_NS + period_ns * k for k in range(cycles - 1)]
    lines = [f"* {netlist.name}", models()]
    lines += [by_name(name).subcircuit() for name in sorted({i.cell.name for i in netlist.instances})]
    lines.append(f"vdd vdd 0 {VOLTAGE_V:g}")
    for port, bits in netlist.inputs.items():
        for bit, net in enumerate(bits):
            values = [int(v) for v in (streams[port][:, 0] >> bit) & 1]
            changes = [(t, v) for t, v, old in zip(times, values[1:], values, strict=False) if v != old]
            source = piecewise([t for t, _ in changes], [v for _, v in changes], slew_ns * RAMP_PER_SLEW, values[0])
            lines.append(f"vi{net} n{net} 0 {source}")
    readers = netlist.readers()
    for k, instance in enumerate(netlist.instances):
        cell = by_name(instance.cell.name)
        pins = [node(instance.pins[p]) if p in instance.pins else f"open{k}{p}" for p in (*cell.inputs, *cell.outputs)]
        lines.append(f"x{k} {' '.join(pins)} vdd 0 {cell.name}")
    for net in netlist.drivers():
        pins = sum(i.cell.capacitance_ff[p] for i, p in readers.get(net, []))
        lines.append(f"cw{net} {node(net)} 0 {timing.load_ff[net] - pins:.5g}f")
    end = SETTLE_NS + period_ns * (cycles - 1)
    lines += [
        f".temp {TEMPERATURE_C:g}",
        ".options method=gear reltol=1e-3 abstol=1e-12 chgtol=1e-16",
        ".save i(vdd)",
        f".tran 2p {end:g}n 0 {np.clip(period_ns * 10, 10, 20):g}p",
        ".end",
        "",
    ]
    return "\n".join(lines)
