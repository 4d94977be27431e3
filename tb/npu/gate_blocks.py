"""The blocks that repeat in a core, of both dataflows and all number formats, and what a core has once."""

from collections.abc import Callable
from dataclasses import dataclass

from amaranth.hdl import Elaboratable

from hw.base.error import InputError
from hw.gates.blocks import Adder, Delay
from hw.rtl.arithmetic.fp_add import FpAdd
from hw.rtl.arithmetic.fp_decode import FpDecode
from hw.rtl.npu.cell import Cell
from hw.rtl.npu.command_queue import CommandQueue
from hw.rtl.npu.fp_output_stage import FpOutputStage
from hw.rtl.npu.memory_side.memory_side import MemorySide
from hw.rtl.npu.output_stage import OutputStage
from hw.rtl.npu.output_stationary_array import SUM_BITS, OutputStationaryCell
from hw.spec.core import CoreSpec
from hw.spec.mac_array import MacArraySpec
from tb.gates.core import two_columns

_Made = Callable[[], Elaboratable]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """One kind of block of a core.

    Parameters
    ----------
    name : str
        For people.
    make : function to Elaboratable
        As the core of full size has it.
    copies : float
        In the core; not always whole, as an output stage serves two columns.
    make_small : function to Elaboratable or None
        As the small core has it that is mapped whole; None where its size does not depend on the array's.
    in_small : float
        Copies in that core.
    """

    name: str
    make: Callable[[], Elaboratable]
    copies: float
    make_small: Callable[[], Elaboratable] | None
    in_small: float


def blocks(core: CoreSpec, small: CoreSpec) -> list[Repeated]:
    """Of `core`, with how many of each the smaller `small` has, a core that differs in rows and columns alone.

    Cells are those of an array as tall as `core`'s: their partial sums are as wide. Raises `InputError` for results
    that leave by a link for each cell, whose buses grow with the array.
    """
    array = core.array
    if array.dataflow == "os" and array.drain != "columns":
        raise InputError(
            "an output-stationary core at the gates must drain through its columns, not by a link for each cell; "
            "try npu_16_os"
        )
    lanes, weights_stay = array.activation_lane_bits, array.dataflow == "ws"
    if lanes != array.weight_lane_bits:
        raise InputError(
            f"operands of a core at the gates must be as wide as each other, not {array.activation_format} x "
            f"{array.weight_format}; try npu_16"
        )
    found: list[Repeated] = []

    def add(name: str, make: _Made, count: Callable[[MacArraySpec], float], make_small: _Made | None = None) -> None:
        copies, in_small = count(array), count(small.array)
        found.append(Repeated(name=name, make=make, copies=copies, make_small=make_small, in_small=in_small))

    add("cells", lambda: Cell(array) if weights_stay else OutputStationaryCell(array), lambda a: a.cells)
    add("operand skew", lambda: Delay(lanes), _operand_skew)
    sums = array.partial_sum_bits if weights_stay else SUM_BITS
    add("sum skew", lambda: Delay(sums), lambda a: _triangle(a.columns))
    floating = array.is_floating_point
    if floating:
        add("decoders", lambda: FpDecode([array.activation_format]), lambda a: a.rows + a.columns)
    if weights_stay:
        add("accumulate", lambda: FpAdd("fp32", latency=0) if floating else Adder(32), lambda a: a.columns)
    pair = two_columns(core)
    add(
        "output stage, two columns",
        lambda: FpOutputStage(pair) if floating else OutputStage(pair),
        lambda a: a.columns / 2,
    )
    add("command queue and its checks", lambda: CommandQueue(core), lambda _: 1, lambda: CommandQueue(small))
    if core.dma is not None:
        add("copy channels", lambda: MemorySide(core), lambda _: 1, lambda: MemorySide(small))
    return found


def _triangle(side: int) -> float:
    return side * (side - 1) / 2


def _operand_skew(array: MacArraySpec) -> float:
    """Words of delay at both edges: row r enters r steps of the cells' latency late, column c one cycle each."""
    step = array.mac_latency if array.dataflow == "ws" else 1
    return step * _triangle(array.rows) + _triangle(array.columns)
