"""What stands at a device's arrays, published or assumed: feed, reuse, vector engine, scratchpads."""

from collections.abc import Mapping

from hw.spec.chip import Chip
from hw.spec.fact import Fact
from model.card.multiprocessor import Multiprocessors

NONE = "not published"

VECTOR_SHARE = Fact(
    nominal=1 / 32,
    low=1 / 64,
    high=1 / 8,
    unit="1",
    confidence="assumed",
    source="element operations over multiply-accumulates in 8 bits where neither is published: FP32 lanes of such "
    "chips",
)

VECTOR_LANES = Fact(
    nominal=1.0,
    low=0.5,
    high=2.0,
    unit="1",
    confidence="assumed",
    source="elements of the vector engine a cycle and column of the array where not published: one as in our core",
)

LAST_LEVEL = Fact(
    nominal=4e6,
    unit="B",
    confidence="assumed",
    source="on-chip memory of a chip that is known by its peaks alone: a small last-level cache",
)


def array_side(
    chip: Chip, peaks: Mapping[str, Fact], hypotheses: list[str], gpu: Multiprocessors | None
) -> tuple[Fact, Fact, Fact]:
    """Feed and vector engine: published, or as in the core that this project builds."""
    facts, core = chip.facts, chip.core
    if gpu is not None:
        lanes = facts["fp32_lanes"]
        vector = lanes.times(gpu.units)
        reuse = facts.get("packet_reuse") or assumed(1.0, "1", "each multiprocessor reads for itself")
        return assumed(0.0, "B/cycle", "see unit_port"), reuse, vector
    if core is None:
        nominal = max(peak.nominal for peak in peaks.values()) * 1e12 / 1e9
        hypotheses.append("vector units do 1/32 (1/64 to 1/8) of the peak's operations")
        vector = VECTOR_SHARE.times(nominal)
        return assumed(0.0, "B/cycle", "no array is known"), assumed(1.0, "1", "no array is known"), vector
    word = core.array.rows * core.array.activation_lane_bits / 8
    fetch = facts.get("fetch_width")
    if fetch is None:
        fetch = assumed(word, "B/cycle", f"{NONE}; one word a cycle as in our core")
        hypotheses.append(f"a word of {word:g} bytes of activations enters each array per cycle")
    reuse = facts.get("packet_reuse") or assumed(1.0, "1", f"{NONE}; a word meets one tile, as in our core")
    vector = facts.get("vector_width")
    if vector is None:
        columns = core.array.columns
        vector = VECTOR_LANES.times(columns)
        hypotheses.append(f"vector engine of {columns} elements per core and cycle ({columns // 2} to {2 * columns})")
    return fetch, reuse, vector.times(chip.cores)


def own_sram(chip: Chip) -> Fact:
    """Bytes of scratchpads where no capacity is published: the memories of the assumed cores."""
    core = chip.core
    if core is None:
        return LAST_LEVEL
    bits = (
        core.activation_words * core.array.rows * core.array.activation_lane_bits
        + core.weight_words * core.array.columns * core.array.weight_lane_bits
        + core.output_words * core.array.columns * 8
    )
    return assumed(bits / 8 * chip.cores, "B", "memories of the assumed cores")


def assumed(nominal: float, unit: str, source: str, *, low: float | None = None, high: float | None = None) -> Fact:
    """A value of this project\'s own, with its range."""
    return Fact(nominal=nominal, low=low, high=high, unit=unit, confidence="assumed", source=source)
