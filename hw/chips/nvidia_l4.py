"""NVIDIA L4: Ada inference card, for comparison."""

from hw.spec.chip import Chip
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts

_SHEET = "NVIDIA L4 datasheet, dense rates (recalled, not in a stored copy)"
_CLOCKS = "clocks, 7,424 lanes: fpsbench.com, L4 against Tesla M40"

CHIP = Chip(
    title="NVIDIA L4: Ada inference card",
    facts=CardFacts(
        peak_int8=Fact(nominal=242, unit="TOPS", confidence="vendor", source=_SHEET),
        peak_fp8=Fact(nominal=242, unit="TFLOPS", confidence="vendor", source=_SHEET),
        peak_fp16=Fact(nominal=121, unit="TFLOPS", confidence="vendor", source=_SHEET),
        multiprocessors=Fact(nominal=58, unit="1", confidence="secondary", source=_CLOCKS),
        boost_clock=Fact(nominal=2.04, unit="GHz", confidence="secondary", source=_CLOCKS),
        base_clock=Fact(nominal=0.795, unit="GHz", confidence="secondary", source=_CLOCKS),
        fp32_lanes=Fact(nominal=128, unit="1", confidence="assumed",
                        source="Ada whitepaper (recalled, not in a stored copy)"),
        sram=Fact(nominal=48, unit="MB", confidence="vendor", source=_SHEET, note="level-2 cache"),
        dram_capacity=Fact(nominal=24, unit="GB", confidence="vendor", source=_SHEET, note="GDDR6"),
        dram_bandwidth=Fact(nominal=300, unit="GB/s", confidence="vendor", source=_SHEET),
        host_bandwidth=Fact(nominal=31.5, unit="GB/s", confidence="inferred",
                            source=f"PCIe 4.0 x16, 128/130 line code; {_SHEET}"),
        tdp=Fact(nominal=72, unit="W", confidence="vendor", source=_SHEET),
    ),
)
