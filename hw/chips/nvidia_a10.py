"""NVIDIA A10: Ampere inference card, for comparison."""

from hw.spec.chip import Chip
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts

_SHEET = "NVIDIA A10 datasheet, dense rates (recalled, not in a stored copy)"
_CLOCKS = "GA102 as in A10: 9,216 lanes, 885 and 1,695 MHz (recalled, not in a stored copy)"

CHIP = Chip(
    title="NVIDIA A10: Ampere inference card",
    facts=CardFacts(
        peak_int8=Fact(nominal=250, unit="TOPS", confidence="vendor", source=_SHEET),
        peak_fp16=Fact(nominal=125, unit="TFLOPS", confidence="vendor", source=_SHEET),
        multiprocessors=Fact(nominal=72, unit="1", confidence="assumed", source=_CLOCKS),
        boost_clock=Fact(nominal=1.695, unit="GHz", confidence="assumed", source=_CLOCKS),
        base_clock=Fact(nominal=0.885, unit="GHz", confidence="assumed", source=_CLOCKS),
        fp32_lanes=Fact(nominal=128, unit="1", confidence="assumed",
                        source="GA10x whitepaper (recalled, not in a stored copy)"),
        sram=Fact(nominal=6, unit="MB", confidence="vendor", source=_SHEET, note="level-2 cache"),
        dram_capacity=Fact(nominal=24, unit="GB", confidence="vendor", source=_SHEET, note="GDDR6"),
        dram_bandwidth=Fact(nominal=600, unit="GB/s", confidence="vendor", source=_SHEET),
        host_bandwidth=Fact(nominal=31.5, unit="GB/s", confidence="inferred",
                            source=f"PCIe 4.0 x16, 128/130 line code; {_SHEET}"),
        tdp=Fact(nominal=150, unit="W", confidence="vendor", source=_SHEET),
    ),
)
