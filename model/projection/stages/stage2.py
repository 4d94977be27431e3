"""Stage 2, 2026 to 2028: commercial DRAM with processing in it, joined to the NPU."""

from model.projection.stage import Stage

STAGE = Stage(
    number=2,
    years=(2026, 2028),
    title="NPU with DRAM PIM",
    technology="commercial DRAM-based PIM joined to domestic NPUs; goal: performance of overseas GPUs at low power",
    basis="model",
    note="no numeric goal is published; the memory of the stage 1 card is replaced by one with processing in it and as "
    "much bandwidth at its pins",
)
