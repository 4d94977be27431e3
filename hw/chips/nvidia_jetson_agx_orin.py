"""NVIDIA Jetson AGX Orin 64 GB: edge module, for comparison."""

from hw.spec.chip import Chip
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts

_SHEET = "NVIDIA Jetson AGX Orin series datasheet (recalled, not in a stored copy)"
_CLOCKS = "2,048 lanes at 1.3 GHz: Jetson AGX Orin datasheet (recalled, not in a stored copy)"

CHIP = Chip(
    title="NVIDIA Jetson AGX Orin 64 GB: edge module",
    facts=CardFacts(
        peak_int8=Fact(nominal=138, low=85, high=138, unit="TOPS", confidence="assumed",
                       source=f"half of the 275 sparse TOPS; 85 without the two DLA cores; {_SHEET}"),
        multiprocessors=Fact(nominal=16, unit="1", confidence="assumed", source=_CLOCKS),
        boost_clock=Fact(nominal=1.3, unit="GHz", confidence="assumed", source=_CLOCKS),
        fp32_lanes=Fact(nominal=128, unit="1", confidence="assumed",
                        source="Ampere GA10x whitepaper (recalled, not in a stored copy)"),
        sram=Fact(nominal=4, unit="MB", confidence="vendor", source=_SHEET, note="level-2 cache"),
        dram_capacity=Fact(nominal=64, unit="GB", confidence="assumed", source=_SHEET, note="LPDDR5"),
        dram_bandwidth=Fact(nominal=204.8, unit="GB/s", confidence="assumed", source=_SHEET),
        tdp=Fact(nominal=60, low=15, unit="W", confidence="assumed", source=_SHEET, note="configurable"),
    ),
)
