"""From the energies of blocks to energies of counted events, fitted on some cycles of a run and tested on others."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb.gates.capture import Capture
from tb.gates.core import Core, Measured, with_reset

EVENTS = {
    "mac_array.mac": "macs",
    "mac_array.weight_load": "weight_loads",
    "accumulator.write": "accumulates",
    "output_stage.requantise": "requantises",
}
"""Event of the core to what a capture counts."""
_CAUSES = {
    "cells": "mac_array.mac",
    "operand skew": "mac_array.mac",
    "sum skew": "mac_array.mac",
    "accumulate": "accumulator.write",
    "requantise": "output_stage.requantise",
}
"""Component to the event that moves it, besides weight loads in the cells."""
WINDOWS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Energies of events in pJ, glitches included; `cycle_pj`: clock and leakage of all blocks in one busy cycle.

    `fit_error`: largest relative error of one window of the half that was fitted; `test_error`: of the total of the
    other half; `total_error`: of the whole run.

    Parameters
    ----------
    energy_pj : dict of str to float
        By event of the core, the keys of `EVENTS`: pJ of one event, without clock and leakage.
    """

    energy_pj: dict[str, float]
    cycle_pj: float
    fit_error: float
    test_error: float
    total_error: float


def edges_of(cycles: int) -> list[int]:
    """`WINDOWS` + 1 cuts through a run; the first 20 cycles only settle the registers."""
    return [int(x) for x in np.linspace(20, cycles, WINDOWS + 1)]


def totals(core: Core, capture: Capture, measured: Sequence[Measured]) -> tuple[NDArray, NDArray, float]:
    """Moving energy (windows, components) in pJ with each component's glitch factor, event counts (windows, events),
    and pJ per cycle of clock and leakage."""
    edges = edges_of(capture.cycles)
    found, cycle = [], 0.0
    for m, (name, block, instances) in zip(measured, core.blocks, strict=True):
        streams = with_reset(block, capture.streams[name])
        # A stream may stand for several instances alike.
        scale = instances / next(iter(streams.values())).shape[1]
        found.append(np.array(block.by_window(streams, edges)) * scale * m.glitches.mean / 1000)
        cycle += (m.energy.clock_fj + m.energy.leakage_nw * 1e-3 / m.clock_ghz) * instances / 1000
    counts = np.array([[capture.events[e][a:b].sum() for e in EVENTS.values()] for a, b in itertools.pairwise(edges)])
    return np.stack(found, axis=1), counts, cycle


def weight_load_pj(core: Core, capture: Capture, cells: Measured) -> float:
    """Energy of one cell's weight load and its later swap: the captured weights alone, with activations at zero."""
    own = {
        port: values if port in ("i_load", "i_weight", "i_swap") else np.zeros_like(values)
        for port, values in capture.streams["cells"].items()
    }
    energy = core.cell.by_window(with_reset(core.cell, own), [20, capture.cycles])[0]
    return energy * cells.glitches.mean / 1000 / int(own["i_load"][20:].sum())


def fit(core: Core, capture: Capture, measured: Sequence[Measured]) -> Events:
    """Energies of events from every other window: weight loads by themselves, then what every component has left
    over the event that moves it."""
    energy, counts, cycle = totals(core, capture, measured)
    names = list(EVENTS)
    price = dict.fromkeys(names, 0.0)
    price["mac_array.weight_load"] = weight_load_pj(core, capture, measured[0])
    loads = counts[:, names.index("mac_array.weight_load")] * price["mac_array.weight_load"]
    for column, (component, event) in enumerate(_CAUSES.items()):
        left = energy[:, column] - (loads if component == "cells" else 0.0)
        price[event] += float(left[::2].sum() / max(1, counts[::2, names.index(event)].sum()))
    cycles = np.diff(edges_of(capture.cycles))
    truth = energy.sum(axis=1) + cycle * cycles
    guess = counts @ np.array([price[n] for n in names]) + cycle * cycles
    return Events(
        energy_pj=price,
        cycle_pj=cycle,
        fit_error=float(np.abs(guess / truth - 1)[::2].max()),
        test_error=float(guess[1::2].sum() / truth[1::2].sum() - 1),
        total_error=float(guess.sum() / truth.sum() - 1),
    )


def error_on(events: Events, core: Core, capture: Capture, measured: Sequence[Measured]) -> float:
    """Relative error of the sum of `events` on another run."""
    energy, counts, cycle = totals(core, capture, measured)
    own = cycle * (edges_of(capture.cycles)[-1] - edges_of(capture.cycles)[0])
    truth = energy.sum() + own
    return float((counts.sum(axis=0) @ np.array([events.energy_pj[n] for n in EVENTS]) + own) / truth - 1)
