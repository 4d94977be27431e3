"""Toggles of a netlist from a SAIF file, and Verilator's own beside those of the bit-parallel simulator."""

import hashlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hw.base.error import InputError
from hw.cells import MINI45_MODELS
from hw.gates.activity import Activity, Simulator, Streams
from hw.gates.netlist import ONE, ZERO, Net, Netlist
from hw.gates.synthesis import Synthesised
from hw.rtl.emit.verilog import Emitted
from tb.bench import activity, build

TOP = "top"
"""Module of a mapped netlist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Nets and toggles of one window by both simulators; `different`: nets whose counts are not equal.

    Parameters
    ----------
    nets : int
        How many nets both counted; clock and reset are left out.
    ours : int
        Toggles of these nets together, by the bit-parallel simulator.
    verilator : int
        The same by Verilator.
    """

    nets: int
    ours: int
    verilator: int
    different: tuple[str, ...]


def read(saif: Path, block: Synthesised) -> dict[Net, int]:
    """Toggles of every net of a netlist in a SAIF file recorded on it, in whichever instance of module `TOP`.

    Raises `InputError` if the file names nets the netlist lacks, or lacks nets the netlist has.
    """
    netlist, of = block.netlist, _names(block)
    found: dict[Net, int] = {}
    for instance, name, count in activity.bits(saif):
        if instance.rpartition(".")[2] != TOP or name in ("clk", "rst"):
            continue
        if name not in of:
            raise InputError(
                f"a SAIF file must name nets of its netlist, but {saif.name} has {name!r}, which "
                f"{netlist.name} lacks; record it on this netlist"
            )
        found[of[name]] = count
    missing = sorted(netlist.names.get(n, str(n)) for n in netlist.drivers() if n not in found)
    if missing:
        raise InputError(
            f"a SAIF file must cover its netlist, but {saif.name} lacks {len(missing)} nets of "
            f"{netlist.name}, first {missing[0]!r}; record it with all nets traced"
        )
    return found


def _names(block: Synthesised) -> dict[str, Net]:
    """Every name of every net: a net may be a bit of several vectors."""
    (module,) = json.loads((block.folder / "netlist.json").read_text())["modules"].values()
    found: dict[str, Net] = {}
    for name, body in (*module["netnames"].items(), *module["ports"].items()):
        for k, bit in enumerate(body["bits"]):
            if isinstance(bit, int):
                found[f"{name}[{k}]" if len(body["bits"]) > 1 else name] = bit
    return found


def verilator(block: Synthesised, streams: Streams, warm_up: int, folder: Path) -> tuple[Path, Path]:
    """SAIF files of Verilator's run of the netlist on lane 0 of `streams`, recorded after `warm_up` cycles: the whole
    window, and its first sample alone, in which Verilator counts every net that is high as risen.

    Ports of at most 64 bits. Errors as `tb.bench.build.build`.
    """
    ports = [p for p in block.netlist.inputs if p in streams]
    verilog = MINI45_MODELS.read_text() + (block.folder / "netlist.v").read_text()
    digest = hashlib.sha256(verilog.encode()).hexdigest()[:16]
    work = folder / "gates" / f"saif.{digest}"
    work.mkdir(parents=True, exist_ok=True)
    (work / "top.v").write_text(verilog)
    manifest = {"name": TOP, "ports": [{"name": p} for p in ports], "memories": [], "signals": [], "instances": {}}
    emitted = Emitted(
        name=TOP, verilog_path=work / "top.v", manifest_path=work / "top.json", manifest=manifest, digest=digest
    )
    binary = build.harness(emitted, _main(ports, block.netlist), folder / "sim", "saif").resolve()
    cycles = len(streams[ports[0]])
    rows = [
        " ".join(f"{int(streams[p][t, 0]) & ((1 << len(block.netlist.inputs[p])) - 1):x}" for p in ports)
        for t in range(cycles)
    ]
    (work / "stimulus.txt").write_text("\n".join(rows) + "\n")
    for end, name in ((cycles, "window.saif"), (warm_up, "first.saif")):
        subprocess.run([str(binary), "stimulus.txt", str(warm_up), name, str(end)], cwd=work, check=True, timeout=600)
    return work / "window.saif", work / "first.saif"


def _main(ports: list[str], netlist: Netlist) -> str:
    """Like the bit-parallel simulator: registers and inputs change together, everything settles, one sample."""
    clock, flops = ("top->clk = 1; top->eval(); top->clk = 0;", True) if netlist.clock is not None else ("", False)
    held = [p for p in netlist.inputs if p not in ports]
    lines = [
        '#include "Vtop.h"',
        '#include "verilated_saif_c.h"',
        "#include <cstdio>",
        "#include <cstdlib>",
        "int main(int argc, char **argv) {",
        "  VerilatedContext context; context.traceEverOn(true);",
        "  Vtop *top = new Vtop(&context); VerilatedSaifC *saif = new VerilatedSaifC;",
        '  top->trace(saif, 99); FILE *file = fopen(argv[1], "r");',
        "  long skip = atol(argv[2]), end = atol(argv[4]);",
        *(f"  top->{p} = 0;" for p in held),
        "  unsigned long long v; long t = 0;",
        "  for (; t < end; t++) {",
        *(f"    if (t) {{ {clock} }}" for _ in range(flops)),
        *(f'    if (fscanf(file, "%llx", &v) != 1) break; top->{p} = v;' for p in ports),
        "    top->eval();",
        "    if (t == skip - 1) saif->open(argv[3]);",
        "    if (t >= skip - 1) saif->dump((uint64_t)(t - skip + 2));",
        "  }",
        "  saif->close(); top->final(); return 0;",
        "}",
        "",
    ]
    return "\n".join(lines)


def compare(block: Synthesised, streams: Streams, warm_up: int, folder: Path) -> Compared:
    """Every net's toggles after `warm_up` cycles on lane 0 of `streams`, by both simulators."""
    first = {p: v[:, :1] for p, v in streams.items()}
    counted: Activity = Simulator(block.netlist, folder).run(first, warm_up)[0]
    window, start = (read(path, block) for path in verilator(block, first, warm_up, folder))
    theirs = {net: count - start[net] for net, count in window.items()}
    names = block.netlist.names
    ours = {n: round(counted.toggles(n)) for n in theirs if n not in (ZERO, ONE)}
    return Compared(
        nets=len(ours),
        ours=sum(ours.values()),
        verilator=sum(theirs[n] for n in ours),
        different=tuple(names.get(n, str(n)) for n, c in ours.items() if theirs[n] != c),
    )
