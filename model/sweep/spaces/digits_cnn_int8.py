"""INT8 cores for the convolutional digits as products: which shapes and memories are worth building."""

from model.sweep.space import Space
from model.sweep.subjects.core import layers_of

SPACE = Space(
    title="INT8 cores for the convolutional digits network",
    subject="core",
    base={"chip": "npu_16"},
    axes={
        "rows": [4, 8, 16],
        "columns": [4, 8, 16],
        "memory_words": [1024, 2048, 4096, 8192],
        "layer": layers_of("digits_cnn"),
    },
    constraints=("rows <= 2 * columns", "columns <= 2 * rows"),
    objectives={"seconds": "min", "energy_j": "min", "area_mm2": "min"},
    total_over=("layer",),
)
