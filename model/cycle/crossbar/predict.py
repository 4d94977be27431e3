"""Cycles of a workload on a crossbar core, in closed form."""

from typing import Any

from hw.spec.chip import Chip
from hw.spec.crossbar import CrossbarSpec
from model.count import Counts
from model.cycle.crossbar.closed_form import layer_form
from model.lowering.crossbar import place
from model.prediction import Prediction
from model.work.workload import Workload


def predict(chip: Chip, workload: Workload) -> Prediction:
    """Layers one after the other, each on tiles of its own, batch by batch as the buffer holds them.

    Raises
    ------
    InputError
        If the chip is no crossbar, or the weights do not fit its tiles.
    """
    spec = chip.machine_as(CrossbarSpec, "this prediction")
    counts, phases, layers = Counts(), dict[str, int](), list[dict[str, Any]]()
    for layer in place(spec, workload.gemms()):
        cycles, gemm = 0, layer.gemm
        for command in layer.commands:
            timing = layer_form(spec, command)
            cycles, counts = cycles + timing.cycles, counts + timing.counts
            for label, number in timing.budget.items():
                phases[label] = phases.get(label, 0) + number
        macs = gemm.m * gemm.n * gemm.k
        layers.append(
            {
                "name": gemm.name,
                "m": gemm.m,
                "n": gemm.n,
                "k": gemm.k,
                "count": 1,
                "macs": macs,
                "cycles": cycles,
                "utilisation": macs / (cycles * spec.macs_per_cycle),
                "arrays": layer.commands[0].row_tiles * layer.commands[0].column_tiles,
            }
        )
    return Prediction(
        cycles=sum(layer["cycles"] for layer in layers),
        macs=sum(layer["macs"] for layer in layers),
        peak=spec.macs_per_cycle,
        phases=phases,
        counts=counts,
        layers=tuple(layers),
        what="1 GEMM" if len(layers) == 1 else f"{len(layers):,} GEMMs",
        where=spec.label,
        how="the closed form, one GEMM after the other, weights resident",
        missing="writing the weights, host link and host work between layers: an upper bound of the chip's rate",
        clock=chip.clock,
    )
