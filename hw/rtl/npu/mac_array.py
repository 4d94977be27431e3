"""The weight-stationary array with the skew at its edges."""

from typing import Literal

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.base.error import InputError
from hw.rtl.arithmetic.fp_decode import FpDecode
from hw.rtl.npu.cell import Cell, cell_signature
from hw.spec.mac_array import MacArraySpec

CellStyle = Literal["inline", "instance"]

CELL_MODULE = "cell"
"""Verilog module name the array instantiates with `cells="instance"`."""


def delay(m: Module, value: Value, cycles: int, name: str) -> Value:
    """`value`, `cycles` cycles later, through plain registers `name_0`, `name_1`, ..."""
    for stage in range(cycles):
        late = Signal(value.shape(), name=f"{name}_{stage}")
        m.d.sync += late.eq(value)
        value = late
    return value


class MacArray(wiring.Component):
    """`rows` x `columns` cells; one activation word in, one row of `columns` sums out per cycle, never stalls.

    A word given in cycle t leaves as sums in cycle t + `latency`. `i_swap` accompanies the first word of a
    weight tile. The tile is loaded bottom row first, one word per cycle in which `i_load` is not zero;
    in load step j exactly the rows r <= j have `i_load` set ("thermometer"), so that row r is left alone
    for the first r steps, long enough for the swap wave of the tile before to have passed it.

    Parameters
    ----------
    array : MacArraySpec
    cells : "inline" or "instance"
        "inline" elaborates every cell; "instance" refers to a Verilog module `cell` (convert one `Cell`
        under that name) so that it is emitted once.

    Members
    -------
    i_activation : In(rows * activation_lane_bits), row 0 in the low bits
    i_swap : In(1)
    i_weight : In(columns * weight_lane_bits), column 0 in the low bits
    i_load : In(rows)
    o_partial_sum : Out(columns * partial_sum_bits)
    """

    def __init__(self, array: MacArraySpec, *, cells: CellStyle = "inline") -> None:
        if array.dataflow != "ws":
            raise InputError(f"this array is weight-stationary, dataflow must be 'ws', not {array.dataflow!r}")
        self.spec, self.cells = array, cells
        self._activation_bits = array.activation_lane_bits
        self._weight_bits = array.weight_lane_bits
        super().__init__(
            {
                "i_activation": In(array.rows * self._activation_bits),
                "i_swap": In(1),
                "i_weight": In(array.columns * self._weight_bits),
                "i_load": In(array.rows),
                "o_partial_sum": Out(array.columns * array.partial_sum_bits),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from an activation word to its row of sums: rows * mac_latency + columns - 1."""
        return self.spec.rows * self.spec.mac_latency + self.spec.columns - 1

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rows, columns = range(self.spec.rows), range(self.spec.columns)
        depth = self.spec.mac_latency
        grid = [[self._cell(m, r, c) for c in columns] for r in rows]

        # Left edge: row r enters r * mac_latency cycles late; the load bits enter all rows at once
        swap: Value = self.i_swap
        for r in rows:
            left = grid[r][0]
            activation = self.i_activation.word_select(r, self._activation_bits)
            if r:
                swap = delay(m, swap, depth, f"swap_skew_{r}")
            m.d.comb += [
                left["i_activation"].eq(
                    self._decoded(
                        m,
                        delay(m, activation, r * depth, f"activation_skew_{r}"),
                        self.spec.activation_format,
                        f"decode_row_{r}",
                    )
                ),
                left["i_swap"].eq(swap),
                left["i_load"].eq(self.i_load[r]),
            ]
            for c in columns[1:]:
                m.d.comb += [
                    grid[r][c][f"i_{name}"].eq(grid[r][c - 1][f"o_{name}"]) for name in ("activation", "swap", "load")
                ]

        # Top edge: weights of column c enter c cycles late. Bottom edge: sums of early columns wait
        for c in columns:
            weight = self.i_weight.word_select(c, self._weight_bits)
            m.d.comb += [
                grid[0][c]["i_weight"].eq(
                    self._decoded(
                        m, delay(m, weight, c, f"weight_skew_{c}"), self.spec.weight_format, f"decode_column_{c}"
                    )
                ),
                grid[0][c]["i_partial_sum"].eq(0),
            ]
            for r in rows[1:]:
                m.d.comb += [
                    grid[r][c][f"i_{name}"].eq(grid[r - 1][c][f"o_{name}"]) for name in ("weight", "partial_sum")
                ]
            bottom = delay(m, grid[-1][c]["o_partial_sum"], len(columns) - 1 - c, f"sum_skew_{c}")
            m.d.comb += self.o_partial_sum.word_select(c, self.spec.partial_sum_bits).eq(bottom)
        return m

    def _decoded(self, m: Module, lane: Value, name: str, submodule: str) -> Value:
        """A lane as the cells take it: floating-point codes decoded, once per row or column; integers as is."""
        if not self.spec.is_floating_point:
            return lane
        m.submodules[submodule] = decoder = FpDecode([name])
        m.d.comb += decoder.code.eq(lane)
        return decoder.o.as_value()

    def _cell(self, m: Module, r: int, c: int) -> dict[str, Signal]:
        """Place cell (r, c); its ports by name."""
        members = cell_signature(self.spec).members
        if self.cells == "inline":
            m.submodules[f"cell_{r}_{c}"] = cell = Cell(self.spec)
            return {name: getattr(cell, name) for name in members}
        ports = {name: Signal(member.shape, name=f"{name}_{r}_{c}") for name, member in members.items()}
        m.submodules[f"cell_{r}_{c}"] = Instance(
            CELL_MODULE,
            i_clk=ClockSignal(),
            i_rst=ResetSignal(),
            **{f"{name[0]}_{name}": signal for name, signal in ports.items()},
        )
        return ports
