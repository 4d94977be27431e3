"""NVIDIA H200 SXM: Hopper accelerator, for comparison."""

from hw.spec.chip import Chip
from hw.spec.fact import Fact

_SHEET = "NVIDIA H200 SXM datasheet, dense rates (recalled, not in a stored copy)"

CHIP = Chip(
    title="NVIDIA H200 SXM: Hopper accelerator",
    facts={
        "peak_int8": Fact(nominal=1979, unit="TOPS", confidence="vendor", source=_SHEET),
        "peak_fp8": Fact(nominal=1979, unit="TFLOPS", confidence="vendor", source=_SHEET),
        "peak_fp16": Fact(nominal=989, unit="TFLOPS", confidence="vendor", source=_SHEET),
        "sram": Fact(nominal=50, unit="MB", confidence="vendor", source=_SHEET, note="level-2 cache"),
        "card_link_bandwidth": Fact(nominal=450, unit="GB/s", confidence="vendor", source=_SHEET,
                                    note="NVLink, one direction"),
        "dram_capacity": Fact(nominal=141, unit="GB", confidence="vendor", source=_SHEET, note="HBM3e"),
        "dram_bandwidth": Fact(nominal=4800, unit="GB/s", confidence="vendor", source=_SHEET),
        "host_bandwidth": Fact(nominal=63.0, unit="GB/s", confidence="inferred",
                               source=f"PCIe 5.0 x16, 128/130 line code; {_SHEET}"),
        "tdp": Fact(nominal=700, unit="W", confidence="vendor", source=_SHEET),
        "price": Fact(nominal=32500, low=30000, high=35000, unit="USD", confidence="secondary",
                      source="public note 'On-premise AI research, April 2026'"),
    },
)
