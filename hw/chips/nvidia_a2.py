"""NVIDIA A2: small Ampere inference card, for comparison."""

from hw.spec.chip import Chip
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts

_SHEET = "NVIDIA A2 datasheet, dense rates (recalled, not in a stored copy)"
_CLOCKS = "GA107 as in A2: 1,280 lanes, 1,440 and 1,770 MHz (recalled, not in a stored copy)"

CHIP = Chip(
    title="NVIDIA A2: small Ampere inference card",
    facts=CardFacts(
        peak_int8=Fact(nominal=36, unit="TOPS", confidence="vendor", source=_SHEET),
        peak_fp16=Fact(nominal=18, unit="TFLOPS", confidence="vendor", source=_SHEET),
        multiprocessors=Fact(nominal=10, unit="1", confidence="assumed", source=_CLOCKS),
        boost_clock=Fact(nominal=1.77, unit="GHz", confidence="assumed", source=_CLOCKS),
        base_clock=Fact(nominal=1.44, unit="GHz", confidence="assumed", source=_CLOCKS),
        fp32_lanes=Fact(nominal=128, unit="1", confidence="assumed",
                        source="GA10x whitepaper (recalled, not in a stored copy)"),
        sram=Fact(nominal=2, unit="MB", confidence="vendor", source=_SHEET, note="level-2 cache"),
        dram_capacity=Fact(nominal=16, unit="GB", confidence="vendor", source=_SHEET, note="GDDR6"),
        dram_bandwidth=Fact(nominal=200, unit="GB/s", confidence="vendor", source=_SHEET),
        host_bandwidth=Fact(nominal=15.75, unit="GB/s", confidence="inferred",
                            source=f"PCIe 4.0 x8, 128/130 line code; {_SHEET}"),
        tdp=Fact(nominal=60, unit="W", confidence="vendor", source=_SHEET),
    ),
)
