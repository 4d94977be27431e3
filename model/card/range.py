"""What the facts leave open: every input with a range moved to its ends, and all of them together."""

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hw.spec.fact import Fact
from model.card.device import Device, family, with_rows
from model.card.engine import Engine
from model.card.machine import Extra
from model.card.power_clock import CLOCK_EXPONENT, MEMORY_SHARE, MULTIPLYING_SHARE, REST_SHARE
from model.card.rules import (
    CACHE_READ_EFFICIENCY,
    CHOICE_STEP,
    COLLECTIVE_START,
    DRAM_EFFICIENCY,
    HOST_SCORE,
    KERNEL_LAUNCH,
    LAYER_START,
    LINK_EFFICIENCY,
    LINK_STEP,
    MIXED_TRAFFIC,
    PCIE_EFFICIENCY,
    PCIE_FAR_SHARE,
    QUERY_HOST,
    SCORE_TRAFFIC,
    UNHIDDEN,
)
from model.energy.price import Interval

SAMPLES = 4000

Reading = tuple[Device, Extra]
_RULES = (
    ("dram_efficiency", DRAM_EFFICIENCY),
    ("mixed_traffic", MIXED_TRAFFIC),
    ("layer_start", LAYER_START),
    ("query_host", QUERY_HOST),
)
_POWER = (
    ("rest_share", REST_SHARE),
    ("memory_power", MEMORY_SHARE),
    ("clock_exponent", CLOCK_EXPONENT),
    ("multiplying", MULTIPLYING_SHARE),
)
"""Rules of a chip whose clock its power limits."""

_CHOICES: tuple[tuple[str, Mapping[str, Any] | None, Mapping[str, Any] | None], ...] = (
    ("additions_behind_a_product", {"additions": False}, None),
    ("functions_behind_a_product", {"functions": "apart"}, {"functions": "free"}),
    ("depthwise_engine", {"depthwise": "slower"}, None),
    ("overlap_of_weight_loads", {"loads_beside": False}, None),
    ("weights_stay", {"stays": False}, None),
)
"""What a compiler may do otherwise than the rules say: (input, at its low end, at its high end)."""

_BOXES = (("score_traffic", SCORE_TRAFFIC), ("choice_step", CHOICE_STEP))
"""Rules that only a detector's choice of boxes meets."""

_SERVING_RULES = (
    ("cache_read", CACHE_READ_EFFICIENCY),
    ("link_step", LINK_STEP),
    ("collective_start", COLLECTIVE_START),
)
"""Rules that only serving a language model meets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranged:
    """`range`: nominal, and what 5 % and 95 % of the samples stay below; `effects`: input -> (at its low, at its high),
    None where an end is the nominal value."""

    range: Interval
    effects: Mapping[str, tuple[float | None, float | None]]


def readings(
    device: Device, engine: Engine | None = None, *, detects: bool = False
) -> Iterator[tuple[str, Reading | None, Reading | None]]:
    """(input, device at its low end, at its high end) for every input with a range, all others nominal.

    A clock whose peak is published leaves the rate as it is (fewer cells, faster), so it is left out. With `engine`
    also what only serving a language model meets: links, reads of the cache, usable memory, the engine's own; with
    `detects` what only a detector's choice of boxes meets.
    """
    base = Extra()
    names = [
        "fetch_width",
        "packet_reuse",
        "vector_width",
        "hop_cycles",
        "dram_bandwidth",
        "host_bandwidth",
        "link_bandwidth",
        "unit_port",
        "sustained",
        "dataflows",
        "query_chunk",
        "query_share",
    ]
    core = device.core
    native = None if core is None else device.peaks.get(family(core.array.activation_format))
    if core is not None and (native is None or native.minimum < native.maximum):
        names.append("clock")
    if engine is not None:
        names.append("dram_usable")
    for name in names:
        fact: Fact = getattr(device, name)
        if fact.minimum < fact.maximum:
            low, high = (
                (replace(device, **{name: replace(fact, nominal=v)}), base) if v != fact.nominal else None
                for v in (fact.minimum, fact.maximum)
            )
            yield name, low, high
    if core is not None:
        depth = device.array_rows
        if depth is not None and depth.minimum < depth.maximum:
            low, high = (
                (_of_depth(device, round(v)), base) if v != depth.nominal else None
                for v in (depth.minimum, depth.maximum)
            )
            yield "array_rows", low, high
        if device.dataflows.minimum == device.dataflows.maximum:  # held results pack any kernel: the same loss
            yield "kernel_row_in_a_word", None, (device, replace(base, by_row=True))
    if engine is None:
        for name, at_low, at_high in _CHOICES:
            low, high = (None if values is None else (device, replace(base, **values)) for values in (at_low, at_high))
            yield name, low, high
    rules = _RULES
    if detects and device.boxes_on_host:
        rules = (*rules, ("host_score", HOST_SCORE))
    elif detects:
        yield "boxes_on_the_host", None, (device, replace(base, boxes_beside=True))
        rules = (*rules, *_BOXES)
    if device.units:
        rules = (*rules, ("kernel_launch", KERNEL_LAUNCH), ("unhidden", UNHIDDEN))
    if device.base_share < 1 and engine is None:
        rules = (*rules, *_POWER)
    if engine is not None:
        links = (("pcie_efficiency", PCIE_EFFICIENCY), ("pcie_far_share", PCIE_FAR_SHARE))
        if device.own_links:
            links = (("link_efficiency", LINK_EFFICIENCY),)
        rules = (
            *rules,
            *_SERVING_RULES,
            *links,
            ("engine_step", engine.step),
            ("engine_per_sequence", engine.per_sequence),
            ("engine_host", engine.host),
            ("engine_stream", engine.stream),
            ("engine_wait", engine.wait),
            ("memory_share", engine.memory_share),
        )
    for name, fact in rules:
        if fact.minimum == fact.maximum:
            continue
        low, high = ((device, replace(base, **{name: v})) for v in (fact.minimum, fact.maximum))
        yield name, low, high


def _of_depth(device: Device, rows: int) -> Device:
    """Arrays of another depth: of the same shape and more or fewer of them, or of the same number of cells if the
    number of cores is published or would not be whole."""
    core = device.core
    assert core is not None
    changed = with_rows(core, rows, same_shape=True)
    cores = device.cores * core.array.cells / changed.array.cells
    if device.cores_published or cores != int(cores) or cores < device.groups:
        changed, cores = with_rows(core, rows), device.cores
    width = device.fetch_width
    fetch = replace(width, nominal=width.nominal * rows / core.array.rows, low=None, high=None)
    return replace(device, core=changed, cores=int(cores), fetch_width=fetch)


def ranged(
    device: Device, value: Callable[[Device, Extra], float], engine: Engine | None = None, *, detects: bool = False
) -> Ranged:
    """Range of `value`: each input drawn from the triangular distribution low / nominal / high, its effect on the
    logarithm of the value taken as linear from the nominal value to each end, effects of several inputs added."""
    nominal = value(device, Extra())
    random = np.random.default_rng(zlib.crc32(device.title.encode()))
    total = np.zeros(SAMPLES)
    effects = {}
    for name, low, high in readings(device, engine, detects=detects):
        ends = tuple(None if reading is None else value(*reading) for reading in (low, high))
        effects[name] = ends
        down, up = (0.0 if end is None else float(np.log(end / nominal)) for end in ends)
        if down or up:
            # position of the nominal value between the ends, by the size of the two effects where both exist
            left, right = (-1.0 if low is not None else 0.0), (1.0 if high is not None else 0.0)
            draws = random.triangular(left, 0.0, right, SAMPLES)
            total += np.where(draws < 0, -draws * down, draws * up)
    low_end, high_end = (float(v) for v in nominal * np.exp(np.percentile(total, [5, 95])))
    return Ranged(
        range=Interval(low=min(low_end, nominal), nominal=nominal, high=max(high_end, nominal)), effects=effects
    )
