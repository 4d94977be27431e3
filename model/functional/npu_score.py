"""The score of a workload on NPU cores by the reference arithmetic, and the events that its operands decide."""

from hw.base.error import InputError
from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from model.count import Counts
from model.functional.npu import program_counts
from model.functional.value_counts import job_counts
from model.lowering.lower import check_formats
from model.lowering.schedule import schedule
from model.reference import npu as reference
from model.work.workload import Programmed, Workload, runs_as_program


def score(chip: Chip, workload: Workload, seed: int) -> tuple[dict[str, float], Counts]:
    """Figures of the task and, on one core, the counts of `VALUE_EVENTS`; both empty if there is nothing to score:
    shapes only, or operands in formats that the core does not take."""
    core = chip.machine_as(CoreSpec, "this score")
    if not workload.work:
        return {}, Counts()
    try:
        if isinstance(workload, Programmed):
            figures = workload.score([workload.expected(core)])
            run = runs_as_program(core, workload)
            return figures, program_counts(core, workload.program(core)) if run else Counts()
        jobs = workload.jobs(seed)
        check_formats(core, jobs)
        outputs = reference.run(jobs, core)
        figures = workload.score(outputs)
        if chip.cores > 1:
            return figures, Counts()
        batches = schedule(
            core, [job.gemm for job in jobs], queued=workload.queued, sources=[job.source for job in jobs]
        )
        return figures, job_counts(core, jobs, batches, outputs)
    except InputError:
        return {}, Counts()
