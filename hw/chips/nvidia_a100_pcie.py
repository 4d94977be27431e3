"""NVIDIA A100 PCIe 80 GB: Ampere accelerator, for comparison."""

from hw.spec.chip import Chip
from hw.spec.fact import Fact

_SHEET = "NVIDIA A100 PCIe 80 GB datasheet, dense rates (recalled, not in a stored copy)"

CHIP = Chip(
    title="NVIDIA A100 PCIe 80 GB: Ampere accelerator",
    facts={
        "peak_int8": Fact(nominal=624, unit="TOPS", confidence="vendor", source=_SHEET),
        "peak_fp16": Fact(nominal=312, unit="TFLOPS", confidence="vendor", source=_SHEET),
        "sram": Fact(nominal=40, unit="MB", confidence="vendor", source=_SHEET, note="level-2 cache"),
        "dram_capacity": Fact(nominal=80, unit="GB", confidence="vendor", source=_SHEET, note="HBM2e"),
        "dram_bandwidth": Fact(nominal=1935, unit="GB/s", confidence="vendor", source=_SHEET),
        "host_bandwidth": Fact(nominal=31.5, unit="GB/s", confidence="inferred",
                               source=f"PCIe 4.0 x16, 128/130 line code; {_SHEET}"),
        "tdp": Fact(nominal=300, unit="W", confidence="vendor", source=_SHEET),
    },
)
