"""SAPEON X330 compact, inference card for language models and images."""

from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts
from hw.spec.mac_array import MacArraySpec

_NOTE_A = "public fact-check note quoting SAPEON's X330 page and the launch release of 2023-11-16"
_NOTE_B = "public note on HBM controllers, 'FP8 367 TFLOPS @ 120 W'"

CHIP = Chip(
    title="SAPEON X330 compact: 367 TFLOPS FP8",
    machine=CoreSpec(                  # wholly assumed
        array=MacArraySpec(rows=64, columns=64),
        activation_words=8192,      # 512 KiB
        weight_words=4096,          # 256 KiB
        accumulator_rows=512,       # 128 KiB
        output_words=2048,          # 128 KiB
        parameter_words=1024,
    ),
    cores=32,
    clock=Fact(nominal=1.4, low=1.0, high=1.8, unit="GHz", confidence="assumed",
               source="not published; 131072 MACs at 1.4 GHz give 367.0 TFLOPS to four digits"),
    hypothesis="neither array nor clock is published: 32 arrays of 64 x 64 at 1.4 GHz reproduce the 367 TFLOPS; "
               "cycles are those of one-cycle MACs",
    facts=CardFacts(
        array_rows=Fact(nominal=64, low=16, high=128, unit="1", confidence="assumed", source="not published"),
        peak_fp8=Fact(nominal=367, unit="TFLOPS", confidence="secondary", source=_NOTE_B,
                      note="one note says FP8, another leaves the data type open"),
        peak_int8=Fact(nominal=367, low=183.5, unit="TOPS", confidence="assumed",
                       source="not published; the rate of FP8, or half of it"),
        dram_capacity=Fact(nominal=16, unit="GB", confidence="secondary", source=_NOTE_A, note="GDDR6"),
        dram_bandwidth=Fact(nominal=256, low=256, high=512, unit="GB/s", confidence="assumed",
                            source=f"half of the prime card's 512 GB/s; {_NOTE_A}"),
        host_bandwidth=Fact(nominal=31.5, low=15.75, high=63.0, unit="GB/s", confidence="assumed",
                            source="not published; PCIe 4.0 x16, one generation either way"),
        tdp=Fact(nominal=120, high=150, unit="W", confidence="secondary", source=_NOTE_B,
                 note="about 150 W in another public note ('On-premise AI research, April 2026')"),
        process=Fact(nominal=7, unit="nm", confidence="press", source="Digital Daily 2022-12-09", note="TSMC"),
    ),
)
