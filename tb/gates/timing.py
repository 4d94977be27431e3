"""Critical paths by our own timing beside OpenSTA's, on the same netlists and library."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hw.base.error import InputError
from hw.gates import synthesis, timing
from hw.gates.blocks import Adder, MacSlice, Multiplier
from hw.gates.library import Process, Wire
from hw.rtl.npu.cell import Cell
from hw.spec.mac_array import MacArraySpec

BLOCKS = {
    "8-bit adder": lambda: Adder(8),
    "8-bit multiplier": lambda: Multiplier(8),
    "multiply-add of one cell": MacSlice,
    "cell with its registers": lambda: Cell(MacArraySpec(rows=16, columns=16)),
}
_PERIOD_NS = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Longest path of one block in ns, without wires, set-up included.

    Parameters
    ----------
    name : str
        A key of `BLOCKS`.
    own_ns : float
        By `hw.gates.timing`.
    opensta_ns : float
        By OpenSTA.
    """

    name: str
    own_ns: float
    opensta_ns: float

    @property
    def difference(self) -> float:
        """Ours over OpenSTA's, less one."""
        return self.own_ns / self.opensta_ns - 1


def compare(process: Process, build: Path) -> Iterator[Timed]:
    """Every block of `BLOCKS` by both."""
    for name, make in BLOCKS.items():
        block = synthesis.synthesise(make(), name.replace(" ", "_"), process, build, synthesis.UNBUFFERED)
        own = timing.analyse(block.netlist, Wire(base_ff=0.0, per_fanout_ff=0.0), process.input_slew_ns)
        yield Timed(name=name, own_ns=own.critical_ns, opensta_ns=opensta(block, process))


def opensta(block: synthesis.Synthesised, process: Process) -> float:
    """The longest path by OpenSTA, ns; raises `InputError` if it is not installed or says nothing."""
    if shutil.which("sta") is None:
        raise InputError(
            "timing must be compared with OpenSTA, and sta is not on the path; install Debian's package opensta"
        )
    clock = "[get_ports clk]" if block.netlist.clock is not None else ""
    # OpenSTA of 2019 does not read signed ports.
    netlist = block.folder / "netlist.unsigned.v"
    netlist.write_text((block.folder / "netlist.v").read_text().replace(" signed", ""))
    script = "\n".join(
        [
            f"read_liberty {process.library.path.resolve()}",
            f"read_verilog {netlist.resolve()}",
            "link_design top",
            f"create_clock -name c -period {_PERIOD_NS:g} {clock}",
            "set inputs [all_inputs]",
            f"set_input_transition {process.input_slew_ns:g} $inputs",
            "set_input_delay 0 -clock c $inputs",
            "set_output_delay 0 -clock c [all_outputs]",
            "report_checks -path_delay max -digits 5",
            "exit",
            "",
        ]
    )
    done = subprocess.run(
        ["sta", "-no_splash", "-exit", "/dev/stdin"],
        input=script,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    slack = re.search(r"(-?[\d.]+)\s+slack", done.stdout)
    if slack is None:
        last = (done.stdout + done.stderr).strip().splitlines()[-1:] or ["nothing"]
        raise InputError(f"OpenSTA must report a path of {block.netlist.name}, but says {last[0]!r}; check its version")
    return _PERIOD_NS - float(slack[1])
