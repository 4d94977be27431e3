"""Four small INT8 cores on the digits network: the space that the tests build."""

from model.sweep.space import Space
from model.sweep.subjects.core import layers_of

SPACE = Space(
    title="four small INT8 cores on the digits network",
    subject="core",
    base={"chip": "tiny"},
    axes={"rows": [2, 4], "columns": [4], "memory_words": [2048, 4096], "layer": layers_of("digits")},
    objectives={"seconds": "min", "area_mm2": "min"},
    total_over=("layer",),
)
