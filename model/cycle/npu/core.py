"""Cycles of GEMMs on a core: closed form, and stepped by events. Output-stationary:
`model.cycle.npu.output_stationary_core`.

With R rows, C columns, MAC latency L, G = R + (R-1)(L-1), and the P passes of all commands in order, pass p
streaming m_p rows (m_p <= half the accumulator rows), a chain of commands offered one per cycle takes

    T = 3 + R + sum over p < P-1 of max(m_p, G) + m_(P-1) + (L*R + C) + 6

cycles when no port is blocked: 3 cycles `prepare`, R + the gaps behind all passes but the last `wait_weight`, sum m_p
`stream`,L*R + C + 6 `drain`. G is the distance two weight tiles must keep: two weight registers per cell, a load of R
cycles that may begin (R-1)(L-1) cycles after the swap of the tile before. The array part is the closed form
of a two-register weight-stationary array with thermometer load; 3 and 6 are this core's pipeline around it.
"""

import itertools
from collections.abc import Mapping, Sequence

from hw.base.error import InputError
from hw.spec.core import CoreSpec
from hw.spec.npu_event import LABELS
from model.cycle.npu import output_stationary_core, output_stationary_interleave
from model.cycle.npu.command_queue import last_decoded
from model.cycle.npu.stepper import PORTS, Stepper
from model.cycle.npu.timing import OUTPUT_CYCLES, PREPARE_CYCLES, Shape, Timing, cut, event_counts, utilisation

__all__ = ["Shape", "Timing", "closed_form", "step"]


def closed_form(core: CoreSpec, jobs: Sequence[Shape]) -> Timing:
    """Cycles of `jobs` queued together, no port blocked; see the module for the formula.

    Raises
    ------
    InputError
        If there is no job, a size is not positive, or K overflows the accumulator.
    """
    _check(jobs)
    if core.array.dataflow == "os":
        form = output_stationary_interleave if core.array.interleaved_folds > 1 else output_stationary_core
        return form.closed_form(core, jobs)
    array = core.array
    stream = short = last = 0
    for shape in jobs:
        blocks = cut(core, shape)
        stream += shape[0] * blocks.passes
        short += blocks.full_blocks * blocks.passes * array.pass_gap(blocks.full_rows)
        if blocks.rest_rows:
            short += blocks.passes * array.pass_gap(blocks.rest_rows)
        last = blocks.rest_rows or blocks.full_rows
    budget = dict.fromkeys(LABELS, 0) | {
        "stream": stream,
        # the first tile's load; nothing waits behind the last pass
        "wait_weight": array.rows + short - array.pass_gap(last),
        "drain": array.rows * array.mac_latency + array.columns + OUTPUT_CYCLES,
        "prepare": PREPARE_CYCLES,
    }
    cycles = sum(budget.values())
    counts = event_counts(core, jobs) + {"command.queue_empty": cycles - last_decoded(core, [(job, 1) for job in jobs])}
    return Timing(cycles=cycles, budget=budget, counts=counts, utilisation=utilisation(core, jobs, cycles))


def step(
    core: CoreSpec,
    jobs: Sequence[Shape | None],
    stalls: Mapping[str, Sequence[bool]] | None = None,
    offered: Sequence[int] | None = None,
) -> Timing:
    """Cycles of `jobs`, stepped by events: per pass when no port is blocked, else per row.

    Parameters
    ----------
    core : CoreSpec
    jobs : sequence of (m, n, k)
        None for a command that is refused.
    stalls : mapping or None
        "activation_blocked", "weight_blocked" (a host write holds the memory's port in that cycle),
        "output_blocked" (finished rows are refused) -> one truth value per cycle; cycle 0 is the one in which
        the first command is accepted; after the end of a sequence the port is free.
    offered : sequence of int or None
        Cycle from which on each command is offered; None offers all from cycle 0 on. One is accepted per
        cycle while the queue has room.

    Raises
    ------
    InputError
        As `closed_form`; also for an unknown name in `stalls` or `offered` of another length or descending.
    """
    _check(jobs)
    for name in stalls or ():
        if name not in PORTS:
            raise InputError(f"a stall pattern must be one of {', '.join(PORTS)}, not {name!r}")
    if offered is None:
        offered = [0] * len(jobs)
    if len(offered) != len(jobs) or any(a > b for a, b in itertools.pairwise(offered)):
        raise InputError(f"offered must hold {len(jobs)} cycles, none before the one it follows, not {offered!r}")
    stepper = _stepper(core)
    return stepper(core, stalls or {}).run(jobs, [cycle - offered[0] for cycle in offered])


def _check(jobs: Sequence[Shape | None]) -> None:
    if not jobs:
        raise InputError("at least one GEMM must be given, there is none")


def _stepper(core: CoreSpec) -> type[Stepper]:
    if core.array.dataflow != "os":
        return Stepper
    if core.array.interleaved_folds > 1:
        return output_stationary_interleave.InterleavingStepper
    return output_stationary_core.OutputStationaryStepper
