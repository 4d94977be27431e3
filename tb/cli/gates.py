"""Checks of the energy at the gates: transistors, timing, proofs, SAIF, a second library, PIM units, a Liberty file.

examples:
  kcloud-cosim gates transistors
  kcloud-cosim gates core --chip npu_16
"""

import argparse
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from amaranth.hdl import UnusedElaboratable

from hw import chips
from hw.base import place
from hw.base.error import InputError
from hw.base.file import write_atomically
from hw.base.seed import seed
from hw.gates import core_clock, liberty, library, synthesis
from hw.gates.blocks import Adder, MacSlice, Multiplier
from hw.gates.core_clocks import CLOCKS
from hw.rtl.npu.cell import Cell
from hw.spec.core import CoreSpec
from hw.spec.mac_array import MacArraySpec
from hw.spec.pim import PimSpec
from hw.spec.system import SystemSpec
from tb.gates import libraries, pim, pim_device, pim_unit, saif, system, timing, transistors, vector, whole_core

BLOCKS = {
    "adder": lambda: Adder(8),
    "multiplier": lambda: Multiplier(8),
    "multiply_add": MacSlice,
    "cell": lambda: Cell(MacArraySpec(rows=16, columns=16)),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which check, and what it needs."""
    parser.add_argument(
        "check",
        choices=sorted(_CHECKS),
        help="transistors: energy beside ngspice; timing: critical "
        "paths beside OpenSTA; proof: small netlists equal their RTL; saif: toggles net by net beside "
        "Verilator's; libraries: netlists and operands ranked in 45 nm and in osu018; pim: units and "
        "bank control of the DRAM devices; vector: lanes of the vector unit; system: core and vector unit of the "
        "systems that run a language model; core: area and clock of a whole core beside published ones; liberty: read "
        "a file",
    )
    parser.add_argument("--file", type=Path, help="liberty: the file; saif: a SAIF file of --block instead of a run")
    parser.add_argument("--chip", default="npu_16", help="for core: a file in hw/chips (default %(default)s)")
    parser.add_argument("--block", default="cell", choices=sorted(BLOCKS), help="for --file of saif")
    parser.add_argument("--cycles", type=int, default=2000, help="saif: length of the stream")
    parser.add_argument("--warm-up", type=int, default=20, help="saif: cycles before the window that is compared")
    parser.add_argument("--clock-gating", action="store_true", help="pim: the units with clock gates as well")
    parser.add_argument(
        "--write",
        action="store_true",
        help="system: keep the energies in model/energy; core: keep the clock in hw/gates",
    )
    parser.add_argument("--seed", type=seed, default=1)
    parser.add_argument("--build", type=Path, default=Path("build"))


def run(arguments: argparse.Namespace) -> int:
    """0 if the check holds, 1 if not."""
    return _CHECKS[arguments.check](arguments)


def _transistors(arguments: argparse.Namespace) -> int:
    print(f"{'block':26}{'cells':>6}{'vectors':>8}{'settled fJ':>12}{'glitches fJ':>13}{'ngspice fJ':>12}{'ratio':>7}")
    worst = 0.0
    for c in transistors.check(library.load("mini45"), arguments.build, arguments.seed):
        ratio = c.glitched_fj / c.transistors_fj
        worst = max(worst, abs(ratio - 1))
        print(
            f"{c.name:26}{c.cells:6}{c.vectors:8}{c.settled_fj:12.1f}{c.glitched_fj:13.1f}{c.transistors_fj:12.1f}"
            f"{ratio:7.2f}",
            flush=True,
        )
    print("random vectors, energy of the supply, input nets driven from outside")
    return int(worst > 0.10)


def _timing(arguments: argparse.Namespace) -> int:
    print(f"{'block':26}{'own ns':>9}{'OpenSTA':>9}{'difference':>12}")
    worst = 0.0
    for t in timing.compare(library.load("mini45"), arguments.build):
        worst = max(worst, abs(t.difference))
        print(f"{t.name:26}{t.own_ns:9.4f}{t.opensta_ns:9.4f}{t.difference:+12.1%}", flush=True)
    return int(worst > 0.05)


def _proof(arguments: argparse.Namespace) -> int:
    for name, make in (("8-bit adder", lambda: Adder(8)), ("4-bit multiplier", lambda: Multiplier(4))):
        synthesis.prove_equal(
            synthesis.synthesise(make(), name.replace(" ", "_"), library.load("mini45"), arguments.build)
        )
        print(f"{name}: netlist equals its RTL for all inputs")
    return 0


def _saif(arguments: argparse.Namespace) -> int:
    process, rng = library.load("mini45"), np.random.default_rng(arguments.seed)
    if arguments.file is not None:
        block = synthesis.synthesise(BLOCKS[arguments.block](), arguments.block, process, arguments.build)
        found = saif.read(arguments.file, block)
        print(f"{arguments.file.name}: {len(found)} nets of {arguments.block}, {sum(found.values())} toggles")
        return 0
    same = True
    print(f"{'block':14}{'nets':>6}{'toggles':>10}{'Verilator':>11}  nets that differ")
    for name in ("adder", "multiplier", "cell"):
        block = synthesis.synthesise(BLOCKS[name](), name, process, arguments.build)
        streams = {
            p: rng.integers(0, 1 << len(bits), (max(0, arguments.cycles), 1))
            for p, bits in block.netlist.inputs.items()
        }
        streams["rst"] = np.zeros((max(0, arguments.cycles), 1), np.int64)
        given = {p: streams[p] for p in block.netlist.inputs}
        c = saif.compare(block, given, arguments.warm_up, arguments.build)
        same = same and not c.different
        print(f"{name:14}{c.nets:6}{c.ours:10}{c.verilator:11}  {', '.join(c.different[:5]) or 'none'}", flush=True)
    return int(not same)


def _libraries(arguments: argparse.Namespace) -> int:
    found = []
    print(
        "INT8 cell, pJ per cycle with glitches (without)\n"
        f"{'library':9}{'netlist':20}{'cells':>6}{'um2':>8}{'GHz':>7}" + "".join(f"{c:>18}" for c in libraries.CLASSES)
    )
    for m in libraries.compare(library.NAMES, arguments.build, arguments.seed):
        found.append(m)
        print(
            f"{m.library:9}{m.recipe:20}{m.cells:6}{m.area_um2:8.0f}{m.clock_ghz:7.2f}"
            + "".join(f"{f'{m.glitched_pj[c]:.2f} ({m.settled_pj[c]:.2f})':>18}" for c in libraries.CLASSES),
            flush=True,
        )
    ranks = libraries.ranks(found)
    for name, (recipes, classes) in ranks.items():
        print(f"{name}: {' < '.join(recipes)}; {' < '.join(classes)}")
    same = all(r == ranks[library.NAMES[0]] for r in ranks.values())
    print("both libraries rank netlists and operands alike" if same else "the libraries rank differently")
    return int(not same)


def _units(found: Iterable[pim.Unit]) -> None:
    print(f"{'block':24}{'cells':>7}{'area um2':>10}{'GHz':>6}{'operation':>24}{'pJ':>8}  glitches", flush=True)
    for u in found:
        print(
            f"{u.name:24}{u.cells:7}{u.area_um2:10.0f}{u.clock_ghz:6.2f}{u.operation:>24}{u.operation_pj:8.1f}"
            f"{u.glitch:10.2f}",
            flush=True,
        )


def _vector(arguments: argparse.Namespace) -> int:
    _units(vector.units(library.load("mini45"), arguments.build, arguments.seed))
    print("one lane of 16; 45 nm at 1.0 V, operands of eight binades, glitches included, leakage left out")
    return 0


def _system(arguments: argparse.Namespace) -> int:
    process, prices = library.load("mini45"), {}
    for name in chips.with_machine(SystemSpec):
        spec = chips.load(name).machine_as(SystemSpec)
        if spec.number in prices:
            continue
        events = system.core_energies(spec.core, process, arguments.build, arguments.seed)
        for event, operation, pj in system.lane_energies(spec.number, process, arguments.build, arguments.seed):
            print(f"{name:14}{event:26}{operation:18}{pj:8.2f} pJ", flush=True)
            events.setdefault(event, []).append(pj)
        for event, values in events.items():
            print(f"{name:14}{event:26}{'':18}{min(values):8.2f} to {max(values):.2f} pJ", flush=True)
        prices[spec.number] = events
    if arguments.write:
        write_atomically(place.SOURCE / "model" / "energy" / "system_at_gates.py", system.text(prices))
    return 0


def _pim(arguments: argparse.Namespace) -> int:
    process = library.load("mini45")
    _units(pim.units(process, arguments.build, arguments.seed))
    for device in pim_unit.UNITS:
        print()
        for line in pim_unit.lines(
            device, pim.spec_of(device), process, arguments.build, arguments.seed, arguments.clock_gating
        ):
            print(line, flush=True)
    print("\n45 nm logic at 1.0 V, not a DRAM process; random operands, leakage left out")
    return 0


def _liberty(arguments: argparse.Namespace) -> int:
    if arguments.file is None:
        raise InputError("a Liberty file must be named for this check, but --file is not given; add --file PATH")
    read = liberty.read(arguments.file)
    print(f"{read.name}: {len(read.cells)} cells, {read.voltage_v:g} V, digest {read.digest}")
    return 0


def _core(arguments: argparse.Namespace) -> int:
    chip, process = chips.load(arguments.chip), library.load("mini45")
    warnings.filterwarnings("ignore", category=UnusedElaboratable)
    if arguments.chip in chips.with_machine(PimSpec):
        spec = chip.machine_as(PimSpec)
        whole = pim_device.measure(spec, process, arguments.build)
        text = pim_device.text(whole, arguments.chip, spec.clock.nominal)
    else:
        core = chips.machine(chip, CoreSpec, "the whole core at the gates")
        whole = whole_core.measure(core, process, arguments.build)
        text = whole_core.text(whole, arguments.chip, None if chip.clock is None else chip.clock.nominal)
    print(*text, sep="\n", flush=True)
    if arguments.write:
        kept = CLOCKS | {core_clock.digest_of(chip.machine): (chip.title, round(whole.clock_ghz, 4), 45, whole.slowest)}
        write_atomically(place.checkout("keeping a clock") / "hw/gates/core_clocks.py", core_clock.source(kept))
    return 0


_CHECKS = {
    "transistors": _transistors,
    "timing": _timing,
    "proof": _proof,
    "saif": _saif,
    "libraries": _libraries,
    "pim": _pim,
    "system": _system,
    "vector": _vector,
    "liberty": _liberty,
    "core": _core,
}
