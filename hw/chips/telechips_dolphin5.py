"""Telechips Dolphin 5 (TCC807x), automotive system-on-chip with an NPU."""

from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts
from hw.spec.mac_array import MacArraySpec

_ZOO = "telechips-ai/TCC807x-Model-Zoo, README.md"

CHIP = Chip(
    title="Telechips Dolphin 5 (TCC807x): 8 TOPS INT8",
    machine=CoreSpec(                  # wholly assumed
        array=MacArraySpec(rows=32, columns=64),
        activation_words=8192,      # 256 KiB
        weight_words=2048,          # 128 KiB
        accumulator_rows=256,       # 64 KiB
        output_words=1024,          # 64 KiB
        parameter_words=1024,
    ),
    cores=2,
    clock=Fact(nominal=0.977, low=0.6, high=1.2, unit="GHz", confidence="assumed",
               source="not published; 2 x 2048 MACs at 0.977 GHz give 8 TOPS"),
    hypothesis="array and clock are not published: two clusters of 32 x 64 at 0.98 GHz stand for the 8 TOPS",
    facts=CardFacts(
        array_rows=Fact(nominal=32, low=16, high=128, unit="1", confidence="assumed", source="not published"),
        peak_int8=Fact(nominal=8, unit="TOPS", confidence="vendor", source=_ZOO),
        dram_bandwidth=Fact(nominal=25.6, low=12.8, high=51.2, unit="GB/s", confidence="assumed",
                            source="not published; 64-bit LPDDR4-3200, half to double"),
        dram_capacity=Fact(nominal=4, low=2, high=8, unit="GB", confidence="assumed",
                           source="not published; usual evaluation boards"),
        tdp=Fact(nominal=8, low=3, high=15, unit="W", confidence="assumed",
                 source="not published; passively cooled automotive system-on-chips"),
        process=Fact(nominal=8, unit="nm", confidence="press", source="Money S 2021-09-24", note="Samsung"),
    ),
)
