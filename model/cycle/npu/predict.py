"""Cycles of a workload on a chip of NPU cores: cycles, counts and one entry per layer."""

from collections.abc import Mapping
from functools import lru_cache

from hw.base.error import InputError
from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from model.count import Counts
from model.cycle.npu.core import closed_form
from model.cycle.npu.partition import partition
from model.cycle.npu.program.program import step_program
from model.cycle.npu.timing import event_counts
from model.lowering.lower import MOST_COMMANDS, commands_of
from model.lowering.schedule import Step, schedule
from model.prediction import Prediction
from model.work.workload import Gemm, Programmed, Workload, runs_as_program


def predict(chip: Chip, workload: Workload) -> Prediction:
    """Cycles of `workload` on `chip` by the closed form, operands in the scratchpads whenever they are read.

    A workload that is a program runs as one on a core with copy channels and convolution, stepped.

    A chip with one core runs each GEMM as the commands that fit its memories, one GEMM after the other or
    queued back to back (`Workload.queued`), exactly as its RTL does. A chip with several arrays runs each
    layer on all of them (see `model.cycle.npu.partition`) and starts the next when the last array has ended; what a
    scratchpad holds is not a limit there, refilling it is taken to be hidden.

    Raises
    ------
    InputError
        If the chip has no core, or a GEMM cannot be cut to fit.
    """
    core = chip.machine_as(CoreSpec, "this prediction")
    gemms = workload.gemms()
    array = core.array
    several = chip.cores > 1
    where = f"{chip.cores} arrays of {array.rows} x {array.columns}" if several else f"one array of {array.rows} x "
    where += "" if several else f"{array.columns}"
    if isinstance(workload, Programmed) and runs_as_program(core, workload):
        timing = step_program(core, workload.program(core).program)
        return Prediction(
            cycles=timing.cycles,
            macs=sum(gemm.macs for gemm in gemms),
            peak=chip.macs_per_cycle,
            phases=timing.budget,
            counts=timing.counts,
            layers=(),
            what=f"{len(gemms)} layers as one program",
            where=where,
            how="the stepped model, copies included",
            missing="host link and host work: an upper bound of the chip's rate",
            clock=chip.clock,
            stepped=True,
        )
    counts, phases, layers = Counts(), dict[str, int](), []
    refilled = [] if several else [gemm.name for gemm in gemms if needs_refills(core, gemm)]
    if several:
        parts = [_shared(core, chip.cores, gemm) for gemm in gemms]
    elif workload.queued:
        parts = _queued(core, gemms)
    else:
        parts = [_alone(core, gemm) for gemm in gemms]
    for gemm, (cycles, arrays, budget, events) in zip(gemms, parts, strict=True):
        counts = counts + events
        for label, value in budget.items():
            phases[label] = phases.get(label, 0) + value
        layers.append(
            {
                "name": gemm.name,
                "m": gemm.m,
                "n": gemm.n,
                "k": gemm.k,
                "count": gemm.count,
                "macs": gemm.macs,
                "cycles": cycles,
                "utilisation": gemm.macs / (cycles * chip.macs_per_cycle),
                "arrays": arrays,
            }
        )
    order = "queued back to back" if not several and workload.queued else "one GEMM after the other"
    return Prediction(
        cycles=sum(layer["cycles"] for layer in layers),
        macs=sum(layer["macs"] for layer in layers),
        peak=chip.macs_per_cycle,
        phases=phases,
        counts=counts,
        layers=tuple(layers),
        what="1 GEMM" if len(gemms) == 1 else f"{len(gemms):,} GEMMs",
        where=where,
        how=f"the closed form, {order}",
        missing=(
            "external memory, refilling the scratchpads, host link and host work, vector operators between GEMMs: "
            "an upper bound of the chip's rate"
        ),
        clock=chip.clock,
        notes=(_refilled(refilled),) if refilled else (),
    )


def _refilled(names: list[str]) -> str:
    """What is said of layers that are larger than the scratchpads."""
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return (
        f"K split, parts refilled without waiting: {', '.join(names[:8])}{more} ({len(names)} of the layers are larger "
        "than the scratchpads; the RTL refuses them)"
    )


_Part = tuple[int, int, Mapping[str, int], Counts]
"""Cycles, arrays used, cycles by label, events."""


def _alone(core: CoreSpec, gemm: Gemm) -> _Part:
    """One core: the commands of one product, batch by batch, `count` times.

    A product whose K the scratchpads cannot hold is counted whole, its parts refilled without waiting.
    """
    if needs_refills(core, gemm):
        timing = closed_form(core, [(gemm.m, gemm.n, gemm.k)])
        cycles, counts, budget = timing.cycles, timing.counts, dict(timing.budget)
    else:
        cycles, counts, budget = _commands(core, gemm.m, gemm.n, gemm.k)
    return cycles * gemm.count, 1, {k: v * gemm.count for k, v in budget.items()}, counts * gemm.count


def needs_refills(core: CoreSpec, gemm: Gemm) -> bool:
    """Whether `gemm` is larger than one column block of weights and one row of activations that the memories hold, or
    more commands than are worth listing; `InputError` naming it if its sums could leave the accumulator."""
    if gemm.k > core.largest_k:
        raise InputError(
            f"k of layer {gemm.name!r} must be at most {core.largest_k_rule}, not {gemm.k}; split the layer over k"
        )
    try:
        return commands_of(core, gemm) > MOST_COMMANDS
    except InputError:
        return True


@lru_cache(maxsize=4096)
def _commands(core: CoreSpec, m: int, n: int, k: int) -> tuple[int, Counts, dict[str, int]]:
    """Cycles, events and cycles by label of one product; networks repeat their shapes."""
    cycles, counts, budget = 0, Counts(), dict[str, int]()
    for batch in schedule(core, [Gemm(name="", m=m, n=n, k=k)]):
        timing = closed_form(core, [shape_of(core, step) for step in batch])
        cycles += timing.cycles
        counts = counts + timing.counts
        budget = _sum(budget, timing.budget)
    return cycles, counts, budget


def _queued(core: CoreSpec, gemms: list[Gemm]) -> list[_Part]:
    """One core, GEMMs back to back: each takes what it adds to the chain of those before it in its batch."""
    runs = [index for index, gemm in enumerate(gemms) for _ in range(gemm.count)]
    parts: list[_Part] = [(0, 1, {}, Counts())] * len(gemms)
    for batch in schedule(core, [gemms[index] for index in runs], queued=True):
        cycles, budget, shapes = 0, dict[str, int](), []
        for step in batch:
            shapes.append(shape_of(core, step))
            chain = closed_form(core, shapes)
            index = runs[step.gemm]
            before, arrays, labels, events = parts[index]
            parts[index] = (
                before + chain.cycles - cycles,
                arrays,
                _sum(labels, {label: value - budget.get(label, 0) for label, value in chain.budget.items()}),
                events + event_counts(core, shapes[-1:]),
            )
            cycles, budget = chain.cycles, chain.budget
        # what the queue did is a matter of the whole batch: it goes to the last GEMM
        index = runs[batch[-1].gemm]
        cycles, arrays, labels, events = parts[index]
        empty = closed_form(core, shapes).counts["command.queue_empty"]
        parts[index] = cycles, arrays, labels, events + {"command.queue_empty": empty}
    return parts


def shape_of(core: CoreSpec, step: Step) -> tuple[int, int, int]:
    """(m, n, k) that a command makes the array run, whole blocks of columns and terms."""
    command = step.tile.command
    return command.m, command.n_blocks * core.array.columns, command.k_blocks * core.array.k_per_block


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {label: one.get(label, 0) + other.get(label, 0) for label in {**one, **other}}


def _shared(core: CoreSpec, arrays: int, gemm: Gemm) -> _Part:
    """Several arrays: the fastest cut."""
    cut = partition(core, arrays, gemm)
    return cut.timing.cycles, cut.share.arrays, cut.timing.budget, cut.counts
