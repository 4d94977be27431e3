"""Values of a workload on crossbar tiles by the integer reference, its score, and the events operands decide."""

import numpy as np

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.chip import Chip
from hw.spec.crossbar import CrossbarSpec
from model.count import Counts
from model.cycle.crossbar.counts import value_counts
from model.lowering.crossbar import output_stage, tile_inputs
from model.reference import crossbar as reference
from model.reference.npu import activations_of, requantise
from model.work.workload import GemmJob, Workload


def run(spec: CrossbarSpec, jobs: list[GemmJob]) -> list[np.ndarray]:
    """INT8 outputs (m, n) of `jobs`, each row tile converted by itself."""
    outputs: list[np.ndarray] = []
    for job in jobs:
        sums = reference.layer(spec, job.weights.T, activations_of(job, outputs))
        outputs.append(requantise(sums, output_stage(spec, job), spec.rounding_mode))
    return outputs


def check(spec: CrossbarSpec, jobs: list[GemmJob]) -> None:
    """`InputError` unless all operands are INT8 and the core takes 8 signed bits."""
    for job in jobs:
        if (job.activation_format, job.weight_format) != ("int8", "int8"):
            raise InputError(
                f"GEMMs on a crossbar must be INT8, {job.gemm.name!r} has {job.activation_format} x "
                f"{job.weight_format}; choose another workload"
            )
    if (spec.weight_bits, spec.input_bits, spec.input_limits[0]) != (8, 8, -128):
        raise InputError(
            "a crossbar that runs INT8 layers needs 8 signed bits of weights and inputs, not "
            f"{spec.weight_bits} and {spec.input_bits} ({spec.input_limits[0]} to {spec.input_limits[1]}); choose "
            "input_signed or input_offset"
        )


def events(spec: CrossbarSpec, jobs: list[GemmJob], outputs: list[np.ndarray]) -> Counts:
    """Word-line events of `jobs`, whose outputs are `outputs`."""
    found = Counts()
    for job in jobs:
        inputs = tile_inputs(spec, activations_of(job, outputs))
        found = found + value_counts(spec, inputs, ceil_div(job.gemm.n, spec.columns))
    return found


def score(chip: Chip, workload: Workload, seed: int) -> tuple[dict[str, float], Counts]:
    """Figures of the task and the counts of `VALUE_EVENTS`; both empty for shapes only or other formats."""
    spec = chip.machine_as(CrossbarSpec, "this score")
    try:
        jobs = workload.jobs(seed)
        check(spec, jobs)
        outputs = run(spec, jobs)
    except InputError:
        return {}, Counts()
    return workload.score(outputs), events(spec, jobs, outputs)
