"""NVIDIA RTX PRO 6000 Blackwell Server Edition: workstation-class accelerator, for comparison."""

from hw.spec.chip import Chip
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts

_SHEET = "NVIDIA RTX PRO 6000 Blackwell Server Edition datasheet (recalled, not in a stored copy)"
_RUN = "casys-kaist/LLMServingSim 5daddb2, bench/examples: 96 GB, 1,597 GB/s"

CHIP = Chip(
    title="NVIDIA RTX PRO 6000 Blackwell Server: workstation-class accelerator",
    facts=CardFacts(
        peak_int8=Fact(nominal=1007, unit="TOPS", confidence="inferred",
                       source=f"a quarter of the sheet's 4 PFLOPS of FP4 with sparsity; {_SHEET}"),
        peak_fp8=Fact(nominal=1007, unit="TFLOPS", confidence="inferred",
                      source=f"a quarter of the sheet's 4 PFLOPS of FP4 with sparsity; {_SHEET}"),
        peak_fp16=Fact(nominal=503.8, unit="TFLOPS", confidence="inferred",
                       source="188 multiprocessors x 512 multiply-adds x 2 x 2.617 GHz, as the smaller ones of "
                              f"its generation; {_SHEET}"),
        multiprocessors=Fact(nominal=188, unit="1", confidence="secondary", source=f"24,064 lanes of 128; {_SHEET}"),
        boost_clock=Fact(nominal=2.617, unit="GHz", confidence="secondary", source=_SHEET),
        base_clock=Fact(nominal=1.59, unit="GHz", confidence="assumed", source=_SHEET),
        fp32_lanes=Fact(nominal=128, unit="1", confidence="secondary", source=_SHEET),
        sram=Fact(nominal=128, unit="MB", confidence="secondary", source=_SHEET, note="level-2 cache"),
        dram_capacity=Fact(nominal=96, unit="GB", confidence="vendor", source=_RUN, note="GDDR7"),
        dram_bandwidth=Fact(nominal=1597, unit="GB/s", confidence="vendor", source=_RUN),
        host_bandwidth=Fact(nominal=63.0, unit="GB/s", confidence="inferred",
                            source=f"PCIe 5.0 x16, 128/130 line code; {_SHEET}"),
        tdp=Fact(nominal=600, unit="W", confidence="vendor", source=_SHEET),
    ),
)
