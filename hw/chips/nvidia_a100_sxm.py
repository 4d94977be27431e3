"""NVIDIA A100 SXM 80 GB: Ampere accelerator, for comparison."""

from hw.spec.chip import Chip
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts

_SHEET = "NVIDIA A100 SXM 80 GB datasheet, dense rates (recalled, not in a stored copy)"
_CLOCKS = "as A100 PCIe, the same die at 400 W; base clock (recalled, not in a stored copy)"

CHIP = Chip(
    title="NVIDIA A100 SXM 80 GB: Ampere accelerator",
    facts=CardFacts(
        peak_int8=Fact(nominal=624, unit="TOPS", confidence="vendor", source=_SHEET),
        peak_fp16=Fact(nominal=312, unit="TFLOPS", confidence="vendor", source=_SHEET),
        multiprocessors=Fact(nominal=108, unit="1", confidence="secondary", source=_CLOCKS),
        boost_clock=Fact(nominal=1.41, unit="GHz", confidence="secondary", source=_CLOCKS),
        base_clock=Fact(nominal=1.275, unit="GHz", confidence="assumed", source=_CLOCKS),
        fp32_lanes=Fact(nominal=64, unit="1", confidence="assumed", source=_SHEET),
        l2_width=Fact(nominal=5120, unit="B/cycle", confidence="secondary", source="PMC10448217, table 3"),
        sram=Fact(nominal=40, unit="MB", confidence="vendor", source=_SHEET, note="level-2 cache"),
        card_link_bandwidth=Fact(nominal=300, unit="GB/s", confidence="vendor",
                                    source=_SHEET, note="NVLink, one direction"),
        dram_capacity=Fact(nominal=80, unit="GB", confidence="vendor", source=_SHEET, note="HBM2e"),
        dram_usable=Fact(nominal=85.90, unit="GB", confidence="secondary",
                            source="nvidia-smi listing: 81,920 MiB (recalled, no stored copy)"),
        dram_bandwidth=Fact(nominal=2039, unit="GB/s", confidence="vendor", source=_SHEET),
        host_bandwidth=Fact(nominal=31.5, unit="GB/s", confidence="inferred",
                               source="PCIe 4.0 x16, 128/130 line code"),
        tdp=Fact(nominal=400, unit="W", confidence="vendor", source=_SHEET),
    ),
)
