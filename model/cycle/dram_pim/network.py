"""A network of fully connected layers on one PIM channel: layers one after the other."""

from collections.abc import Callable

from hw.spec.chip import Chip
from hw.spec.pim import PimSpec
from model.count import Counts
from model.cycle.dram_pim.result import PimResult
from model.prediction import Prediction
from model.work.float_digits import float_workload
from model.work.workload import Workload

LayerRun = Callable[[PimSpec, int, int, int], PimResult]
"""Cycles, causes and events of one layer (device, outputs, inputs, batch), refresh as the device needs it."""


def predict_network(spec: PimSpec, chip: Chip, workload: Workload, layer_result: LayerRun) -> Prediction:
    """`workload` on one channel of `chip`, each layer by `layer_result`."""
    task = float_workload(spec.title, workload)
    counts, phases, layers = Counts(), dict[str, int](), []
    for gemm in task.gemms():
        result = layer_result(spec, gemm.n, gemm.k, gemm.m)
        counts = counts + result.counts
        for cause, cycles in result.breakdown.items():
            phases[cause] = phases.get(cause, 0) + cycles
        layers.append(
            {
                "name": gemm.name,
                "m": gemm.m,
                "n": gemm.n,
                "k": gemm.k,
                "count": 1,
                "macs": gemm.macs,
                "cycles": result.cycles,
                "utilisation": gemm.macs / (result.cycles * spec.macs_per_cycle),
                "arrays": spec.units,
            }
        )
    return Prediction(
        cycles=sum(layer["cycles"] for layer in layers),
        macs=sum(layer["macs"] for layer in layers),
        peak=spec.macs_per_cycle,
        phases=phases,
        counts=counts,
        layers=tuple(layers),
        what=f"{len(layers)} GEMVs for {task.images} vectors each",
        where=f"one channel of {spec.label}",
        how="the stepped model",
        missing="writing the weights, reading results back, the host's part between layers",
        clock=spec.clock,
        stepped=True,
    )
