"""A network of fully connected layers on one PIM channel: cycles, results layer by layer, host work between."""

from typing import Any

import numpy as np

from hw.base.error import InputError
from hw.spec.pim import PimSpec
from model.count import Counts
from model.cycle.dram_pim.aim_kernels import gemv_requests
from model.cycle.dram_pim.result import PimResult
from model.cycle.dram_pim.run import Aim, HbmPim
from model.functional.dram_pim_numerics import aim_gemv, hbm_pim_lane_sums, sum_lanes
from model.number.codec import decode
from model.number.half import fp16_add, fp16_relu
from model.work.float_digits import FloatDigits
from model.work.workload import Workload

AIM_ORDER = "batched"


def float_workload(spec: PimSpec, workload: Workload) -> FloatDigits:
    """`workload`, if a PIM channel can run it; `InputError` otherwise."""
    if not isinstance(workload, FloatDigits):
        raise InputError(
            f"a workload of {spec.title} must have floating-point layers (digits_float), not "
            f"{workload.title!r}; for kernels of any size use `kcloud-cosim cycles`"
        )
    return workload


def peak_macs_per_cycle(spec: PimSpec) -> float:
    """Multiply-accumulates of all units of one channel per clock of the command bus: one column each tCCD_L."""
    timing = spec.dram.resolve()
    spacing = timing["read_to_read_l"] if spec.mode_changes else timing["t_ccd_l"]
    return spec.units * spec.lanes / spacing


def layer_result(spec: PimSpec, outputs: int, inputs: int, batch: int) -> PimResult:
    """Cycles, causes and events of one layer for a batch of vectors on one channel, refresh as the device needs it."""
    if spec.mode_changes:
        return HbmPim(spec, channels=1).run("gemv", outputs=outputs, inputs=inputs, batch=batch)
    return Aim(spec, channels=1).run(gemv_requests(spec, outputs, inputs, 1, AIM_ORDER, batch))


def host_after(spec: PimSpec, sums: np.ndarray, bias: np.ndarray, last: bool) -> np.ndarray:
    """What the host does with what it reads back: codes (batch, out) of the next layer's vectors.

    HBM-PIM: `sums` are lanes (batch, out, lanes), added left to right in FP16, then the bias, then ReLU but for the
    last layer. AiM: `sums` are BF16 results (batch, out) that include the bias; ReLU likewise.
    """
    if spec.mode_changes:
        sums = fp16_add(sum_lanes(sums), bias[None, :])
    return sums if last else fp16_relu(sums)  # clears by the sign bit, which BF16 has in the same place


def layer_sums(spec: PimSpec, weights: np.ndarray, bias: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """What one layer leaves in the device, by the documented rounding order."""
    if spec.mode_changes:
        return hbm_pim_lane_sums(weights, vectors)
    return aim_gemv(spec, weights, vectors, bias)


def score(spec: PimSpec, workload: Workload) -> dict[str, float]:
    """The task's score with every layer computed as the device rounds."""
    task = float_workload(spec, workload)
    vectors = task.vectors(spec.number)
    parameters = task.parameters(spec.number)
    for i, (weights, bias) in enumerate(parameters):
        vectors = host_after(spec, layer_sums(spec, weights, bias, vectors), bias, i == len(parameters) - 1)
    return task.score([decode(vectors, spec.number)])


def predict_pim(spec: PimSpec, workload: Workload) -> dict[str, Any]:
    """The fields of a `model.predict.Prediction`: layers one after the other on one channel."""
    task = float_workload(spec, workload)
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
                "utilisation": gemm.macs / (result.cycles * peak_macs_per_cycle(spec)),
                "arrays": spec.units,
            }
        )
    cycles, macs = sum(layer["cycles"] for layer in layers), sum(layer["macs"] for layer in layers)
    return {
        "cycles": cycles,
        "macs": macs,
        "utilisation": macs / (cycles * peak_macs_per_cycle(spec)),
        "phases": phases,
        "counts": counts,
        "layers": tuple(layers),
    }
