"""DEEPX DX-H1, edge inference card of four DX-M1."""

from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts
from hw.spec.mac_array import MacArraySpec

_SCAILABLE = "Network Optix / Scailable documentation, DEEPX support: DX-H1 Quattro read as four DX-M1"

CHIP = Chip(
    title="DEEPX DX-H1: four DX-M1 on a card, 100 TOPS INT8",
    machine=CoreSpec(                  # array and memories assumed; three NPU cores per DX-M1 are published
        array=MacArraySpec(rows=64, columns=64),
        activation_words=8192,      # 512 KiB
        weight_words=4096,          # 256 KiB
        accumulator_rows=512,       # 128 KiB
        output_words=2048,          # 128 KiB
        parameter_words=1024,
    ),
    cores=3,
    devices=4,
    clock=Fact(nominal=1.0, low=0.7, high=1.4, unit="GHz", confidence="assumed",
               source="not published; 12 x 4096 MACs at 1.0 GHz give 98.3 TOPS"),
    hypothesis="array and clock are not published: 4 x 3 cores of 64 x 64 at 1.0 GHz stand for the 100 TOPS",
    facts=CardFacts(
        array_rows=Fact(nominal=64, low=16, high=128, unit="1", confidence="assumed", source="not published"),
        devices=Fact(nominal=4, unit="1", confidence="inferred", source=_SCAILABLE),
        peak_int8=Fact(nominal=100, unit="TOPS", confidence="inferred", source=_SCAILABLE),
        dram_capacity=Fact(nominal=16, unit="GB", confidence="inferred", source=f"4 x 4 GB; {_SCAILABLE}"),
        dram_bandwidth=Fact(nominal=102.4, low=51.2, high=204.8, unit="GB/s", confidence="assumed",
                            source="not published; four times the DX-M1's assumption"),
        host_bandwidth=Fact(nominal=15.75, low=7.88, high=31.5, unit="GB/s", confidence="assumed",
                            source="not published; PCIe 3.0 x16, half to double"),
        tdp=Fact(nominal=25, low=8, high=50, unit="W", confidence="assumed",
                 source="not published; four DX-M1 of 2 to 5 W, a switch and regulators"),
        process=Fact(nominal=5, unit="nm", confidence="press", source="Dong-A Ilbo 2024-10-25", note="Samsung"),
    ),
)
