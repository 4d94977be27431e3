"""FuriosaAI Warboy, first-generation CNN inference chip."""

from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts
from hw.spec.mac_array import MacArraySpec

_DOCS = "furiosa-ai/furiosa-sdk, docs/en/source/npu/warboy.rst (hardware specification)"
_CONFIG = "mlcommons/inference_results_v1.1, closed/FuriosaAI/code/common/npu_config/128dpes.yml"
_OFFLINE = "mlcommons/inference_results_v2.0, closed/FuriosaAI/code/mlperf/scripts/offline.sh (v1.1: build_offline.sh)"
_SYSTEM = "mlcommons/inference_results_v1.1, closed/FuriosaAI/systems/warboy_intel.json"

CHIP = Chip(
    title="FuriosaAI Warboy: 2 PEs x 64 slices x (32 x 4) INT8 MACs",
    machine=CoreSpec(                  # one slice; the 2 x 64 slices work on one layer together
        array=MacArraySpec(rows=32, columns=4),
        activation_words=4096,      # 128 KiB of the slice's 256 KiB
        weight_words=16384,         # 64 KiB
        accumulator_rows=2048,      # 32 KiB
        output_words=8192,          # 32 KiB
        parameter_words=1024,
    ),
    cores=128,
    clock=Fact(nominal=2.0, unit="GHz", confidence="vendor", source=_DOCS,
               note="the compiler configuration counts profiling ticks at 1000 MHz"),
    hypothesis="MAC width 32 is read as the depth K and MAC height 4 as output channels of a weight-stationary array; "
               "dataflow and the split of a slice's 256 KiB are not published",
    facts=CardFacts(
        slices=Fact(nominal=128, unit="1", confidence="measured", source=_CONFIG, note="2 PEs of 64"),
        mac_width=Fact(nominal=32, unit="1", confidence="measured", source=_CONFIG),
        processing_elements=Fact(nominal=2, unit="1", confidence="measured", source=_CONFIG,
                                 note="num_pe: 2; apart in the offline runs, fused in single and multi stream"),
        offline_batch={
            "resnet50": Fact(nominal=8, unit="1", confidence="measured", source=_OFFLINE),
            "ssd_mobilenet": Fact(nominal=8, unit="1", confidence="measured", source=_OFFLINE),
            "ssd_resnet34": Fact(nominal=1, unit="1", confidence="measured", source=_OFFLINE),
        },
        offline_groups={
            "ssd_resnet34": Fact(nominal=1, unit="1", confidence="measured", source=_OFFLINE, note="npu0pe0-1: "
            "both PEs fused"),
        },
        boxes_on_host=Fact(nominal=1, unit="1", confidence="measured",
                           source="mlcommons/inference_results_v2.0, closed/FuriosaAI/code/mlperf/src/ssd_small/mod.rs:"
                                  " the post-processor takes the scores of all boxes as the card gives them"),
        query_chunk=Fact(nominal=8, low=1, unit="1", confidence="assumed",
                         source="mlcommons/inference_results_v2.0, closed/FuriosaAI/code/mlperf/src/resnet50/mod.rs"
                                ": fused, chunks of --batch-size one after the other; the size of that run (default "
                                "1) is not published"),
        fetch_width=Fact(nominal=16, unit="B/cycle", confidence="measured", source=_CONFIG,
                         note="fetch_network_width: half the 32 bytes that the MACs take"),
        packet_reuse=Fact(nominal=1, high=4, unit="1", confidence="inferred",
                          source=f"accumulator_size: 4 in {_CONFIG}: sizes of that file are bytes, so one 32-bit "
                                 "sum per row of MACs; read as four sums, a packet could meet four tiles"),
        vector_width=Fact(nominal=2, unit="1", confidence="measured", source=_CONFIG, note="ve_max_access_width"),
        hop_cycles=Fact(nominal=2, unit="cycles", confidence="measured", source=_CONFIG),
        mac_height=Fact(nominal=4, unit="1", confidence="measured", source=_CONFIG),
        peak_int8=Fact(nominal=64, unit="TOPS", confidence="vendor", source=_DOCS),
        peak_int8_from_geometry=Fact(nominal=65.536, unit="TOPS", confidence="inferred",
                                     source=f"16384 MAC x 2 x 2.0 GHz; {_CONFIG}"),
        sram=Fact(nominal=32, unit="MiB", confidence="vendor", source=_DOCS, note="128 x 256 KiB"),
        sram_per_core=Fact(nominal=256, unit="KiB", confidence="measured", source=_CONFIG),
        dram_capacity=Fact(nominal=16, high=32, unit="GB", confidence="vendor", source=_DOCS, note="LPDDR4X-4266"),
        dram_bandwidth=Fact(nominal=66, unit="GB/s", confidence="vendor", source=_DOCS),
        host_bandwidth=Fact(nominal=15.75, unit="GB/s", confidence="inferred",
                            source=f"PCIe 4.0 x8: 16 GT/s x 8 x 128/130 / 8; {_SYSTEM}"),
        tdp=Fact(nominal=60, low=40, unit="W", confidence="vendor", source=_DOCS, note="configurable"),
        die_area=Fact(nominal=180, unit="mm2", confidence="vendor", source=_DOCS),
        transistors=Fact(nominal=5.0e9, unit="1", confidence="vendor", source=_DOCS),
        process=Fact(nominal=14, low=10, high=16, unit="nm", confidence="assumed",
                     source="no source found; Samsung 14 nm is often repeated"),
    ),
)
