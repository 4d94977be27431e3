"""A weight-stationary core on layers: cycles exact, memory traffic as the commands place it, energy and area priced.

Every point is one core, one memory bandwidth, one clock and one layer (all its occurrences in the workload). Cycles are
those of `model.predict`, operands in the scratchpads whenever a batch of commands runs; traffic is hidden behind them
where the bandwidth allows:

    seconds = max(cycles / clock, bytes moved / bandwidth)

A sum longer than a command holds is cut into parts of equal length whose 32-bit results are added by the host: their
bytes are counted, the additions are not.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from hw import chips
from hw.base.change import change, fields_of
from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.core import CoreSpec
from hw.spec.number import number_format
from model import workloads
from model.energy.table import OperationTable, load_operations
from model.sweep.areas import ACCUMULATE_AREA, CELL_AREA, OUTPUT_LANE_AREA
from model.sweep.chain import chain, most_terms
from model.sweep.prices import DRAM_BIT, MAC_ENERGY, MAC_LATENCY, SRAM_BIT_AREA
from model.sweep.space import Space

OWN: Mapping[str, str] = {
    "format": "number format of both operands; sets the formats and the stages of a cell",
    "memory_words": "words of the activation, weight and output memory alike",
    "accumulators_per_row": "accumulator rows over rows of the array (powers of two)",
    "bandwidth_gb_s": "bytes per second of the external memory, GB/s",
    "clock_ghz": "clock, GHz",
    "layer": "WORKLOAD:NAME, a layer with all its occurrences; `layers_of` lists them",
}

RESULTS: Mapping[str, str] = {
    "cycles": "cycles of the core, label by label equal to the RTL",
    "seconds": "s, the larger of computing and moving",
    "macs": "useful multiply-accumulates",
    "bytes_moved": "B between the external memory and the scratchpads",
    "energy_array_j": "J in cells, nominal",
    "energy_memory_j": "J in scratchpads and accumulators, nominal",
    "energy_dram_j": "J in external memory, nominal",
    "energy_j": "J, nominal",
    "energy_j_low": "J, every price at its low end",
    "energy_j_high": "J, every price at its high end",
    "area_mm2": "mm2 at 45 nm: cells, accumulators, output stage, memories; nominal",
    "area_mm2_low": "mm2, every price at its low end",
    "area_mm2_high": "mm2, every price at its high end",
    "utilisation": "useful multiply-accumulates over cells x cycles",
    "bound": "0: bound by computing, 1: by moving",
}

ADDED = ("cycles", "seconds", "macs", "bytes_moved", "energy_array_j", "energy_memory_j", "energy_dram_j", "energy_j",
         "energy_j_low", "energy_j_high")  # fmt: skip
"""Results that add up over the layers of a design; the others are of the design or made from sums."""

UNCERTAIN: Mapping[str, tuple[str, ...]] = {
    "energy_j": ("energy_array_j", "energy_memory_j", "energy_dram_j"),
    "area_mm2": ("area_mm2",),
}
"""Objective -> the parts of it that each have an uncertain price of their own."""


def spread_of(part: str) -> tuple[float, float, float]:
    """Low, nominal and high of a part's price over its nominal."""
    if part == "energy_dram_j":
        fact = DRAM_BIT
    elif part == "area_mm2":
        fact = SRAM_BIT_AREA
    elif part == "energy_memory_j":
        return 0.7, 1.0, 1.3  # stated error of the table of memories
    else:
        fact = MAC_ENERGY["int8"]
    return fact.minimum / fact.nominal, 1.0, fact.maximum / fact.nominal


@dataclass(frozen=True, slots=True)
class Layer:
    """A product and how often it occurs.

    Parameters
    ----------
    m, n, k : int
        Its sizes: (M x K) by (K x N).
    count : int
        How often the workload has a product of these sizes, under whatever name.
    """

    m: int
    n: int
    k: int
    count: int


@lru_cache(maxsize=64)
def _layers(workload: str) -> dict[str, Layer]:
    found: dict[tuple[int, int, int], tuple[str, int]] = {}
    for gemm in workloads.load(workload).gemms():
        name, count = found.get((gemm.m, gemm.n, gemm.k), (gemm.name, 0))
        found[gemm.m, gemm.n, gemm.k] = name, count + gemm.count
    return {f"{workload}:{name}": Layer(m, n, k, count) for (m, n, k), (name, count) in found.items()}


def layers_of(workload: str) -> list[str]:
    """Values for the axis "layer": the distinct products of a workload, by the name of the first of each."""
    return list(_layers(workload))


def layer(name: str) -> Layer:
    """The product called WORKLOAD:NAME; `InputError` if there is none."""
    workload, separator, _ = name.partition(":")
    if not separator or name not in _layers(workload):
        raise InputError(
            f"a layer must be WORKLOAD:NAME of a known one, not {name!r}; `kcloud-cosim explore --layers` lists them"
        )
    return _layers(workload)[name]


def check(space: Space) -> None:
    """Raises `InputError` if an axis is no field of the base's core, or the base is incomplete."""
    core = base_core(space)
    known = {**fields_of(core), **OWN}
    for name in space.axes:
        if name not in known:
            from hw.base.catalog import nearest

            raise InputError(
                f"axis {name!r} must be a field of a core or one of {', '.join(OWN)}; "
                f"{nearest(name, list(known))}correct it"
            )
    if "layer" not in space.axes:
        raise InputError("a space of cores must have the axis 'layer' (WORKLOAD:NAME); add it")
    for name in space.distinct["layer"]:
        layer(str(name))
    for name in space.distinct.get("format", ()):
        if name not in MAC_ENERGY:
            raise InputError(
                f"format must be one of {', '.join(MAC_ENERGY)} (those with a price), not {name!r}; correct it"
            )


def base_core(space: Space) -> CoreSpec:
    """The core that the axes change."""
    core = chips.load(str(space.base.get("chip", "npu_16"))).core
    if core is None:
        raise InputError(f"the base chip must have a core, {space.base.get('chip')!r} has none; choose another")
    return core


@lru_cache(maxsize=1 << 16)
def core_of(base: CoreSpec, values: tuple[tuple[str, Any], ...]) -> CoreSpec | None:
    """The core of a point; None if the combination is impossible (an array too deep for its accumulators, say)."""
    given = dict(values)
    number = given.pop("format", None)
    array, core = {}, {}
    if number is not None:
        array |= {"activation_format": number, "weight_format": number, "mac_latency": MAC_LATENCY[number]}
        core["output_format"] = "int8" if number_format(number).is_integer else "fp32"
    words = given.pop("memory_words", None)
    if words is not None:
        core |= {"activation_words": int(words), "weight_words": int(words), "output_words": int(words)}
    ratio = given.pop("accumulators_per_row", None)
    try:
        changed = replace(base, array=replace(base.array, **array), **core) if array or core else base
        if given:
            rows = int(given.get("rows", changed.array.rows))
            least = (
                rows * changed.array.mac_latency + int(given.get("columns", changed.array.columns)) + 2 - 1
            ).bit_length()
            if "accumulator_rows" not in given:
                given["accumulator_rows"] = max(1 << least, changed.accumulator_rows)
            if ratio is not None:
                given["accumulator_rows"] = max(1 << least, 1 << (int(ratio * rows) - 1).bit_length())
            changed = change(changed, [f"{name}={value}" for name, value in given.items()])
        return changed
    except InputError:
        return None


@lru_cache(maxsize=1 << 18)
def _counts(core: CoreSpec, m: int, n: int, k: int) -> tuple[int, int, int, int, int, int, int] | None:
    """(cycles, rows streamed, passes, output words, activation, weight and output bytes) of one product on a core."""
    longest = most_terms(core)
    if longest < 1:
        return None
    parts = ceil_div(k, longest)
    array = core.array
    sums = [0, 0, 0, 0, 0, 0, 0]
    word = (
        array.rows * array.activation_lane_bits / 8,
        array.columns * array.weight_lane_bits / 8,
        array.columns * (4 if parts > 1 else number_format(core.output_format).bits / 8),
    )
    for length, times in ((k // parts, parts - k % parts), (k // parts + 1, k % parts)):
        if times and length:
            found = chain(core, m, n, length)
            moved = (found.activation_words * word[0], found.weight_words * word[1], found.output_words * word[2])
            for index, value in enumerate(
                (found.cycles, found.rows, found.passes, found.out_rows, *map(math.ceil, moved))
            ):
                sums[index] += value * times
    return (sums[0], sums[1], sums[2], sums[3], sums[4], sums[5], sums[6])


def logic_area(core: CoreSpec) -> tuple[float, float, float]:
    """mm2 of cells, accumulators' adders and output lanes: low, nominal, high."""
    array = core.array
    found = array.cells * CELL_AREA[array.activation_format].nominal
    found += array.columns * (
        ACCUMULATE_AREA[array.is_floating_point].nominal + OUTPUT_LANE_AREA[array.is_floating_point].nominal
    )
    return 0.8e-6 * found, 1e-6 * found, 1.25e-6 * found


@lru_cache(maxsize=1 << 16)
def _priced(core: CoreSpec) -> tuple[tuple[float, ...], tuple[float, float, float]]:
    """Energies of the events of a core in pJ and its area in mm2 (low, nominal, high).

    Per event: a cell's cycle (low, nominal, high), a word of activations, weights, accumulators, outputs (nominal).
    """
    array = core.array
    mac = MAC_ENERGY[array.activation_format]
    table = load_operations("horowitz_45nm")
    assert isinstance(table, OperationTable)
    sizes = (
        (core.activation_words, array.rows * array.activation_lane_bits),
        (core.weight_words, array.columns * array.weight_lane_bits),
        (core.accumulator_rows, array.columns * 32),
        (core.output_words, array.columns * number_format(core.output_format).bits),
    )
    words = tuple(table.memory(max(1, depth * width // 8), width).nominal for depth, width in sizes)
    bits = sum(depth * width for depth, width in sizes)
    ends = SRAM_BIT_AREA.minimum, SRAM_BIT_AREA.nominal, SRAM_BIT_AREA.maximum
    low, nominal, high = (logic + bits * bit * 1e-6 for logic, bit in zip(logic_area(core), ends, strict=True))
    return (mac.minimum, mac.nominal, mac.maximum, *words), (low, nominal, high)


def evaluate(space: Space, columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Results of the points; NaN where the core cannot be built or cannot run the layer."""
    base, names = base_core(space), [name for name in columns if name not in ("bandwidth_gb_s", "clock_ghz")]
    length = len(columns["layer"])
    codes, which = _combinations([columns[name] for name in names])
    table = np.full((len(codes), 15), np.nan)
    for index, values in enumerate(codes):
        settings = tuple((n, v) for n, v in zip(names, values, strict=True) if n != "layer")
        core = core_of(base, settings)
        if core is not None:
            table[index] = _row(core, layer(str(values[names.index("layer")])))
    found = table[which]
    clock = columns.get("clock_ghz", np.full(length, float(space.base.get("clock_ghz", 1.0)))) * 1e9
    cycles, moved = found[:, 0], found[:, 2]
    computing = cycles / clock
    bandwidth = columns.get("bandwidth_gb_s", np.full(length, float(space.base.get("bandwidth_gb_s", np.inf)))) * 1e9
    moving = moved / bandwidth
    return {
        "cycles": cycles,
        "seconds": np.maximum(computing, moving),
        "macs": found[:, 1],
        "bytes_moved": moved,
        "energy_array_j": found[:, 3],
        "energy_memory_j": found[:, 4],
        "energy_dram_j": found[:, 5],
        "energy_j": found[:, 3] + found[:, 4] + found[:, 5],
        "energy_j_low": found[:, 6],
        "energy_j_high": found[:, 7],
        "area_mm2": found[:, 8],
        "area_mm2_low": found[:, 9],
        "area_mm2_high": found[:, 10],
        "utilisation": found[:, 11],
        "bound": (moving > computing).astype(float),
    }


def _combinations(columns: list[np.ndarray]) -> tuple[list[tuple[Any, ...]], np.ndarray]:
    """Distinct rows of the columns, and for each row of the columns which of them it is."""
    code = np.zeros(len(columns[0]), dtype=np.int64)
    levels = []
    for column in columns:
        values, inverse = np.unique(column, return_inverse=True)
        levels.append(values)
        code = code * len(values) + inverse
    distinct, which = np.unique(code, return_inverse=True)
    rows = []
    for number in distinct.tolist():
        row: list[Any] = []
        for values in reversed(levels):
            number, place = divmod(number, len(values))
            row.append(values[place].item())
        rows.append(tuple(reversed(row)))
    return rows, which


def _row(core: CoreSpec, one: Layer) -> list[float]:
    counted = _counts(core, one.m, one.n, one.k)
    if counted is None:
        return [math.nan] * 15
    cycles, rows, passes, out_rows, activation_bytes, weight_bytes, output_bytes = (v * one.count for v in counted)
    (low, nominal, high, activation, weight, accumulator, output), areas = _priced(core)
    slots = rows * core.array.cells
    memory = (
        rows * activation
        + passes * core.array.rows * weight
        + (2 * rows) * accumulator
        + out_rows * (accumulator + output)
    ) * 1e-12
    moved = activation_bytes + weight_bytes + output_bytes
    dram = [8e-12 * moved * bit for bit in (DRAM_BIT.minimum, DRAM_BIT.nominal, DRAM_BIT.maximum)]
    macs = one.m * one.n * one.k * one.count
    cells = core.array.cells * core.array.terms_per_lane
    return [
        cycles, macs, moved, slots * nominal * 1e-12, memory, dram[1],
        slots * low * 1e-12 + 0.7 * memory + dram[0], slots * high * 1e-12 + 1.3 * memory + dram[2],
        areas[1], areas[0], areas[2], macs / (cycles * cells), 0.0, 0.0, 0.0,
    ]  # fmt: skip


def binds(space: Space, results: Mapping[str, float]) -> str:
    """What bounds a design over its layers."""
    return "memory" if results["seconds"] > 1.05 * results["cycles"] * 1e-9 and results["bound"] else "array"
