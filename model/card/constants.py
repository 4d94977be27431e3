"""Every constant of the card model: value, source, and how many chips it serves. There is none of a single chip.

What a published table or an instruction set fixes is a plain number beside its source; what could be otherwise is a
`Fact`, with its range an open input of every prediction.
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hw import chips
from hw.base.error import InputError
from hw.spec.fact import Fact
from model.card.device import Device, device
from model.card.engine import BUILT, ENGINES


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """One constant.

    Parameters
    ----------
    name : str
        Module and name, such as "rules.LAYER_START".
    value, unit, source : str
        As printed: nominal with its range in brackets; what it is counted in; where it is from.
    serves : str
        Which predictions it enters, a key of `GROUPS`.
    chips : int
        How many chips of hw/chips these are.
    """

    name: str
    value: str
    unit: str
    source: str
    serves: str
    chips: int


def _memory(name: str) -> bool:
    return "pim" in name or name == "aim"


GROUPS: Mapping[str, Callable[[str, Device | None], bool]] = {
    "every card": lambda _, d: d is not None,
    "cards of cores": lambda _, d: d is not None and d.counted,
    "cards without a published core": lambda _, d: d is not None and not d.counted and not d.units,
    "GPUs": lambda _, d: d is not None and d.units > 0,
    "GPUs with a base clock": lambda _, d: d is not None and d.base_share < 1,
    "cards joined by links of their own": lambda _, d: d is not None and d.own_links,
    "cards joined by PCIe": lambda _, d: d is not None and not d.own_links,
    "memories with processing": lambda name, _: _memory(name),
}
"""Groups of chips by what is published of them; none holds a single chip."""

PLACES: Mapping[str, str] = {
    "rules.DRAM_EFFICIENCY": "every card",
    "rules.MIXED_TRAFFIC": "every card",
    "rules.LAYER_START": "every card",
    "rules.QUERY_HOST": "every card",
    "rules.KERNEL_LAUNCH": "GPUs",
    "rules.SCORE_TRAFFIC": "every card",
    "rules.CHOICE_STEP": "every card",
    "rules.HOST_SCORE": "every card",
    "rules.UNHIDDEN": "GPUs",
    "rules.LINK_STEP": "every card",
    "rules.COLLECTIVE_START": "every card",
    "rules.LINK_EFFICIENCY": "cards joined by links of their own",
    "rules.PCIE_EFFICIENCY": "cards joined by PCIe",
    "rules.PCIE_FAR_SHARE": "cards joined by PCIe",
    "rules.CACHE_READ_EFFICIENCY": "every card",
    "rules.MEMORY_UNIT": "every card",
    "power_clock.REST_SHARE": "GPUs with a base clock",
    "power_clock.MEMORY_SHARE": "GPUs with a base clock",
    "power_clock.CLOCK_EXPONENT": "GPUs with a base clock",
    "power_clock.MULTIPLYING_SHARE": "GPUs with a base clock",
    "multiprocessor.PORT": "GPUs",
    "multiprocessor.SERVING_BUSY": "GPUs with a base clock",
    "multiprocessor.LATENCY": "GPUs",
    "array_side.VECTOR_SHARE": "every card",
    "array_side.VECTOR_LANES": "cards of cores",
    "array_side.LAST_LEVEL": "every card",
    "device.HOST_LINK": "every card",
    "device.HOP": "cards of cores",
    "device.DATAFLOWS": "cards of cores",
}
"""Facts of the model and the chips they stand in for, where no fact of the chip does."""

NUMBERS: Mapping[str, tuple[str, str, str]] = {
    "rules.VECTOR_STEPS": (
        "operations",
        "steps of the functions' definitions; softmax: maximum, exponential, sum, scale",
        "every card",
    ),
    "rules.BATCHES": ("inputs", "powers of two; those that the mapper compares", "every card"),
    "attention.INSTRUCTION_ROWS": ("rows", "NVIDIA PTX ISA, mma shapes m16n8k16", "GPUs"),
    "attention.CHUNK": (
        "keys, queries, sequences",
        "where an array's time of a pair is taken: its slope is constant there",
        "cards of cores",
    ),
    "gpu_tiles.TILES": ("rows x columns", "NVIDIA cuBLAS, cublasLtMatmulTile_t", "GPUs"),
    "gpu_tiles.LEAST_TILE": ("columns", "the smallest side in TILES", "GPUs"),
    "gpu_tiles.STEP_BYTES": ("B", "NVIDIA PTX ISA, mma shapes: k32 of 8 bits, k16 of 16", "GPUs"),
    "gpu_tiles.WARP_EDGE": ("elements", "NVIDIA CUTLASS, default warp shapes: 64 x 64", "GPUs"),
    "gpu_tiles.SHARED_BYTES": ("B/cycle", "NVIDIA CUDA programming guide: 32 banks of 4 bytes", "GPUs"),
    "gpu_tiles.REGISTER_BYTES": (
        "B",
        "NVIDIA CUDA programming guide, technical specifications: 65,536 registers",
        "GPUs",
    ),
    "gpu_tiles.MOST_TILES": ("tiles", "NVIDIA CUDA programming guide: 64 warps a multiprocessor, 8 a tile", "GPUs"),
    "gpu_tiles.LOOP_BYTES": ("B", "NVIDIA CUTLASS, default thread block shapes: k64 of INT8, k32 of FP16", "GPUs"),
    "gpu_tiles.STAGE_BYTES": ("B", "NVIDIA CUDA programming guide: least shared memory from 7.5 on", "GPUs"),
    "gpu_tiles.MOST_STAGES": ("stages", "NVIDIA CUTLASS, stages of its default kernels", "GPUs"),
    "gpu_tiles.DEPTH_PARTS": ("parts", "NVIDIA CUTLASS, split-K; powers of two that are compared", "GPUs"),
    "iteration.RESERVED_BYTES": (
        "B",
        "assumed: driver, libraries and communication buffers of a serving process",
        "every card",
    ),
    "iteration.FINE": (
        "rows",
        "numerical: above, times of sixteen row counts an octave are joined by lines",
        "every card",
    ),
    "links.NEAR_DEVICES": ("devices", "cards on one of two processors of a server of eight", "cards joined by PCIe"),
    "pim.CHANNELS": (
        "channels",
        "channels of a stack or package: design of each memory (JEDEC HBM2; SK hynix, ISSCC 2022; "
        "Samsung, Hot Chips 2023)",
        "memories with processing",
    ),
    "pim.ROW_BYTES": ("B", "JEDEC HBM2 and GDDR6: row of a pseudo-channel", "memories with processing"),
    "pim_check.UNKNOWN_SIZES": ("rows, columns", "spanned where a publication names none", "memories with processing"),
    "selection.PAIR_BYTES": ("B", "NVIDIA/TensorRT, sortScoresPerClass.cu: score and index", "every card"),
    "selection.RADIX_PASSES": ("passes", "NVIDIA CUB, radix sort of 32 bits by 8", "every card"),
    "selection.OVERLAP_STEPS": ("operations", "definition of the overlap of two boxes", "every card"),
    "selection.WARPS": ("warps", "NVIDIA CUDA programming guide, technical specifications", "GPUs"),
    "selection.LANES": ("boxes", "NVIDIA CUDA programming guide: threads of a warp", "GPUs"),
    "selection.KERNELS": ("starts", "steps of the definition: scores, preparation, sort, overlaps", "every card"),
    "server.LIMITS_S": (
        "s",
        "mlcommons/inference_policies, inference_rules.adoc: latency limits by task",
        "every card",
    ),
    "server.PERCENTILE": ("%", "mlcommons/inference_policies, inference_rules.adoc", "every card"),
    "server.QUERIES": ("queries", "numerical: drawn arrivals", "every card"),
    "server.FEW_SIZES": ("sizes", "numerical: the smaller of two sets of batches that a server compares", "every card"),
    "server.STEPS": ("steps", "numerical: halvings of the rate", "every card"),
    "range.SAMPLES": ("samples", "numerical: draws of the open inputs", "every card"),
    "language_record.CURVE_BATCHES": ("sequences", "powers of two of a curve that is recorded", "every card"),
    "language_record.CURVE_CONTEXT": ("tokens", "stated with every record of a curve", "every card"),
}
"""Plain numbers: what they are counted in, where they are from, the chips they serve."""


def constants() -> list[Constant]:
    """All of them, facts first; those of the serving engines by the engine's name."""
    known = {name: _device(name) for name in chips.names()}
    count = {group: sum(serves(name, d) for name, d in known.items()) for group, serves in GROUPS.items()}
    found = [
        Constant(
            name=name,
            value=_range(fact),
            unit=fact.unit,
            source=fact.source,
            serves=group,
            chips=count[group],
        )
        for name, group in PLACES.items()
        for fact in [_value(name)]
        if isinstance(fact, Fact)
    ]
    for name, (unit, source, group) in NUMBERS.items():
        found.append(
            Constant(name=name, value=str(_value(name)), unit=unit, source=source, serves=group, chips=count[group])
        )
    for engine in (*ENGINES.values(), BUILT):
        for field in ("step", "per_sequence", "host", "stream", "wait", "eager", "launch", "memory_share"):
            fact = getattr(engine, field)
            found.append(
                Constant(
                    name=f"engine.{engine.name}.{field}",
                    value=_range(fact),
                    unit=fact.unit,
                    source=fact.source,
                    serves="every card",
                    chips=count["every card"],
                )
            )
    return found


def _value(name: str) -> object:
    module, _, field = name.partition(".")
    return getattr(importlib.import_module(f"model.card.{module}"), field)


def _range(fact: Fact) -> str:
    text = f"{fact.nominal:g}"
    return text if fact.minimum == fact.maximum else f"{text} ({fact.minimum:g} to {fact.maximum:g})"


def _device(name: str) -> Device | None:
    try:
        return device(chips.load(name))
    except InputError:
        return None
