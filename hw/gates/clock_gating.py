"""Clock gating: registers that share an enable get their clock through gates of library cells, else they stand still.

Synthesis finds the enables (what a register keeps by a multiplexer from its own output), joins a synchronous reset to
them, and puts a `CELL` before every group of `FEWEST` registers and more. Such a cell is two cells of the library: a
latch, transparent while the clock is low, made of a multiplexer that reads its own output, and an AND of latch and
clock. One pair serves `PER_GATE` registers, as many as the AND can drive within its tables; a larger group has several.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.gates.liberty import Library, LibraryCell

CELL = "CLKGATE"
"""Enable E, clock CK, gated clock Q; no cell of a library."""
FEWEST = 8
"""Registers of the smallest group: below, the gates cost what they save."""
PER_GATE = 8
"""Clock pins behind one pair: 8 x 1.6 fF and their wire are 18 fF, and the AND of the 45 nm library reaches 20 fF."""
_PARTS = {"mini45": ("MUX2_X1", "B", "S", "AND2_X1", "A", "B")}
"""Library to the multiplexer, its data and select pins, the AND, its pins for clock and latch."""
_SHARED = """simplemap
design -stash block
read_verilog -icells <<enables
module \\$_SDFFE_PP0P_ (input D, C, R, E, output Q);
  \\$_DFFE_PP_ _TECHMAP_REPLACE_ (.D(D & ~R), .C(C), .E(E | R), .Q(Q));
endmodule
module \\$_SDFFE_PP1P_ (input D, C, R, E, output Q);
  \\$_DFFE_PP_ _TECHMAP_REPLACE_ (.D(D | R), .C(C), .E(E | R), .Q(Q));
endmodule
module \\$_SDFFCE_PP0P_ (input D, C, R, E, output Q);
  \\$_DFFE_PP_ _TECHMAP_REPLACE_ (.D(D & ~R), .C(C), .E(E), .Q(Q));
endmodule
module \\$_SDFFCE_PP1P_ (input D, C, R, E, output Q);
  \\$_DFFE_PP_ _TECHMAP_REPLACE_ (.D(D | R), .C(C), .E(E), .Q(Q));
endmodule
enables
design -stash enables
design -load block
read_verilog -lib <<gate
(* blackbox *) module CLKGATE(input E, input CK, output Q); endmodule
gate
techmap -map %enables
simplemap
opt_merge
opt_clean
opt_expr
clockgate -pos CLKGATE E:CK:Q -min_net_size 8
"""


def gated(recipe: str) -> str:
    """The recipe of `hw.gates.synthesis` with clock gates before the flip-flops are mapped."""
    return recipe.replace("simplemap\n", _SHARED.replace("net_size 8", f"net_size {FEWEST}"), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockGate:
    """One group of registers behind a gated clock.

    Parameters
    ----------
    enable : int
        Net that lets the clock through in the cycle at whose end the registers take their data.
    clock : int
        Net of the gated clock.
    registers : int
        Flip-flops behind it.
    latch, gate : LibraryCell
        Multiplexer and AND of one pair.
    latch_data, latch_clock, gate_clock, gate_data : str
        Their pins for enable, clock, clock and the latch's output.
    """

    enable: int
    clock: int
    registers: int
    latch: LibraryCell
    gate: LibraryCell
    latch_data: str
    latch_clock: str
    gate_clock: str
    gate_data: str

    @property
    def pairs(self) -> int:
        """Latch and AND, as often as the registers need."""
        return ceil_div(self.registers, PER_GATE)

    @property
    def area_um2(self) -> float:
        """Of all pairs, um2."""
        return self.pairs * (self.latch.area_um2 + self.gate.area_um2)

    @property
    def leakage_nw(self) -> float:
        """Of all pairs, nW."""
        return self.pairs * (self.latch.leakage_nw + self.gate.leakage_nw)


def read(cells: Mapping[str, Any], library: Library) -> tuple[ClockGate, ...]:
    """The clock gates among the cells of a module in Yosys' JSON, with the flip-flops behind each."""
    gates = [body["connections"] for body in cells.values() if body["type"] == CELL]
    if not gates:
        return ()
    if library.name not in _PARTS:
        raise InputError(
            f"clock gates must be made of cells of {', '.join(_PARTS)}, not of {library.name}; leave clock gating out"
        )
    clock_of = {name: cell.clock for name, cell in library.cells.items() if cell.clock}
    behind = Counter(
        body["connections"][clock_of[body["type"]]][0] for body in cells.values() if body["type"] in clock_of
    )
    latch, data, select, gate, clock_pin, latch_pin = _PARTS[library.name]
    return tuple(
        ClockGate(
            enable=pins["E"][0],
            clock=pins["Q"][0],
            registers=behind[pins["Q"][0]],
            latch=library.cell(latch),
            gate=library.cell(gate),
            latch_data=data,
            latch_clock=select,
            gate_clock=clock_pin,
            gate_data=latch_pin,
        )
        for pins in gates
    )
