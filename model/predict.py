"""What the cycle model says about a workload on a chip: cycles, counts and one entry per layer."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from hw.spec.error import InputError
from model.count import Counts
from model.cycle.mac_array import closed_form
from model.lower import place, split
from model.partition import partition
from model.workload import Gemm, Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Sums over all layers, which run one after the other; see `predict`.

    Parameters
    ----------
    cycles : int
    macs : int
        Useful multiply-accumulates.
    utilisation : float
        `macs` per cell of all arrays and cycle.
    phases : mapping of str to int
        Label -> cycles of the fullest array; sums to `cycles`.
    counts : Counts
        Events of all arrays.
    layers : tuple of mappings
        {"name", "m", "n", "k", "count", "macs", "cycles", "utilisation", "arrays"} each.
    """

    cycles: int
    macs: int
    utilisation: float
    phases: Mapping[str, int]
    counts: Counts
    layers: tuple[Mapping[str, Any], ...]


def predict(chip: Chip, workload: Workload) -> Prediction:
    """Cycles of `workload` on `chip` by the closed form, operands in the scratchpads whenever they are read.

    A chip with one core runs each GEMM as the commands that fit its memories, the core running empty in
    between, exactly as its RTL does. A chip with several arrays runs each layer on all of them (see
    `model.partition`) and starts the next when the last array has ended; what a scratchpad holds is not a
    limit there, refilling it is taken to be hidden.

    Raises
    ------
    InputError
        If the chip has no core, or a GEMM cannot be cut to fit.
    """
    core = chip.core
    if core is None:
        raise InputError(
            f"a chip must have a core for its cycles to be predicted; {chip.title!r} has only published peaks"
        )
    counts, phases, layers = Counts(), dict[str, int](), []
    for gemm in workload.gemms():
        cycles, arrays, budget, events = _alone(core, gemm) if chip.cores == 1 else _shared(core, chip.cores, gemm)
        counts = counts + events
        for label, value in budget.items():
            phases[label] = phases.get(label, 0) + value
        layers.append({
            "name": gemm.name, "m": gemm.m, "n": gemm.n, "k": gemm.k, "count": gemm.count, "macs": gemm.macs,
            "cycles": cycles, "utilisation": gemm.macs / (cycles * chip.macs_per_cycle), "arrays": arrays,
        })
    cycles, macs = sum(layer["cycles"] for layer in layers), sum(layer["macs"] for layer in layers)
    return Prediction(
        cycles=cycles, macs=macs, utilisation=macs / (cycles * chip.macs_per_cycle), phases=phases, counts=counts,
        layers=tuple(layers),
    )


_Part = tuple[int, int, Mapping[str, int], Counts]
"""Cycles, arrays used, cycles by label, events."""


def _alone(core: CoreSpec, gemm: Gemm) -> _Part:
    """One core: the commands of one product, batch by batch, `count` times."""
    cycles, counts, budget = _commands(core, gemm.m, gemm.n, gemm.k)
    return cycles * gemm.count, 1, {k: v * gemm.count for k, v in budget.items()}, counts * gemm.count


@lru_cache(maxsize=4096)
def _commands(core: CoreSpec, m: int, n: int, k: int) -> tuple[int, Counts, dict[str, int]]:
    """Cycles, events and cycles by label of one product; networks repeat their shapes."""
    cycles, counts, budget = 0, Counts(), dict[str, int]()
    for batch in place(core, [tile.command for tile in split(core, Gemm(name="", m=m, n=n, k=k))]):
        shapes = [(c.m, c.n_blocks * core.array.columns, c.k_blocks * core.array.rows) for c in batch]
        timing = closed_form(core, shapes)
        cycles += timing.cycles
        counts = counts + timing.counts
        for label, value in timing.budget.items():
            budget[label] = budget.get(label, 0) + value
    return cycles, counts, budget


def _shared(core: CoreSpec, arrays: int, gemm: Gemm) -> _Part:
    """Several arrays: the fastest cut."""
    cut = partition(core, arrays, gemm)
    return cut.timing.cycles, cut.share.arrays, cut.timing.budget, cut.counts
