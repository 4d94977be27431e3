"""NVIDIA L40S: Ada accelerator, for comparison."""

from hw.spec.chip import Chip
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts

_SHEET = "NVIDIA L40S datasheet, dense rates (recalled, not in a stored copy)"
_CLOCKS = "boost clock, 18,176 lanes: hmc-tech.com, L40S against T40; base clock (recalled, not in a stored copy)"

CHIP = Chip(
    title="NVIDIA L40S: Ada accelerator",
    facts=CardFacts(
        peak_int8=Fact(nominal=733, unit="TOPS", confidence="vendor", source=_SHEET),
        peak_fp8=Fact(nominal=733, unit="TFLOPS", confidence="vendor", source=_SHEET),
        peak_fp16=Fact(nominal=362, unit="TFLOPS", confidence="vendor", source=_SHEET),
        multiprocessors=Fact(nominal=142, unit="1", confidence="secondary", source=_CLOCKS),
        boost_clock=Fact(nominal=2.52, unit="GHz", confidence="secondary", source=_CLOCKS),
        base_clock=Fact(nominal=1.11, unit="GHz", confidence="assumed", source=_CLOCKS),
        fp32_lanes=Fact(nominal=128, unit="1", confidence="assumed",
                        source="Ada whitepaper (recalled, not in a stored copy)"),
        sram=Fact(nominal=96, unit="MB", confidence="vendor", source=_SHEET, note="level-2 cache"),
        dram_capacity=Fact(nominal=48, unit="GB", confidence="vendor", source=_SHEET, note="GDDR6"),
        dram_usable=Fact(nominal=48.31, unit="GB", confidence="secondary",
                         source="nvidia-smi listing of L40S: 46,068 MiB (recalled, no stored copy)"),
        dram_bandwidth=Fact(nominal=864, unit="GB/s", confidence="vendor", source=_SHEET),
        host_bandwidth=Fact(nominal=31.5, unit="GB/s", confidence="inferred",
                            source=f"PCIe 4.0 x16, 128/130 line code; {_SHEET}"),
        tdp=Fact(nominal=350, unit="W", confidence="vendor", source=_SHEET),
    ),
)
