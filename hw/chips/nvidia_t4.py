"""NVIDIA T4: Turing inference card, for comparison."""

from hw.spec.chip import Chip
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts

_SHEET = "NVIDIA T4 datasheet, dense rates (recalled, not in a stored copy)"
_CLOCKS = "clocks, multiprocessors: sysrqmts.com, A100 SXM4 against T4"

CHIP = Chip(
    title="NVIDIA T4: Turing inference card",
    facts=CardFacts(
        peak_int8=Fact(nominal=130, unit="TOPS", confidence="vendor", source=_SHEET),
        peak_fp16=Fact(nominal=65, unit="TFLOPS", confidence="vendor", source=_SHEET),
        multiprocessors=Fact(nominal=40, unit="1", confidence="secondary", source=_CLOCKS),
        boost_clock=Fact(nominal=1.59, unit="GHz", confidence="secondary", source=_CLOCKS),
        base_clock=Fact(nominal=0.585, unit="GHz", confidence="secondary", source=_CLOCKS),
        fp32_lanes=Fact(nominal=64, unit="1", confidence="assumed",
                        source="Turing whitepaper (recalled, not in a stored copy)"),
        l2_read=Fact(nominal=20, low=18, high=24, unit="B/cycle", confidence="secondary",
                     source="1,270 GB/s on 40 multiprocessors at 1,590 MHz: Jia et al., 'Dissecting the NVidia "
                            "Turing T4 GPU via Microbenchmarking', arXiv:1903.07486, 2019 (number recalled)"),
        sram=Fact(nominal=4, unit="MB", confidence="vendor", source=_SHEET, note="level-2 cache"),
        dram_capacity=Fact(nominal=16, unit="GB", confidence="vendor", source=_SHEET, note="GDDR6"),
        dram_bandwidth=Fact(nominal=320, unit="GB/s", confidence="vendor", source=_SHEET),
        host_bandwidth=Fact(nominal=15.75, unit="GB/s", confidence="inferred",
                            source=f"PCIe 3.0 x16, 128/130 line code; {_SHEET}"),
        tdp=Fact(nominal=70, unit="W", confidence="vendor", source=_SHEET),
    ),
)
