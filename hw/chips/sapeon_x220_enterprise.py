"""SAPEON X220 enterprise, CNN inference card of two devices."""

from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts
from hw.spec.mac_array import MacArraySpec

_SYSTEM = "mlcommons/inference_results_v2.1, closed/SAPEON/systems/X220-enterprise.json"
_CODE = "mlcommons/inference_results_v2.1, closed/SAPEON/code/resnet50/src, main.cpp and mlperf_inferencer_x220.cpp"
_NONE = "no source found; recalled from the vendor's page, never an anchor"

CHIP = Chip(
    title="SAPEON X220 enterprise: CNN inference card, two devices",
    machine=CoreSpec(                  # wholly assumed: 1 MiB each, as the card's 22 MB would give
        array=MacArraySpec(rows=64, columns=64),
        activation_words=8192,      # 512 KiB
        weight_words=4096,          # 256 KiB
        accumulator_rows=512,       # 128 KiB
        output_words=2048,          # 128 KiB
        parameter_words=1024,
    ),
    cores=11,
    devices=2,
    clock=Fact(nominal=0.97, low=0.7, high=1.3, unit="GHz", confidence="assumed",
               source="not published; INT8 arrays at 28 nm run at 0.7 to 1.3 GHz"),
    hypothesis="two devices are inferred from 22 MB, 16 GB and 1.94 times the compact card's rate; neither "
               "array, clock nor peak is published: 2 x 11 arrays of 64 x 64 at 0.97 GHz stand for 174 TOPS, "
               "which the range of the clock takes from 124 to 234 TOPS",
    facts=CardFacts(
        array_rows=Fact(nominal=64, low=16, high=128, unit="1", confidence="assumed", source="not published"),
        peak_int8=Fact(nominal=174, low=124, high=234, unit="TOPS", confidence="assumed", source=_NONE,
                       note="13101 ResNet-50 images/s (MLPerf v2.1) x 8.2 Gop need at least 107 TOPS"),
        offline_batch={
            "resnet50": Fact(nominal=18, unit="1", confidence="measured", source=_CODE, note="kMaxBatch"),
        },
        batch_timeout=Fact(nominal=4, unit="ms", confidence="measured", source=_CODE, note="kTimeoutMs"),
        sram=Fact(nominal=22, unit="MB", confidence="measured", source=_SYSTEM),
        dram_capacity=Fact(nominal=16, unit="GB", confidence="measured", source=_SYSTEM, note="LPDDR4"),
        dram_bandwidth=Fact(nominal=68, low=34, high=136, unit="GB/s", confidence="assumed",
                            source="not published; twice the compact card's assumption"),
        host_bandwidth=Fact(nominal=15.75, unit="GB/s", confidence="inferred",
                            source=f"PCIe 3.0 x16: 8 GT/s x 16 x 128/130 / 8; {_SYSTEM}"),
        tdp=Fact(nominal=135, low=100, high=150, unit="W", confidence="assumed", source=_NONE),
        process=Fact(nominal=28, unit="nm", confidence="press", source="ETNews 2022-10-11", note="TSMC"),
    ),
)
