"""Areas of a core's parts at 45 nm, mapped to this project's cells: no wiring, no empty sites, no placement."""

from collections.abc import Mapping

from hw.spec.fact import Fact

_SYNTHESIS = "synthesis of the RTL to hw/cells/mini45 (hw.gates.synthesis), sum of the cells"


def _area(nominal: float, note: str = "") -> Fact:
    return Fact(
        nominal=nominal,
        low=0.8 * nominal,
        high=1.25 * nominal,
        unit="um2",
        confidence="inferred",
        source=f"{_SYNTHESIS}; range: recipe and placement, assumed",
        note=note,
    )


CELL_AREA: Mapping[str, Fact] = {
    "int8": _area(739.2),
    "int4": _area(528.5, "two products a cycle"),
    "fp8_e4m3": _area(2556.0),
    "fp16": _area(3559.9),
    "bf16": _area(3117.0),
}
"""Format of both operands -> one weight-stationary cell with its registers, weight registers doubled."""

ACCUMULATE_AREA: Mapping[bool, Fact] = {
    False: _area(195.0 + 178.8, "32-bit adder and register"),
    True: _area(1641.5 + 178.8, "FP32 adder and register"),
}
"""Floating point or not -> what a column adds to its accumulators with."""

OUTPUT_LANE_AREA: Mapping[bool, Fact] = {
    False: _area(8597.0, "exact_rne, half of two lanes"),
    True: _area(3 * 178.8, "FP32 leaves through three registers"),
}
"""Floating point or not -> one lane of the output stage."""
