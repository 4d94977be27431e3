"""Zero-delay activity of a netlist: 64 independent operand streams at a time, in C made from the netlist."""

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hw.base.error import InputError
from hw.cells.boolean import to_c
from hw.gates import compiled
from hw.gates.netlist import ONE, ZERO, Net, Netlist

LANES = 64
_CHUNK = 200
_LARGE = 20_000
Streams = Mapping[str, NDArray[np.int64]]
"""Input port to values of shape (cycles, lanes); the low bits count, so negative numbers are welcome. A port of more
than 63 bits is given as bits of shape (cycles, lanes, width)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Rises and falls of every net, summed over `samples` = counted cycles x streams; parts of edges where a pulse is
    too short for the full swing.

    `inner_rises`, `inner_falls`: what a net's driver has moved inside, which is more where a pulse does not get
    through; empty where the two are the same.

    Parameters
    ----------
    rises, falls : mapping of Net to float
        Edges in each direction, in full swings; whole numbers from the zero-delay simulator.
    opened : mapping of Net to float
        By gated clock, the cycles in which its enable let the clock through; empty without clock gates, and from the
        simulator with delays, which counts no clock.
    """

    rises: Mapping[Net, float]
    falls: Mapping[Net, float]
    samples: int
    inner_rises: Mapping[Net, float] = field(default_factory=dict)
    inner_falls: Mapping[Net, float] = field(default_factory=dict)
    opened: Mapping[Net, float] = field(default_factory=dict)

    def toggles(self, net: Net) -> float:
        """Edges of `net` in both directions."""
        return self.rises.get(net, 0) + self.falls.get(net, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a netlist holds between two cycles: one word of 64 lanes per register and per net, in the simulator's
    order.

    Parameters
    ----------
    registers : array of uint64, (register outputs,)
        What every connected register output holds, in the order of `Simulator.registers`; bit k is lane k. One unused
        word if there are no registers.
    nets : array of uint64, (nets,)
        What every net of `Simulator.nets` showed in the last cycle, against which the next cycle's edges are counted;
        bit k is lane k.
    """

    registers: NDArray[np.uint64]
    nets: NDArray[np.uint64]


def bit_of(values: NDArray[np.integer], bit: int) -> NDArray[np.integer]:
    """One bit of a stream: of its integers, or of its last axis if the port is given bit by bit."""
    return values[..., bit] if values.ndim == 3 else (values >> bit) & 1


class Simulator:
    """The compiled two-valued simulator of one netlist.

    In each cycle the inputs are applied, all gates settle, edges against the cycle before are counted, and the
    registers whose clock is let through take their data. All registers start at zero.
    """

    def __init__(self, netlist: Netlist, build: Path = Path("build")) -> None:
        self.netlist = netlist
        self.input_bits = [n for bits in netlist.inputs.values() for n in bits]
        self.output_bits = [n for bits in netlist.outputs.values() for n in bits]
        self.nets = sorted({*self.input_bits, *netlist.drivers()} - {ZERO, ONE})
        self.registers = [(i, p) for i in netlist.flops for p in i.cell.outputs if p in i.pins]
        self._index = {net: k for k, net in enumerate(self.nets)}
        # A large unit is compiled longer than it runs.
        optimise = "-O1" if len(self.nets) < _LARGE else "-O0"
        self._library = compiled.load(self.source(), "activity", build, optimise)
        self._library.run.restype = None

    def start(self) -> "State":
        """All registers at zero, nothing applied yet."""
        registers = np.array(
            [2**64 - 1 if p in i.cell.inverted_output else 0 for i, p in self.registers] or [0], dtype=np.uint64
        )
        return State(registers=registers, nets=np.zeros(len(self.nets), dtype=np.uint64))

    def run(
        self, streams: Streams, warm_up: int = 1, state: "State | None" = None
    ) -> tuple[Activity, dict[str, NDArray[np.int64]]]:
        """Activity after the first `warm_up` cycles, and every output port's values, unsigned, as `Streams`.

        `state`: where the run begins and, afterwards, where it ended, so that a stream can be run in parts;
        parts after the first need no warm-up.
        """
        state = state or self.start()
        cycles, lanes = self._check(streams, warm_up)
        words = np.zeros((cycles, max(1, len(self.input_bits))), dtype=np.uint64)
        column = 0
        shifts = np.arange(lanes, dtype=np.uint64)
        for port, bits in self.netlist.inputs.items():
            values = streams[port]
            for bit in range(len(bits)):
                plane = bit_of(values, bit).astype(np.uint64)
                words[:, column] = np.bitwise_or.reduce(plane << shifts, axis=1)
                column += 1
        seen = np.zeros((cycles, max(1, len(self.output_bits))), dtype=np.uint64)
        rises, falls = np.zeros(len(self.nets), dtype=np.int64), np.zeros(len(self.nets), dtype=np.int64)
        opened = np.zeros(len(self.netlist.gates) + 1, dtype=np.int64)
        pointer = ctypes.c_void_p
        self._library.run(
            *(pointer(a.ctypes.data) for a in (words, seen, rises, falls, opened, state.registers, state.nets)),
            ctypes.c_long(cycles),
            ctypes.c_long(warm_up),
            ctypes.c_uint64((1 << lanes) - 1),
        )
        outputs, column = {}, 0
        for port, bits in self.netlist.outputs.items():
            planes = (
                (seen[:, k, None] >> shifts & np.uint64(1)).astype(np.int64) for k in range(column, column + len(bits))
            )
            column += len(bits)
            outputs[port] = (
                np.stack(list(planes), axis=-1)
                if len(bits) > 63
                else sum((plane << k for k, plane in enumerate(planes)), start=np.zeros((cycles, lanes), np.int64))
            )
        return Activity(
            rises={n: int(rises[k]) for n, k in self._index.items()},
            falls={n: int(falls[k]) for n, k in self._index.items()},
            opened={g.clock: int(opened[k]) for k, g in enumerate(self.netlist.gates)},
            samples=(cycles - warm_up) * lanes,
        ), outputs

    def _check(self, streams: Streams, warm_up: int) -> tuple[int, int]:
        for port in self.netlist.inputs:
            if port not in streams:
                raise InputError(
                    f"a stream must be given for every input of {self.netlist.name}, but {port!r} has none; add it"
                )
        shapes = {streams[p].shape[:2] for p in self.netlist.inputs}
        if len(shapes) != 1:
            raise InputError(f"all streams must have one shape (cycles, lanes), not {sorted(shapes)}; cut them alike")
        cycles, lanes = shapes.pop()
        if not 1 <= lanes <= LANES:
            raise InputError(f"streams must have 1 to {LANES} lanes, not {lanes}; run them in parts")
        if cycles <= warm_up:
            raise InputError(
                f"a stream must be longer than its warm-up of {warm_up} cycles, not {cycles}; give more cycles"
            )
        return cycles, lanes

    def source(self) -> str:
        """The C source: gates in functions of `_CHUNK` assignments, because compile time grows faster than length."""

        def value(net: Net) -> str:
            return "~(uint64_t)0" if net == ONE else "(uint64_t)0" if net == ZERO else f"v[{self._index[net]}]"

        registers = self.registers
        enables = {g.clock: g.enable for g in self.netlist.gates}
        gates = []
        for instance in self.netlist.order:
            names = {p: value(instance.pins[p]) for p in instance.cell.inputs}
            gates += [
                f"  v[{self._index[instance.pins[p]]}] = {to_c(f, names)};"
                for p, f in instance.cell.functions.items()
                if p in instance.pins
            ]
        chunks = [gates[k : k + _CHUNK] for k in range(0, len(gates), _CHUNK)]
        count = len(self.nets)
        lines = ["#include <stdint.h>", "#include <string.h>"]
        for k, chunk in enumerate(chunks):
            lines += [f"static void gates{k}(uint64_t *restrict v) {{", *chunk, "}"]
        lines += [
            "void run(const uint64_t *in, uint64_t *out, int64_t *rise, int64_t *fall, int64_t *opened,",
            "         uint64_t *q, uint64_t *old, long cycles, long skip, uint64_t lanes) {",
            f"  static uint64_t v[{count + 1}];",
            "  memset(v, 0, sizeof v);",
        ]
        lines.append("  for (long t = 0; t < cycles; t++) {")
        lines += [
            f"    v[{self._index[n]}] = in[t * {len(self.input_bits)}L + {k}];" for k, n in enumerate(self.input_bits)
        ]
        lines += [f"    v[{self._index[i.pins[p]]}] = q[{k}];" for k, (i, p) in enumerate(registers)]
        lines += [f"    gates{k}(v);" for k in range(len(chunks))]
        lines += [
            f"    if (t >= skip) for (int k = 0; k < {count}; k++) {{",
            "      uint64_t d = (v[k] ^ old[k]) & lanes;",
            "      rise[k] += __builtin_popcountll(d & v[k]); fall[k] += __builtin_popcountll(d & old[k]);",
            "    }",
            f"    memcpy(old, v, {count} * sizeof *v);",
        ]
        lines += [
            f"    if (t >= skip) opened[{k}] += __builtin_popcountll({value(g.enable)} & lanes);"
            for k, g in enumerate(self.netlist.gates)
        ]
        lines += [f"    out[t * {len(self.output_bits)}L + {k}] = {value(n)};" for k, n in enumerate(self.output_bits)]
        for k, (instance, pin) in enumerate(registers):
            data = value(instance.pins[instance.cell.data or "D"])
            taken = f"{'~' if pin in instance.cell.inverted_output else ''}{data}"
            enable = enables.get(instance.pins[instance.cell.clock or ""])
            lines.append(
                f"    q[{k}] = {taken};"
                if enable is None
                else f"    q[{k}] = ({value(enable)} & {taken}) | (~{value(enable)} & q[{k}]);"
            )
        return "\n".join([*lines, "  }", "}", ""])
