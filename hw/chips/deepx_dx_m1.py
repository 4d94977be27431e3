"""DEEPX DX-M1, edge inference chip on an M.2 module."""

from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts
from hw.spec.mac_array import MacArraySpec

_FIREFLY = "T-Firefly wiki, DX-M1 product introduction"
_DXRT = "DEEPX-AI/dx_rt, C++ API reference (InferenceOption bound options NPU_0 to NPU_2)"

CHIP = Chip(
    title="DEEPX DX-M1: 3 NPU cores, 25 TOPS INT8, 2 to 5 W",
    machine=CoreSpec(                  # array and memories assumed; three NPU cores per DX-M1 are published
        array=MacArraySpec(rows=64, columns=64),
        activation_words=8192,      # 512 KiB
        weight_words=4096,          # 256 KiB
        accumulator_rows=512,       # 128 KiB
        output_words=2048,          # 128 KiB
        parameter_words=1024,
    ),
    cores=3,
    clock=Fact(nominal=1.0, low=0.7, high=1.4, unit="GHz", confidence="assumed",
               source="not published; 3 x 4096 MACs at 1.0 GHz give 24.6 TOPS"),
    hypothesis="array and clock are not published: 3 cores of 64 x 64 at 1.0 GHz stand for the 25 TOPS",
    facts=CardFacts(
        array_rows=Fact(nominal=64, low=16, high=128, unit="1", confidence="assumed", source="not published"),
        cores=Fact(nominal=3, unit="1", confidence="vendor", source=_DXRT),
        peak_int8=Fact(nominal=25, unit="TOPS", confidence="vendor", source=_FIREFLY),
        dram_capacity=Fact(nominal=4, unit="GB", confidence="vendor", source=_FIREFLY, note="LPDDR5"),
        dram_bandwidth=Fact(nominal=25.6, low=12.8, high=51.2, unit="GB/s", confidence="assumed",
                            source="not published; one 32-bit LPDDR5-6400 channel, half to double"),
        host_bandwidth=Fact(nominal=3.94, unit="GB/s", confidence="inferred",
                            source=f"PCIe 3.0 x4: 8 GT/s x 4 x 128/130 / 8; {_FIREFLY}"),
        tdp=Fact(nominal=5, low=2, unit="W", confidence="vendor", source=_FIREFLY),
        process=Fact(nominal=5, unit="nm", confidence="press", source="Dong-A Ilbo 2024-10-25", note="Samsung"),
    ),
)
