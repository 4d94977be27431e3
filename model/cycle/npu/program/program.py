"""Cycles of a program of GEMMs, copies and fences on a core with copy channels: stepped, by the core's dataflow."""

from collections.abc import Mapping, Sequence

from hw.base.error import InputError
from hw.spec.core import CoreSpec
from hw.spec.dma import HOLDS
from model.cycle.npu.program.output_stationary_program import OutputStationaryRun
from model.cycle.npu.program.state import Program as Program
from model.cycle.npu.program.weight_stationary_program import WeightStationaryRun
from model.cycle.npu.timing import Timing


def step_program(core: CoreSpec, program: Program, holds: Mapping[str, Sequence[bool]] | None = None) -> Timing:
    """Cycles of `program`, one command offered per cycle from cycle 0 on.

    Parameters
    ----------
    core : CoreSpec
        With `dma`.
    program : sequence of Command, Copy, Fence, Geometry, Descriptor
        What the core does not understand is refused.
    holds : mapping or None
        Name of `HOLDS` -> one truth value per cycle: the channel moves nothing, or finished rows are refused.

    Raises
    ------
    InputError
        If the core has no copy channels, the program is empty or a pattern has an unknown name.
    """
    if not program:
        raise InputError("a program must have at least one command, it is empty")
    for name in holds or ():
        if name not in HOLDS:
            raise InputError(f"a pattern must be one of {', '.join(HOLDS)}, not {name!r}")
    run = OutputStationaryRun if core.array.dataflow == "os" else WeightStationaryRun
    return run(core, program, holds or {}).run()
