"""NVIDIA H100 PCIe: Hopper accelerator, for comparison."""

from hw.spec.chip import Chip
from hw.spec.fact import Fact

_SHEET = "NVIDIA H100 PCIe datasheet, dense rates (recalled, not in a stored copy)"

CHIP = Chip(
    title="NVIDIA H100 PCIe: Hopper accelerator",
    facts={
        "peak_int8": Fact(nominal=1513, unit="TOPS", confidence="vendor", source=_SHEET),
        "peak_fp8": Fact(nominal=1513, unit="TFLOPS", confidence="vendor", source=_SHEET),
        "peak_fp16": Fact(nominal=756, unit="TFLOPS", confidence="vendor", source=_SHEET),
        "sram": Fact(nominal=50, unit="MB", confidence="vendor", source=_SHEET, note="level-2 cache"),
        "dram_capacity": Fact(nominal=80, unit="GB", confidence="vendor", source=_SHEET, note="HBM2e"),
        "dram_bandwidth": Fact(nominal=2000, unit="GB/s", confidence="vendor", source=_SHEET),
        "host_bandwidth": Fact(nominal=63.0, unit="GB/s", confidence="inferred",
                               source=f"PCIe 5.0 x16, 128/130 line code; {_SHEET}"),
        "tdp": Fact(nominal=350, unit="W", confidence="vendor", source=_SHEET),
        "price": Fact(nominal=27500, low=25000, high=40000, unit="USD", confidence="press",
                      source="Meeco 2023-08 (Barron's / Raymond James); JoongAng Ilbo 2024-03-01 (spot above 40 kUSD)"),
    },
)
