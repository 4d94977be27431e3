"""NVIDIA RTX PRO 6000 server edition: Blackwell accelerator, for comparison."""

from hw.spec.chip import Chip
from hw.spec.fact import Fact

_SHEET = "NVIDIA RTX PRO 6000 Blackwell server edition datasheet, dense rates (recalled, not in a stored copy)"
_CLOCKS = "boost clock from the peaks; no base clock is published"

CHIP = Chip(
    title="NVIDIA RTX PRO 6000 server edition: Blackwell accelerator",
    facts={
        "peak_int8": Fact(nominal=1000, unit="TOPS", confidence="vendor", source=_SHEET),
        "peak_fp8": Fact(nominal=1000, unit="TFLOPS", confidence="vendor", source=_SHEET),
        "peak_fp16": Fact(nominal=503.8, unit="TFLOPS", confidence="vendor", source=_SHEET),
        "multiprocessors": Fact(nominal=188, unit="1", confidence="secondary", source=_CLOCKS),
        "boost_clock": Fact(nominal=2.617, unit="GHz", confidence="secondary", source=_CLOCKS),
        "fp32_lanes": Fact(nominal=128, unit="1", confidence="assumed", source=_SHEET),
        "sram": Fact(nominal=128, unit="MB", confidence="vendor", source=_SHEET, note="level-2 cache"),
        "dram_capacity": Fact(nominal=96, unit="GB", confidence="vendor", source=_SHEET, note="GDDR7"),
        "dram_usable": Fact(nominal=102.64, unit="GB", confidence="secondary",
                            source="nvidia-smi listing: 97,887 MiB (recalled, no stored copy)"),
        "dram_bandwidth": Fact(nominal=1597, unit="GB/s", confidence="vendor", source=_SHEET),
        "host_bandwidth": Fact(nominal=63.0, unit="GB/s", confidence="inferred",
                               source="PCIe 5.0 x16, 128/130 line code"),
        "tdp": Fact(nominal=600, unit="W", confidence="vendor", source=_SHEET),
    },
)
