"""Glitches: the netlist in Icarus Verilog with the delay of every gate at its own slew and load."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from hw.cells.boolean import to_c
from hw.gates.activity import Activity, Streams
from hw.gates.netlist import ONE, ZERO, Instance, Net, Netlist
from hw.gates.timing import Timing
from hw.spec.error import InputError

_SINGLE_STAGE = ("INV", "NAND", "NOR", "AOI", "OAI")
_SWING_X = (0.0, 0.3, 0.5, 0.7, 0.9, 1.12, 1.37, 1.75, 2.5)
_SWING_Y = (0.0, 0.29, 0.46, 0.60, 0.74, 0.84, 0.89, 0.96, 1.0)


def passes(cell: str) -> float:
    """Shortest input pulse, over the cell's delay, whose output reaches half the supply.

    Measured: 0.80 for XOR2 and XNOR2, 0.74 for the full adder, 1.09 to 1.16 for cells of one stage. An inertial delay
    cannot be longer than the delay itself, so those get 1; every cell of two or more stages gets 0.8.
    """
    return 1.0 if cell.startswith(_SINGLE_STAGE) else 0.8


def swing(width_over_ramp: float) -> float:
    """Supply energy of a pulse over that of a full swing, by its width over the ramp of the output.

    Mean over seven cells, three loads, two slews, both polarities; spread 0.1 to 0.2. Pulses too short to pass count
    as well: their gate has moved a part of the swing.
    """
    return float(np.interp(width_over_ramp, _SWING_X, _SWING_Y))


def run(netlist: Netlist, timing: Timing, streams: Streams, period_ns: float, warm_up: int = 1,
        registers: Sequence[int] = ()) -> Activity:
    """Edges of every net with gate delays; one lane of `streams` (shape (cycles, 1)).

    `registers`: what the register outputs hold at the start, in the order of `Simulator.registers`; zeros if empty.

    Each gate output has one rise and one fall delay: the mean over its arcs at its own slew and load. How a pulse
    fares was measured on single cells with ngspice (`pulse`), see `passes` and `swing`. Inputs and registers change
    together at the start of a period.
    """
    for tool in ("iverilog", "vvp"):
        if shutil.which(tool) is None:
            raise InputError(f"glitches must be simulated with Icarus Verilog, but {tool} is not on the path; "
                             f"install Debian's package iverilog")
    cycles = next(iter(streams.values())).shape[0]
    if cycles <= warm_up:
        raise InputError(f"a stream must be longer than its warm-up of {warm_up} cycles, not {cycles}; "
                         "give more cycles")
    with tempfile.TemporaryDirectory(prefix="timed-") as name:
        folder = Path(name)
        (folder / "bench.v").write_text(bench(netlist, timing, period_ns, cycles, registers))
        (folder / "stimulus.hex").write_text(_stimulus(netlist, streams))
        for command in (["iverilog", "-g2005", "-o", "bench.vvp", "bench.v"], ["vvp", "-n", "bench.vvp"]):
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=900, check=False)
            if done.returncode:
                raise RuntimeError(f"{command[0]} failed on {netlist.name}: {(done.stderr or done.stdout)[-400:]}")
        rises, falls = count_vcd(folder / "bench.vcd", round(warm_up * period_ns * 1000),
                                 ramps_ps(timing))
    return Activity(rises=rises, falls=falls, samples=cycles - warm_up)


def ramps_ps(timing: Timing) -> dict[Net, float]:
    """Full ramp of every net in ps: its mean 20-80 % slew over 0.6."""
    return {net: sum(slews.values()) / 2 / 0.6 * 1000 for net, slews in timing.slew_ns.items()}


def bench(netlist: Netlist, timing: Timing, period_ns: float, cycles: int, registers: Sequence[int] = ()) -> str:
    """The netlist as delayed assignments, its stimulus and a VCD of all its nets; net n is wire ``n<n>``."""
    def wire(net: Net) -> str:
        return "1'b1" if net == ONE else "1'b0" if net == ZERO else f"n{net}"

    inputs = [n for bits in netlist.inputs.values() for n in bits]
    lines = ["`timescale 1ps/1ps", "module bench;", f"  reg [{max(1, len(inputs)) - 1}:0] stimulus [0:{cycles - 1}];",
             f"  reg [{max(1, len(inputs)) - 1}:0] now;", "  reg clk; integer t;", "  block dut();"]
    lines += [f"  assign dut.n{net} = now[{k}];" for k, net in enumerate(inputs)]
    lines += ["  assign dut.clk = clk;", "  initial begin", '    $readmemh("stimulus.hex", stimulus);',
              "    clk = 0; now = stimulus[0];", '    $dumpfile("bench.vcd"); $dumpvars(1, dut);',
              f"    for (t = 0; t < {cycles}; t = t + 1) begin", "      now = stimulus[t]; clk = (t > 0);",
              f"      #{round(period_ns * 500)} clk = 0; #{round(period_ns * 1000) - round(period_ns * 500)};",
              "    end", "    $finish;", "  end", "endmodule", "module block;", "  wire clk;"]
    lines += [f"  wire n{net};" for net in inputs]
    held = iter(registers)
    for k, flop in enumerate(netlist.flops):
        for pin in flop.cell.outputs:
            if pin in flop.pins:
                out = flop.pins[pin]
                rise, fall = (round(1000 * timing.arrival_ns[out][e]) for e in ("rise", "fall"))
                mark = "~" if pin in flop.cell.inverted_output else ""
                start = next(held, 0) ^ (mark == "~") if registers else 0
                lines += [f"  wire n{out}; reg r{k}{pin}; initial r{k}{pin} = {start};",
                          f"  assign #({rise},{fall}) n{out} = {mark}r{k}{pin};"]
    declared = [i.pins[p] for i in netlist.order for p in i.cell.outputs if p in i.pins]
    lines += [f"  wire n{net};" for net in declared]
    for instance in netlist.order:
        names = {p: wire(instance.pins[p]) for p in instance.cell.inputs}
        for pin, function in instance.cell.functions.items():
            if pin in instance.pins:
                out = instance.pins[pin]
                part = passes(instance.cell.name)
                first, second = zip(*((round(d * part), d - round(d * part)) for d in _delays(instance, pin, timing)),
                                    strict=True)
                # z moves as soon as an input does: what the gate begins, whether or not it gets through.
                lines += [
                    f"  wire h{out}; wire z{out} = {to_c(function, names).replace('(uint64_t)', '')};",
                    f"  assign #({first[0]},{first[1]}) h{out} = z{out};",
                    f"  assign #({second[0]},{second[1]}) n{out} = h{out};",
                ]
    lines.append("  always @(posedge clk) begin")
    for k, flop in enumerate(netlist.flops):
        data = wire(flop.pins[flop.cell.data or "D"])
        lines += [f"    r{k}{pin} <= {data};" for pin in flop.cell.outputs if pin in flop.pins]
    return "\n".join([*lines, "  end", "endmodule", ""])


def _delays(instance: Instance, pin: str, timing: Timing) -> Iterator[int]:
    for edge in ("rise", "fall"):
        found = []
        for arc in instance.cell.arcs:
            source = instance.pins[arc.input]
            if arc.output == pin and source in timing.slew_ns and edge in arc.delay:
                slew = sum(timing.slew_ns[source].values()) / 2
                found.append(arc.delay[edge].at(slew, timing.load_ff[instance.pins[pin]]))
        yield max(1, round(1000 * float(np.mean(found)))) if found else 1


def _stimulus(netlist: Netlist, streams: Streams) -> str:
    rows = []
    cycles = next(iter(streams.values())).shape[0]
    for t in range(cycles):
        word, position = 0, 0
        for port, bits in netlist.inputs.items():
            values = streams[port]
            if values.ndim == 3:
                number = sum(int(bit) << k for k, bit in enumerate(values[t, 0]))
            else:
                number = int(values[t, 0]) & ((1 << len(bits)) - 1)
            word |= number << position
            position += len(bits)
        rows.append(f"{word:x}")
    return "\n".join(rows) + "\n"


def count_vcd(
    path: Path, begin_ps: int, ramp_ps: dict[Net, float]
) -> tuple[dict[Net, float], dict[Net, float]]:
    """Rises and falls per net in a VCD of wires ``n<net>``, from `begin_ps` on, in full swings.

    Where there is a wire ``z<net>``, what the net's gate begins before its delay, that one is counted: it has the
    pulses the gate swallows. A pulse counts as the part of the energy `swing` gives for its width over the net's ramp;
    an edge belongs to one pulse only. Known values only.
    """
    with path.open() as file:
        head: list[list[str]] = []
        begun: dict[str, str] = {}
        for line in file:
            if line.startswith("$enddefinitions"):
                break
            if line.startswith("$var"):
                head.append(line.split())
        for parts in head:
            kind, net = parts[4][0], parts[4][1:]
            if net.isdigit() and (kind == "z" or (kind == "n" and net not in begun)):
                begun[net] = parts[3]
        nets: dict[str, list[Net]] = {}
        for number, code in begun.items():
            nets.setdefault(code, []).append(int(number))
        counts = {code: [0.0, 0.0] for code in nets}
        ramps = {code: min(ramp_ps.get(net, 0.0) for net in of) for code, of in nets.items()}
        last: dict[str, tuple[str, int, bool]] = {}
        now = 0
        for line in file:
            mark = line[0]
            if mark in "01":
                code = line[1:].rstrip()
                if code not in counts:
                    continue
                before = last.get(code)
                if before is None or before[0] == mark:
                    last[code] = (mark, now, True)
                    continue
                paired = False
                if now >= begin_ps:
                    count = counts[code]
                    count[mark == "0"] += 1
                    part = swing((now - before[1]) / ramps[code]) if ramps[code] else 1.0
                    # The edge before was counted in full.
                    if part < 1 and not before[2]:
                        paired = True
                        count[0] -= 1 - part
                        count[1] -= 1 - part
                last[code] = (mark, now, paired)
            elif mark == "#":
                now = int(line[1:])
            elif mark in "xz":
                last.pop(line[1:].rstrip(), None)
    rises = {net: counts[code][0] for code, of in nets.items() for net in of}
    falls = {net: counts[code][1] for code, of in nets.items() for net in of}
    return rises, falls
