"""NVIDIA H200 SXM: Hopper accelerator, for comparison."""

from hw.spec.chip import Chip
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts

_SHEET = "NVIDIA H200 SXM datasheet, dense rates (recalled, not in a stored copy)"
_CLOCKS = "as H100 SXM, the same die: chipsandcheese.com 2023-07-02; base clock (recalled, not in a stored copy)"

CHIP = Chip(
    title="NVIDIA H200 SXM: Hopper accelerator",
    facts=CardFacts(
        peak_int8=Fact(nominal=1979, unit="TOPS", confidence="vendor", source=_SHEET),
        peak_fp8=Fact(nominal=1979, unit="TFLOPS", confidence="vendor", source=_SHEET),
        peak_fp16=Fact(nominal=989, unit="TFLOPS", confidence="vendor", source=_SHEET),
        multiprocessors=Fact(nominal=132, unit="1", confidence="secondary", source=_CLOCKS),
        boost_clock=Fact(nominal=1.83, unit="GHz", confidence="secondary", source=_CLOCKS),
        base_clock=Fact(nominal=1.59, unit="GHz", confidence="assumed", source=_CLOCKS),
        max_clock=Fact(nominal=1.98, unit="GHz", confidence="secondary",
                       source="nvidia-smi -q, Max Clocks, SM: 1,980 MHz on H100 SXM (recalled, no stored copy)"),
        fp32_lanes=Fact(nominal=128, unit="1", confidence="assumed",
                        source="H100 whitepaper (recalled, not in a stored copy)"),
        l2_width=Fact(nominal=5120, unit="B/cycle", confidence="secondary",
                      source="PMC10448217, table 3: 8,986 GB/s at 1.755 GHz"),
        l2_read=Fact(nominal=27, low=24, high=36, unit="B/cycle", confidence="secondary",
                     source="about 5.5 TB/s on the 114 multiprocessors of an H100 PCIe at 1,755 MHz: "
                            "chipsandcheese.com, 'Nvidia's H100: Funny L2, and Tons of Bandwidth', "
                            "2023-07-02 (number recalled)"),
        packet_reuse=Fact(nominal=2, low=1, high=4, unit="1", confidence="secondary",
                          source="multicast to two multiprocessors of a thread-block cluster, 2 x 1 x 1 being "
                                 "CUTLASS's default for Hopper: NVIDIA CUTLASS documentation, profiler page"),
        sram=Fact(nominal=50, unit="MB", confidence="vendor", source=_SHEET, note="level-2 cache"),
        card_link_bandwidth=Fact(nominal=450, unit="GB/s", confidence="vendor", source=_SHEET,
                                 note="NVLink, one direction"),
        dram_capacity=Fact(nominal=141, unit="GB", confidence="vendor", source=_SHEET, note="HBM3e"),
        dram_usable=Fact(nominal=150.75, unit="GB", confidence="secondary",
                         source="nvidia-smi listing of H200: 143,771 MiB (recalled, no stored copy)"),
        dram_bandwidth=Fact(nominal=4800, unit="GB/s", confidence="vendor", source=_SHEET),
        host_bandwidth=Fact(nominal=63.0, unit="GB/s", confidence="inferred",
                            source=f"PCIe 5.0 x16, 128/130 line code; {_SHEET}"),
        tdp=Fact(nominal=700, unit="W", confidence="vendor", source=_SHEET),
        price=Fact(nominal=32500, low=30000, high=35000, unit="USD", confidence="secondary",
                   source="public note 'On-premise AI research, April 2026'"),
    ),
)
