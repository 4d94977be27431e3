"""Rebellions ATOM, inference chip of eight neural engines."""

from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts
from hw.spec.mac_array import MacArraySpec

_ASCII = "ASCII.jp, AI chip column on Rebellions REBEL-Quad (lists ATOM's peaks)"
_DIGEST = "Yufeng98/AI-datacenter, chips/rebellions-atom summary (as of 2026-09-13)"
_DOCS = "Rebellions RBLN SDK documentation, 'RBLN NPU Architecture' (ATOM edition)"
_CODE = "mlcommons/inference_results_v3.0, closed/rebellions/code/main.cpp"
_SYSTEM = "mlcommons/inference_results_v3.0, closed/rebellions/systems/ATOM.json"

CHIP = Chip(
    title="Rebellions ATOM: 8 neural engines, 128 TOPS INT8, 32 TFLOPS FP16",
    machine=CoreSpec(                  # one neural engine
        array=MacArraySpec(rows=64, columns=128),
        activation_words=32768,     # 2 MiB of the engine's 4 MiB
        weight_words=8192,          # 1 MiB
        accumulator_rows=1024,      # 512 KiB
        output_words=4096,          # 512 KiB
        parameter_words=1024,
    ),
    cores=8,
    clock=Fact(nominal=0.977, low=0.7, high=1.4, unit="GHz", confidence="assumed",
               source="128 TOPS / (2 x 8 engines x 8192 MAC); neither clock nor MACs are published"),
    hypothesis="array and clock are not published, 16 TOPS per engine are: 64 x 128 MACs at 0.98 GHz stand for them, "
               "as would 0.7 to 1.4 GHz with MACs to match",
    facts=CardFacts(
        engines=Fact(nominal=8, unit="1", confidence="secondary", source=_DIGEST),
        array_rows=Fact(nominal=64, low=32, high=128, unit="1", confidence="assumed", source="not published"),
        peak_fp16=Fact(nominal=32, unit="TFLOPS", confidence="secondary", source=_ASCII),
        peak_int8=Fact(nominal=128, unit="TOPS", confidence="secondary", source=_ASCII),
        peak_int4=Fact(nominal=256, unit="TOPS", confidence="secondary", source=_ASCII),
        dataflows=Fact(nominal=1, high=2, unit="1", confidence="assumed",
                       source=f"coarse-grained reconfigurable array, which may hold weights or results: {_DIGEST}"),
        offline_batch={
            "resnet50": Fact(nominal=8, unit="1", confidence="measured", source=_CODE),
        },
        bert_positions=Fact(nominal=384, unit="1", confidence="measured", source=_CODE, note="fixed, padding kept"),
        sram=Fact(nominal=64, unit="MiB", confidence="vendor", source=_DOCS, note="8 x 4 MB and 32 MB shared"),
        sram_per_core=Fact(nominal=4096, unit="KiB", confidence="vendor", source=_DOCS),
        dram_capacity=Fact(nominal=16, unit="GB", confidence="measured", source=_SYSTEM, note="GDDR6"),
        dram_bandwidth=Fact(nominal=256, unit="GB/s", confidence="secondary", source=_DIGEST),
        host_bandwidth=Fact(nominal=31.5, high=63.0, unit="GB/s", confidence="inferred",
                            source=f"PCIe 4.0 x16 as run in MLPerf v3.0, 5.0 x16 on the card; {_SYSTEM}"),
        tdp=Fact(nominal=85, low=60, high=130, unit="W", confidence="secondary",
                 source=f"60 to 130 W: {_DIGEST}; 85 W: public note 'On-premise AI research, April 2026'"),
        price=Fact(nominal=3500, low=2000, high=5000, unit="USD", confidence="assumed",
                   source="public note 'On-premise AI research, April 2026', which calls it a guess"),
        process=Fact(nominal=5, unit="nm", confidence="secondary", source=_DIGEST, note="Samsung"),
    ),
)
