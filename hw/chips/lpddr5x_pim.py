"""LPDDR5X-PIM: LPDDR5X with one MAC-tree block per bank, as Samsung describes it."""

from hw.spec.chip import Chip
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts

_PAPER = "arXiv 2606.00636 and Hot Chips 38 (2026-08), as quoted by public notes; no silicon measurement found"

CHIP = Chip(
    title="LPDDR5X-PIM: one MAC-tree block per bank, 16 blocks",
    hypothesis="the command set and its timing are not public: only published peaks and bandwidths, no cycle model",
    facts=CardFacts(
        blocks=Fact(nominal=16, unit="1", confidence="secondary", source=_PAPER, note="one per bank"),
        peak_fp8=Fact(nominal=1.2, unit="TFLOPS", confidence="secondary", source=_PAPER, note="per package"),
        peak_int4=Fact(nominal=2.4, unit="TOPS", confidence="secondary", source=_PAPER,
                       note="INT4 weights, per package"),
        dram_capacity=Fact(nominal=16, unit="GB", confidence="secondary", source=_PAPER, note="per rank"),
        dram_bandwidth=Fact(nominal=76.8, unit="GB/s", confidence="secondary", source=_PAPER,
                            note="x64 at 9600 Mb/s"),
        internal_bandwidth=Fact(nominal=614, unit="GB/s", confidence="secondary", source=_PAPER,
                                note="8 x external"),
        gemv_speedup=Fact(nominal=6.0, low=5.7, high=6.2, unit="1", confidence="secondary", source=_PAPER,
                          note="4096 tiles, the maker's simulation, against the same memory without PIM"),
    ),
)
