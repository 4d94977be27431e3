"""Events that operands decide: saturations, NaN and infinities, as the RTL counts them."""

from collections.abc import Iterable, Sequence

import numpy as np

from hw.base.integer import ceil_div
from hw.spec.core import CoreSpec
from hw.spec.number import number_format
from model.count import Counts
from model.lowering import lower
from model.lowering.schedule import Step
from model.number.codec import decode, encode
from model.number.fused import matmul
from model.reference import npu as reference
from model.work.workload import GemmJob, OutputStage


def value_counts(core: CoreSpec, activations: np.ndarray, weights: np.ndarray, output: OutputStage) -> Counts:
    """`hw.spec.npu_event.VALUE_EVENTS` of one GEMM that is one command of `core`.

    Activations (m, k) are issued once per block of columns, weights (k, n) loaded once per block of rows. Outputs
    include the lanes that pad the last block of columns, whose weights are zero: NaN and infinite activations make
    NaN there.
    """
    array = core.array
    (m, _), n = activations.shape, weights.shape[1]
    if not array.is_floating_point:
        sums = reference.gemm_sums(activations, weights)
        moved = reference.scaled(sums, output, core.rounding_mode)
        return _counts(saturate=int(((moved < -128) | (moved > 127)).sum()))
    n_blocks, row_blocks = ceil_div(n, array.columns), ceil_div(m, core.block_rows)
    a, w = decode(activations, array.activation_format), decode(weights, array.weight_format)
    padded = np.pad(weights, ((0, 0), (0, n_blocks * array.columns - n)))
    sums = matmul(
        activations, padded, array.activation_format, array.weight_format, rows=reference.chain(core, weights.shape[0])
    )
    values = sums.view(np.float32)
    nan_out, saturated = int(np.isnan(values).sum()), 0
    if core.output_format != "fp32":
        codes = encode(values, core.output_format)  # without saturation: infinity, or the NaN of E4M3
        beyond = ~np.isfinite(decode(codes, core.output_format)) & np.isfinite(values)
        saturated = int(beyond.sum()) + core.saturate * int(np.isinf(values).sum())
        if not number_format(core.output_format).has_infinity and not core.saturate:
            nan_out += int((beyond | np.isinf(values)).sum())
    return _counts(
        nan_in=n_blocks * int(np.isnan(a).sum()) + row_blocks * int(np.isnan(w).sum()),
        infinity_in=n_blocks * int(np.isinf(a).sum()) + row_blocks * int(np.isinf(w).sum()),
        saturate=saturated,
        nan_out=nan_out,
    )


def job_counts(
    core: CoreSpec, jobs: Sequence[GemmJob], batches: Iterable[Sequence[Step]], outputs: Sequence[np.ndarray]
) -> Counts:
    """`value_counts` of all commands of `batches` (`model.lowering.schedule`) together; `outputs` of the reference,
    per job."""
    total = Counts()
    for step in (step for batch in batches for step in batch):
        job, tile = jobs[step.gemm], step.tile
        total = total + value_counts(
            core,
            reference.activations_of(job, list(outputs))[tile.m0 : tile.m1],
            job.weights[:, tile.n0 : tile.n1],
            lower.part(job.output, tile.n0, tile.n1),
        )
    return total


def _counts(nan_in: int = 0, infinity_in: int = 0, saturate: int = 0, nan_out: int = 0) -> Counts:
    return Counts(
        {
            "mac_array.nan_in": nan_in,
            "mac_array.infinity_in": infinity_in,
            "output_stage.saturate": saturate,
            "output_stage.nan_out": nan_out,
        }
    )
