"""FuriosaAI RNGD (Renegade), second-generation chip for language models."""

from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts
from hw.spec.mac_array import MacArraySpec

_DOCS = "furiosa-ai/furiosa-ai.github.io, v2026.3.0 overview/rngd.rst (hardware specification)"
_KERNEL = "furiosa-ai/furiosa-opt, docs/src/quick-start/kernel-design.md, computing-tensors/contraction-engine/index.md"
_STREAM = "furiosa-ai/furiosa-opt, docs/src/computing-tensors/contraction-engine/outer.md, time-reducer.md"
_MEMORY = "furiosa-ai/furiosa-opt, docs/src/moving-tensors/memory-performance.md and dma-engine.md"
_STUDY = "Chipcraft field study 'RNGD Tensor-Contraction Processor' (2025-01), digest of the chip paper"

CHIP = Chip(
    title="FuriosaAI RNGD: 8 PEs x 64 slices x 8 lanes x 64 INT8 (32 BF16) MACs",
    machine=CoreSpec(                  # one slice
        array=MacArraySpec(rows=64, columns=8),
        activation_words=4096,      # 256 KiB of the slice's 512 KiB
        weight_words=16384,         # 128 KiB
        accumulator_rows=2048,      # 64 KiB
        output_words=8192,          # 64 KiB
        parameter_words=1024,
    ),
    cores=512,
    clock=Fact(nominal=1.0, unit="GHz", confidence="vendor", source=_DOCS,
               note="furiosa-smi examples print a core clock of 2000 MHz: the CPU-core domain, says the field study"),
    hypothesis="a slice is read as a weight-stationary array, its lanes as output channels and its multipliers as the "
               "depth K; dataflow and the split of a slice's 512 KiB are not published",
    facts=CardFacts(
        peak_bf16=Fact(nominal=256, unit="TFLOPS", confidence="vendor", source=_DOCS),
        peak_fp8=Fact(nominal=512, unit="TFLOPS", confidence="vendor", source=_DOCS),
        peak_int8=Fact(nominal=512, unit="TOPS", confidence="vendor", source=_DOCS),
        peak_int4=Fact(nominal=1024, unit="TOPS", confidence="vendor", source=_DOCS),
        peak_bf16_from_geometry=Fact(nominal=262.144, unit="TFLOPS", confidence="inferred",
                                     source=f"131072 MAC x 2 x 1.0 GHz; {_KERNEL}",
                                     note="2.4 % above the marketed 256"),
        processing_elements=Fact(nominal=8, unit="1", confidence="vendor", source=_DOCS),
        fetch_width=Fact(nominal=32, unit="B/cycle", confidence="vendor", source=_STREAM,
                         note="one 32-byte flit per cycle; a packet of 64 bytes is two"),
        packet_reuse=Fact(nominal=16, low=1, high=128, unit="1", confidence="inferred",
                          source=f"1,024 accumulators, 8 per slot: up to 128 tiles of lanes a packet; {_STREAM}"),
        vector_width=Fact(nominal=8, low=4, unit="1", confidence="vendor", source=_KERNEL,
                          note="8-way or 4-way by the operation"),
        sram=Fact(nominal=256, unit="MiB", confidence="vendor", source=_DOCS, note="512 x 512 KiB"),
        sram_per_core=Fact(nominal=512, unit="KiB", confidence="vendor", source=_MEMORY, note="16 banks x 8 B"),
        sram_dma_bandwidth=Fact(nominal=2000, low=500, unit="GB/s", confidence="vendor", source=_MEMORY,
                                note="the same documents also say 256 B/cycle per cluster, 0.5 TB/s per chip"),
        dram_capacity=Fact(nominal=48, unit="GB", confidence="vendor", source=_DOCS, note="HBM3, 2 stacks"),
        dram_bandwidth=Fact(nominal=1500, unit="GB/s", confidence="vendor", source=_DOCS,
                            note="32 channels x 48 GB/s; unaligned reads 2x, unaligned writes about 50x slower"),
        host_bandwidth=Fact(nominal=63.0, low=30.0, unit="GB/s", confidence="inferred",
                            source=f"PCIe 5.0 x16: 32 GT/s x 16 x 128/130 / 8; {_DOCS}",
                            note="the DMA documents say 30 B/cycle, 30 GB/s"),
        tdp=Fact(nominal=150, high=180, unit="W", confidence="vendor", source=_DOCS,
                 note="180 W on a product page of early 2025"),
        idle_power=Fact(nominal=38.4, low=37.4, high=39.4, unit="W", confidence="vendor",
                        source="furiosa-ai/furiosa-ai.github.io, v2026.3.0 furiosa_smi_cli.rst (example listing)"),
        die_area=Fact(nominal=653, unit="mm2", confidence="secondary", source=_STUDY),
        process=Fact(nominal=5, unit="nm", confidence="vendor", source=_DOCS, note="TSMC"),
    ),
)
