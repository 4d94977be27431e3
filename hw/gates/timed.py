"""Glitches: an event-driven run of the netlist in which every node moves on ramps.

A gate's delay d and full output ramp r come from its tables, by the input pin that moved, the output's edge, the ramp
of that input as it is now, and the load. What of the delay is not half an output ramp is half the ramp of an inner
node: d = r_inner/2 + r/2 (nothing for one stage, whose output begins before its input is half way). Readers see a node
change when it crosses half of the supply. A drive in the other direction turns a ramp round where it is: a pulse of
width w shorter than a ramp r leaves with width 2 w - r, and one shorter than r/2 is seen by no reader. What has been
moved is counted as that part of a swing: the net's own movement for its load, the inner node's for the energy inside
the cell, so a pulse that dies in a cell still costs what the cell began.

Nothing is fitted: the rule follows from the delay and slew tables alone and holds for every library that has them.
It is the linear form of the degradation of short pulses of M. J. Bellido-Diaz et al., "Logical modelling of delay
degradation effect in static CMOS gates", IEE Proc. Circuits Devices Syst. 147 (2000).
"""

import ctypes
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hw.base.error import InputError
from hw.cells.boolean import evaluate
from hw.gates import compiled
from hw.gates.activity import Activity, Streams, bit_of
from hw.gates.netlist import ONE, ZERO, Instance, Netlist
from hw.gates.timing import Timing

_PINS, _POINTS = 6, 8
_FULL = 1 / 0.6
"""Full ramp over its 20 % to 80 % part."""
_GATE = np.dtype(
    [
        ("pins", np.int32),
        ("in", np.int32, _PINS),
        ("out", np.int32),
        ("points", np.int32),
        ("truth", np.uint64),
        ("slew", np.float64, _POINTS),
        ("delay", np.float64, (_PINS, 2, _POINTS)),
        ("ramp", np.float64, (_PINS, 2, _POINTS)),
    ],
    align=True,
)
_SOURCE = Path(__file__).with_suffix(".c")


def shortest_pulse(delay: float, ramp: float) -> float:
    """Shortest input pulse that readers of a cell see, by the rule above; same unit as `delay` and `ramp`."""
    inner = max(0.0, 2 * delay - ramp)
    return ramp / 2 if ramp / 2 >= inner else (inner + ramp / 2) / 2


class TimedSimulator:
    """One netlist with its loads, ready to run lanes of streams."""

    def __init__(self, netlist: Netlist, timing: Timing, build: Path = Path("build")) -> None:
        self.netlist = netlist
        self.inputs = [n for bits in netlist.inputs.values() for n in bits]
        nets = sorted({ZERO, ONE, *self.inputs, *netlist.drivers()})
        self.index = {net: k for k, net in enumerate(nets)}
        self.nets = nets
        outputs = [(i, p) for i in netlist.order for p in i.cell.outputs if p in i.pins]
        self.gates = np.array([self._gate(i, p, timing) for i, p in outputs], dtype=_GATE)
        readers: list[list[int]] = [[] for _ in nets]
        for k, (instance, _) in enumerate(outputs):
            for pin, name in enumerate(instance.cell.inputs):
                readers[self.index[instance.pins[name]]].append(k * _PINS + pin)
        self.first = np.cumsum([0, *map(len, readers)]).astype(np.int32)
        self.readers = np.array([r for of in readers for r in of], dtype=np.int32)
        flops = [(i, p) for i in netlist.flops for p in i.cell.outputs if p in i.pins]
        self.flops = np.array(
            [
                (
                    self.index[i.pins[i.cell.data or "D"]],
                    self.index[i.pins[p]],
                    p in i.cell.inverted_output,
                    self.index[netlist.enable(i)],
                )
                for i, p in flops
            ],
            dtype=np.int32,
        ).reshape(-1, 4)
        self.edge = np.array([[1000 * timing.arrival_ns[i.pins[p]][e] for e in ("fall", "rise")] for i, p in flops])
        self.edge_ramp = np.array(
            [[1000 * _FULL * timing.slew_ns[i.pins[p]][e] for e in ("fall", "rise")] for i, p in flops]
        )
        slews = [timing.slew_ns[n]["rise"] for n in self.inputs]
        self.input_ramp = 1000 * _FULL * (slews[0] if slews else 0.0)
        # The inputs of a block with registers come from its neighbours' registers.
        self.start = float(self.edge.mean()) if len(self.edge) else self.input_ramp / 2
        self._library = compiled.load(_SOURCE.read_text(), "timed", build, "-O2")
        self._library.run.restype = None

    def _gate(self, instance: Instance, pin: str, timing: Timing) -> tuple:
        cell, load = instance.cell, timing.load_ff[instance.pins[pin]]
        names = cell.inputs
        if len(names) > _PINS:
            raise InputError(
                f"a cell must have at most {_PINS} inputs to be simulated with delays, but {cell.name} "
                f"has {len(names)}; map to other cells"
            )
        truth = sum(
            evaluate(cell.functions[pin], {n: k >> b & 1 for b, n in enumerate(names)}) << k
            for k in range(1 << len(names))
        )
        arcs = {(a.input, e): (a.delay[e], a.slew[e]) for a in cell.arcs if a.output == pin for e in a.delay}
        axis = next(iter(arcs.values()))[0].slews_ns[:_POINTS]
        delay, ramp = np.zeros((_PINS, 2, _POINTS)), np.zeros((_PINS, 2, _POINTS))
        for b, name in enumerate(names):
            for k, edge in enumerate(("fall", "rise")):
                if (name, edge) in arcs:
                    late, slew = arcs[(name, edge)]
                    delay[b, k, : len(axis)] = [1000 * late.at(s, load) for s in axis]
                    ramp[b, k, : len(axis)] = [1000 * _FULL * slew.at(s, load) for s in axis]
        slews = np.zeros(_POINTS)
        slews[: len(axis)] = axis * 1000
        wires = np.zeros(_PINS, np.int32)
        wires[: len(names)] = [self.index[instance.pins[n]] for n in names]
        return (len(names), wires, self.index[instance.pins[pin]], len(axis), truth, slews, delay, ramp)

    def run(self, streams: Streams, warm_up: int = 1, registers: Sequence[int] = ()) -> Activity:
        """Movement of every net in full swings after `warm_up` cycles, over all lanes of `streams`.

        `registers`: what the register outputs hold at the start, in the order of `Simulator.registers`; one number per
        register, bit k for lane k; zeros if empty. Every cycle is long enough for the block to settle.
        """
        cycles, lanes = next(iter(streams.values())).shape[:2]
        if cycles <= warm_up:
            raise InputError(
                f"a stream must be longer than its warm-up of {warm_up} cycles, not {cycles}; give more cycles"
            )
        fall, rise = (np.zeros(len(self.nets) + len(self.gates)) for _ in range(2))
        planes = np.stack(
            [bit_of(streams[port], bit) & 1 for port, bits in self.netlist.inputs.items() for bit in range(len(bits))],
            axis=-1,
        ).astype(np.uint8)
        start = [int(r) for r in registers] or [-int(f[2]) for f in self.flops]
        inputs = np.array([self.index[n] for n in self.inputs], dtype=np.int32)
        for lane in range(lanes):
            held = np.array([r >> lane & 1 for r in start] or [0], dtype=np.uint8)
            stimulus = np.ascontiguousarray(planes[:, lane])
            self._library.run(
                len(self.nets),
                len(self.gates),
                _pointer(self.gates),
                _pointer(self.first),
                _pointer(self.readers),
                len(inputs),
                _pointer(inputs),
                len(self.flops),
                _pointer(self.flops),
                _pointer(held),
                _pointer(self.edge),
                _pointer(self.edge_ramp),
                ctypes.c_double(self.start),
                ctypes.c_double(self.input_ramp),
                ctypes.c_long(cycles),
                ctypes.c_long(warm_up),
                _pointer(stimulus),
                _pointer(fall),
                _pointer(rise),
            )
        rises, falls = ({n: float(of[k]) for n, k in self.index.items() if n not in (ZERO, ONE)} for of in (rise, fall))
        inner = [dict(rises), dict(falls)]
        for kept, of in zip(inner, (rise, fall), strict=True):
            for net, moved in zip(self.gates["out"], of[len(self.nets) :], strict=True):
                kept[self.nets[net]] = max(kept[self.nets[net]], float(moved))
        return Activity(
            rises=rises, falls=falls, inner_rises=inner[0], inner_falls=inner[1], samples=(cycles - warm_up) * lanes
        )


def _pointer(array: NDArray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
