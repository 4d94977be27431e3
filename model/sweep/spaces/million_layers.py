"""A million points: array shape, memory, bandwidth, clock and format on every layer of ResNet-50 and Llama 3.1 8B
decode."""

from model.sweep.space import Space
from model.sweep.subjects.core import layers_of

SPACE = Space(
    title="arrays, memories, bandwidths, clocks and formats on ResNet-50 and Llama 3.1 8B decode",
    subject="core",
    base={"chip": "npu_16"},
    axes={
        "format": ["int8", "int4", "fp8_e4m3", "bf16"],
        "rows": [8, 16, 32, 64],
        "columns": [8, 16, 32, 64],
        "memory_words": [1024, 2048, 4096, 8192, 16384, 32768, 65536],
        "layer": [*layers_of("resnet50"), *layers_of("llama31_8b_decode")],
        "clock_ghz": [0.5, 0.75, 1.0, 1.25],
        "bandwidth_gb_s": [
            8,
            16,
            24,
            32,
            48,
            64,
            96,
            128,
            192,
            256,
            384,
            512,
            768,
            1024,
            1536,
            2048,
            3072,
            4096,
            6144,
            8192,
        ],
    },
    objectives={"seconds": "min", "energy_j": "min", "area_mm2": "min"},
    total_over=("layer",),
)
