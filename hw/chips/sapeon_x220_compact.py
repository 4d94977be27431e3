"""SAPEON X220 compact, CNN inference card."""

from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts
from hw.spec.mac_array import MacArraySpec

_SYSTEM = "mlcommons/inference_results_v2.1, closed/SAPEON/systems/X220-compact.json"
_CODE = "mlcommons/inference_results_v2.1, closed/SAPEON/code/resnet50/src, main.cpp and mlperf_inferencer_x220.cpp"
_NONE = "no source found; recalled from the vendor's page, never an anchor"

CHIP = Chip(
    title="SAPEON X220 compact: CNN inference card, one device",
    machine=CoreSpec(                  # wholly assumed: 1 MiB each, as the card's 11 MB would give
        array=MacArraySpec(rows=64, columns=64),
        activation_words=8192,      # 512 KiB
        weight_words=4096,          # 256 KiB
        accumulator_rows=512,       # 128 KiB
        output_words=2048,          # 128 KiB
        parameter_words=1024,
    ),
    cores=11,
    clock=Fact(nominal=0.97, low=0.7, high=1.3, unit="GHz", confidence="assumed",
               source="not published; INT8 arrays at 28 nm run at 0.7 to 1.3 GHz"),
    hypothesis="neither array, clock nor peak is published: 11 arrays of 64 x 64 at 0.97 GHz stand for 87 TOPS, "
               "which the range of the clock takes from 62 to 117 TOPS",
    facts=CardFacts(
        array_rows=Fact(nominal=64, low=16, high=128, unit="1", confidence="assumed", source="not published"),
        peak_int8=Fact(nominal=87, low=62, high=117, unit="TOPS", confidence="assumed", source=_NONE,
                       note="6769 ResNet-50 images/s (MLPerf v2.1) x 8.2 Gop need at least 55.5 TOPS"),
        offline_batch={
            "resnet50": Fact(nominal=18, unit="1", confidence="measured", source=_CODE, note="kMaxBatch"),
        },
        batch_timeout=Fact(nominal=4, unit="ms", confidence="measured", source=_CODE, note="kTimeoutMs"),
        sram=Fact(nominal=11, unit="MB", confidence="measured", source=_SYSTEM),
        dram_capacity=Fact(nominal=8, unit="GB", confidence="measured", source=_SYSTEM, note="LPDDR4"),
        dram_bandwidth=Fact(nominal=34, low=17, high=68, unit="GB/s", confidence="assumed",
                            source="not published; two to four 32-bit LPDDR4-4266 channels, half to double"),
        host_bandwidth=Fact(nominal=15.75, unit="GB/s", confidence="inferred",
                            source=f"PCIe 3.0 x16: 8 GT/s x 16 x 128/130 / 8; {_SYSTEM}"),
        tdp=Fact(nominal=65, low=50, high=75, unit="W", confidence="assumed", source=_NONE,
                 note="80 % of a 70 W GPU, as SK Telecom claimed in 2020, would be 56 W"),
        process=Fact(nominal=28, unit="nm", confidence="press", source="ETNews 2022-10-11", note="TSMC"),
    ),
)
