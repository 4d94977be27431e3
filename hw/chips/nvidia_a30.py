"""NVIDIA A30: Ampere accelerator with half of an A100's memory, for comparison."""

from hw.spec.chip import Chip
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts

_SHEET = "NVIDIA A30 datasheet, dense rates (recalled, not in a stored copy)"
_CLOCKS = "GA100 as in A30: 56 multiprocessors, 930 and 1,440 MHz (recalled, not in a stored copy)"

CHIP = Chip(
    title="NVIDIA A30: Ampere accelerator",
    facts=CardFacts(
        peak_int8=Fact(nominal=330, unit="TOPS", confidence="vendor", source=_SHEET),
        peak_fp16=Fact(nominal=165, unit="TFLOPS", confidence="vendor", source=_SHEET),
        multiprocessors=Fact(nominal=56, unit="1", confidence="assumed", source=_CLOCKS),
        boost_clock=Fact(nominal=1.44, unit="GHz", confidence="assumed", source=_CLOCKS),
        base_clock=Fact(nominal=0.93, unit="GHz", confidence="assumed", source=_CLOCKS),
        fp32_lanes=Fact(nominal=64, unit="1", confidence="assumed",
                        source="A100 whitepaper (recalled, not in a stored copy)"),
        sram=Fact(nominal=24, unit="MB", confidence="vendor", source=_SHEET, note="level-2 cache"),
        dram_capacity=Fact(nominal=24, unit="GB", confidence="vendor", source=_SHEET, note="HBM2"),
        dram_bandwidth=Fact(nominal=933, unit="GB/s", confidence="vendor", source=_SHEET),
        host_bandwidth=Fact(nominal=31.5, unit="GB/s", confidence="inferred",
                            source=f"PCIe 4.0 x16, 128/130 line code; {_SHEET}"),
        card_link_bandwidth=Fact(nominal=100, unit="GB/s", confidence="vendor",
                                 source=f"NVLink bridge between two cards, 200 GB/s both ways; {_SHEET}"),
        tdp=Fact(nominal=165, unit="W", confidence="vendor", source=_SHEET),
    ),
)
