"""Zero-delay activity of a netlist: 64 independent operand streams at a time, in C made from the netlist."""

import ctypes
import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hw.cells.boolean import to_c
from hw.gates.netlist import ONE, ZERO, Net, Netlist
from hw.spec.error import InputError

LANES = 64
Streams = Mapping[str, NDArray[np.int64]]
"""Input port to values of shape (cycles, lanes); the low bits count, so negative numbers are welcome."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Rises and falls of every net, summed over `samples` = counted cycles x streams."""

    rises: dict[Net, int]
    falls: dict[Net, int]
    samples: int

    def toggles(self, net: Net) -> int:
        """Edges of `net` in both directions."""
        return self.rises.get(net, 0) + self.falls.get(net, 0)


class Simulator:
    """The compiled two-valued simulator of one netlist.

    In each cycle the inputs are applied, all gates settle, edges against the cycle before are counted, and the
    registers take their data. All registers start at zero.
    """

    def __init__(self, netlist: Netlist, build: Path = Path("build")) -> None:
        self.netlist = netlist
        self.input_bits = [n for bits in netlist.inputs.values() for n in bits]
        self.output_bits = [n for bits in netlist.outputs.values() for n in bits]
        self.nets = sorted({*self.input_bits, *netlist.drivers()} - {ZERO, ONE})
        self._index = {net: k for k, net in enumerate(self.nets)}
        self._library = ctypes.CDLL(str(self._compile(build).resolve()))
        self._library.run.restype = None

    def run(self, streams: Streams, warm_up: int = 1) -> tuple[Activity, dict[str, NDArray[np.int64]]]:
        """Activity after the first `warm_up` cycles, and every output port's values (cycles, lanes), unsigned."""
        cycles, lanes = self._check(streams, warm_up)
        words = np.zeros((cycles, max(1, len(self.input_bits))), dtype=np.uint64)
        column = 0
        for port, bits in self.netlist.inputs.items():
            values = streams[port]
            shifts = np.arange(lanes, dtype=np.uint64)
            for bit in range(len(bits)):
                plane = ((values >> bit) & 1).astype(np.uint64)
                words[:, column] = np.bitwise_or.reduce(plane << shifts, axis=1)
                column += 1
        seen = np.zeros((cycles, max(1, len(self.output_bits))), dtype=np.uint64)
        rises, falls = np.zeros(len(self.nets), dtype=np.int64), np.zeros(len(self.nets), dtype=np.int64)
        pointer = ctypes.c_void_p
        self._library.run(*(pointer(a.ctypes.data) for a in (words, seen, rises, falls)),
                          ctypes.c_long(cycles), ctypes.c_long(warm_up))
        outputs, column = {}, 0
        for port, bits in self.netlist.outputs.items():
            value = np.zeros((cycles, lanes), dtype=np.int64)
            for bit in range(len(bits)):
                plane = (seen[:, column, None] >> np.arange(lanes, dtype=np.uint64)) & np.uint64(1)
                value |= plane.astype(np.int64) << bit
                column += 1
            outputs[port] = value
        return Activity(
            rises={n: int(rises[k]) for n, k in self._index.items()},
            falls={n: int(falls[k]) for n, k in self._index.items()}, samples=(cycles - warm_up) * lanes,
        ), outputs

    def _check(self, streams: Streams, warm_up: int) -> tuple[int, int]:
        for port in self.netlist.inputs:
            if port not in streams:
                raise InputError(f"a stream must be given for every input of {self.netlist.name}, "
                                 f"but {port!r} has none; add it")
        shapes = {streams[p].shape for p in self.netlist.inputs}
        if len(shapes) != 1:
            raise InputError(f"all streams must have one shape (cycles, lanes), not {sorted(shapes)}; cut them alike")
        cycles, lanes = shapes.pop()
        if not 1 <= lanes <= LANES:
            raise InputError(f"streams must have 1 to {LANES} lanes, not {lanes}; run them in parts")
        if cycles <= warm_up:
            raise InputError(f"a stream must be longer than its warm-up of {warm_up} cycles, not {cycles}; "
                             f"give more cycles")
        return cycles, lanes

    def source(self) -> str:
        """The C source."""
        def value(net: Net) -> str:
            return "~(uint64_t)0" if net == ONE else "(uint64_t)0" if net == ZERO else f"v{self._index[net]}"

        lines = ["#include <stdint.h>", "#include <string.h>",
                 "void run(const uint64_t *in, uint64_t *out, int64_t *rise, int64_t *fall, long cycles, long skip) {",
                 f"  static uint64_t old[{len(self.nets) + 1}]; memset(old, 0, sizeof old);"]
        registers = [(i, p) for i in self.netlist.flops for p in i.cell.outputs if p in i.pins]
        lines += [f"  uint64_t q{k} = {'~(uint64_t)0' if p in i.cell.inverted_output else '0'};"
                  for k, (i, p) in enumerate(registers)]
        lines.append("  for (long t = 0; t < cycles; t++) {")
        lines += [f"    const uint64_t v{self._index[n]} = in[t * {len(self.input_bits)}L + {k}];"
                  for k, n in enumerate(self.input_bits)]
        lines += [f"    const uint64_t v{self._index[i.pins[p]]} = q{k};" for k, (i, p) in enumerate(registers)]
        for instance in self.netlist.order:
            names = {p: value(instance.pins[p]) for p in instance.cell.inputs}
            lines += [f"    const uint64_t v{self._index[instance.pins[p]]} = {to_c(f, names)};"
                      for p, f in instance.cell.functions.items() if p in instance.pins]
        lines.append("    if (t >= skip) { uint64_t d;")
        lines += [f"      d = v{k} ^ old[{k}]; rise[{k}] += __builtin_popcountll(d & v{k}); "
                  f"fall[{k}] += __builtin_popcountll(d & ~v{k});" for k in range(len(self.nets))]
        lines.append("    }")
        lines += [f"    old[{k}] = v{k};" for k in range(len(self.nets))]
        lines += [f"    out[t * {len(self.output_bits)}L + {k}] = {value(n)};" for k, n in enumerate(self.output_bits)]
        for k, (instance, pin) in enumerate(registers):
            data = value(instance.pins[instance.cell.data or "D"])
            lines.append(f"    q{k} = {'~' if pin in instance.cell.inverted_output else ''}{data};")
        return "\n".join([*lines, "  }", "}", ""])

    def _compile(self, build: Path) -> Path:
        if shutil.which("gcc") is None:
            raise InputError("activity must be simulated with gcc, and it is not on the path; "
                             "install Debian's package gcc")
        text = self.source()
        folder = build / "gates"
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"activity.{hashlib.sha256(text.encode()).hexdigest()[:16]}.so"
        if not target.exists():
            part = folder / f"{target.stem}-{os.getpid()}.part"
            source = folder / f"{part.name}.c"
            source.write_text(text)
            subprocess.run(["gcc", "-O1", "-march=native", "-shared", "-fPIC", "-o", str(part), str(source)],
                           check=True, timeout=600)
            source.unlink()
            os.replace(part, target)
        return target
