"""Telechips N-Dolphin (TCC750x), automotive system-on-chip with an NPU."""

from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts
from hw.spec.mac_array import MacArraySpec

_ZOO = "telechips-ai/TCC750x-Model-Zoo, README.md"

CHIP = Chip(
    title="Telechips N-Dolphin (TCC750x): 4 + 4 TOPS INT8",
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
        peak_int8=Fact(nominal=8, unit="TOPS", confidence="vendor", source=_ZOO, note="stated as 4 + 4 TOPS"),
        query_share=Fact(nominal=0.5, high=1, unit="1", confidence="assumed",
                         source=f"two clusters of 4 TOPS; whether one or both run is not stated: {_ZOO}"),
        dram_bandwidth=Fact(nominal=25.6, low=12.8, high=51.2, unit="GB/s", confidence="assumed",
                            source="not published; 64-bit LPDDR4-3200, half to double"),
        dram_capacity=Fact(nominal=4, low=2, high=8, unit="GB", confidence="assumed",
                           source="not published; usual evaluation boards"),
        tdp=Fact(nominal=8, low=3, high=15, unit="W", confidence="assumed",
                 source="not published; passively cooled automotive system-on-chips"),
        process=Fact(nominal=14, low=8, high=28, unit="nm", confidence="assumed", source="not published"),
    ),
)
