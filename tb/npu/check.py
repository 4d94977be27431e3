"""What a core on RTL can run."""

from hw import chips
from hw.base.error import InputError
from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from model.lowering.lower import check_formats
from model.lowering.schedule import schedule
from model.work.workload import Workload


def check(chip: Chip, workload: Workload, seed: int) -> None:
    """Raise `InputError` unless `chip` is one core, `workload` has operands in its formats, and they fit it."""
    core = chips.machine(chip, CoreSpec, "RTL")
    if chip.cores > 1:
        single = ", ".join(name for name in chips.with_machine(CoreSpec) if chips.load(name).cores == 1)
        raise InputError(
            f"a workload on RTL must have a chip of one core, {chip.title!r} shares each layer among {chip.cores}; "
            f"choose one of {single}, or use `kcloud-cosim predict`"
        )
    jobs = workload.jobs(seed)
    check_formats(core, jobs)
    schedule(core, [job.gemm for job in jobs])
