"""Energy and area of a core's parts by number format: what a sweep prices counts with.

Energy of a cell and area of a cell come from this project's gates (45 nm, `docs/energy-at-the-gates.md`, random
operands, clock and glitches included); memories from published tables; each with the range its source leaves.
"""

from collections.abc import Mapping

from hw.spec.fact import Fact

_GATES = "docs/energy-at-the-gates.md: gates of this project's array, random operands, glitches and clock, 45 nm"


def _mac(nominal: float, low: float, high: float) -> Fact:
    return Fact(nominal=nominal, low=low, high=high, unit="pJ", confidence="inferred", source=_GATES)


MAC_ENERGY: Mapping[str, Fact] = {
    "int8": _mac(3.26, 2.26, 4.18),
    "int4": _mac(2.68, 1.83, 3.51),
    "fp8_e4m3": _mac(11.1, 7.5, 14.6),
    "bf16": _mac(14.4, 9.7, 18.6),
    "fp16": _mac(15.3, 10.3, 19.9),
}
"""Format of both operands -> energy of one cell in one cycle with work; of INT4 pairs that is two products."""

MAC_LATENCY: Mapping[str, int] = {"int8": 1, "int4": 1, "fp8_e4m3": 4, "bf16": 4, "fp16": 4}
"""Stages of the multiply-accumulate for the clock of 1 GHz, as the chips of this project have."""

DRAM_BIT = Fact(
    nominal=3.92,
    low=3.02,
    high=4.82,
    unit="pJ",
    confidence="secondary",
    source="O'Connor et al., MICRO 2017: an average access of HBM2; range: the 23 % mean error of that model against "
    "measured stacks (Ayna, MICRO 2026)",
)
"""Energy of one bit from or to external DRAM."""

SRAM_BIT_AREA = Fact(
    nominal=0.63,
    low=0.46,
    high=0.87,
    unit="um2",
    confidence="inferred",
    source="six-transistor cell of 0.346 um2 at 45 nm (Intel, IEDM 2007) over an array efficiency of 0.55 (0.4 to "
    "0.75), assumed",
)
"""Area of one bit of a scratchpad, periphery included."""
