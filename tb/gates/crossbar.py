"""The digital blocks of a crossbar tile at the gates: energy of each counted event on operands of real sums."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hw.gates.block import Block
from hw.gates.library import Process
from hw.rtl.crossbar.merge import SliceMerge
from hw.rtl.crossbar.plane_driver import PlaneDriver
from hw.rtl.crossbar.shift_add import ShiftAdd
from hw.rtl.crossbar.tile_adder import TileAdder
from hw.spec.crossbar import CrossbarSpec
from model.reference import crossbar as reference

CYCLES, LANES = 240, 32
DRIVER_ROWS = 32
"""Rows of the driver that is synthesised; a tile's plane takes its energy as many times as the tile has such rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventEnergy:
    """One event of the digital part.

    Parameters
    ----------
    event : str
        "digital.shift_add", "digital.merge", "digital.tile_add" or "array.plane", as a crossbar core counts them.
    pj : float
        Switching and internal energy with glitches, and the clock of the cycle it happens in.
    glitch : float
        Energy with gate delays over energy without.
    area_um2 : float
        Of what serves one such event at a time.
    """

    event: str
    pj: float
    glitch: float
    area_um2: float


def measure(spec: CrossbarSpec, process: Process, build: Path, seed: int) -> list[EventEnergy]:
    """Shift-add of one column, merge and adder of one lane, driver of one row, on sums of weights and inputs drawn like
    those of a network (normal, inputs rectified)."""
    rng = np.random.default_rng(seed)
    one = replace(spec, columns=1, lanes=1, columns_per_adc=spec.slices + spec.unit_columns, tiles=1)
    weights = np.clip(np.rint(rng.normal(0, 32, (1, spec.rows))), -127, 127).astype(np.int64)
    vectors = CYCLES * LANES // spec.planes
    low, high = spec.input_limits
    inputs = np.clip(np.rint(np.maximum(rng.normal(0, (high - low) / 4, (vectors, spec.rows)), 0)), low, high)
    inputs = reference.check_inputs(one, inputs.astype(np.int64), spec.rows)
    sums = reference.column_sums(reference.slice_levels(one, weights), reference.input_planes(one, inputs))
    codes = np.stack([reference.codes(one, sums[s], s) for s in range(one.slices)]).astype(np.int64)
    accumulated = np.einsum("snpb,p->snb", codes, reference.plane_weights(one).astype(np.int64))
    results = reference.merge(one, accumulated, inputs.sum(axis=1))[0] if not one.unit_columns else inputs.sum(axis=1)

    def lanes_of(values: np.ndarray, bits: int) -> np.ndarray:
        flat = np.resize(np.asarray(values, np.int64).ravel(), CYCLES * LANES)
        return (flat.reshape(LANES, CYCLES).T & (1 << bits) - 1).astype(np.int64)

    planes = codes[0, 0].T.reshape(-1)  # vector by vector, plane by plane
    first = np.tile((np.arange(CYCLES) % one.planes == 0)[:, None], (1, LANES)).astype(np.int64)
    found = [
        _event("digital.shift_add", ShiftAdd(one), process, build, {
            "i_valid": 1, "i_first": first, "i_code": lanes_of(planes, one.adc_bits), "i_step": 0}),
        _event("digital.merge", SliceMerge(one), process, build, {
            **{f"i_sum_{p}": lanes_of(accumulated[p % one.slices, 0], one.code_levels_bits)
               for p in range(one.physical_columns)},
            "i_input_sum": lanes_of(inputs.sum(axis=1), one.input_bits + one.rows.bit_length() + 1), "i_beat": 0}),
        _event("digital.tile_add", TileAdder(one), process, build, {
            "i_valid": 1, "i_first": first, "i_last": 1 - first, "i_results": lanes_of(results, 32)}),
    ]  # fmt: skip
    rows = min(spec.rows, DRIVER_ROWS)
    driver = replace(one, rows=rows, lanes=rows, range_policy="full", adc_bits=8, ranges=(), array="analogue")
    chosen = inputs[np.arange(CYCLES * LANES) % vectors, :rows].reshape(LANES, CYCLES, rows, 1).transpose(1, 0, 2, 3)
    words = (chosen >> np.arange(8) & 1).reshape(CYCLES, LANES, -1)
    start = np.roll(first, 1, axis=0)
    energy = _event("array.plane", PlaneDriver(driver), process, build, {
        "i_load": first, "i_word": 0, "i_data": words, "i_start": start, "i_show": 1, "i_next": 1 - start})  # fmt: skip
    share = spec.rows / rows
    return [*found, replace(energy, pj=energy.pj * share, area_um2=energy.area_um2 * share)]


def _event(
    event: str, component: Any, process: Process, build: Path, operands: dict[str, np.ndarray | int]
) -> EventEnergy:
    block = Block(component, event.replace(".", "_"), process, build)
    streams: dict[str, np.ndarray] = {}
    for port in block.netlist.inputs:
        value = operands.get(port, 0)
        if isinstance(value, int):
            value = np.full((CYCLES, LANES), value)
        streams[port] = value
    energy, glitches = block.measure(streams, build)
    total = (energy.switching_fj + energy.internal_fj) * glitches.mean + energy.clock_fj
    return EventEnergy(event=event, pj=total / 1e3, glitch=glitches.mean, area_um2=block.netlist.area_um2)


def lines(found: list[EventEnergy]) -> list[str]:
    """For people."""
    return [f"{e.event:<20} {e.pj:8.4f} pJ   glitches x {e.glitch:4.2f}   {e.area_um2:9.1f} um2" for e in found]
