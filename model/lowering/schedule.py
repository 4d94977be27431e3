"""Which commands are queued together: the order of work that RTL and cycle model both follow."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hw.spec.core import CoreSpec
from model.lowering import lower
from model.work.workload import Gemm


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command.

    Parameters
    ----------
    gemm : int
        Number of the GEMM in the sequence that was scheduled, from 0 on.
    tile : Tile
        The part of it that is computed; its command has its addresses.
    """

    gemm: int
    tile: lower.Tile


def schedule(
    core: CoreSpec, gemms: Sequence[Gemm], *, queued: bool = False, sources: Sequence[int | None] = ()
) -> list[list[Step]]:
    """Batches of commands; between two batches the core runs empty and the host moves data.

    Parameters
    ----------
    core : CoreSpec
    gemms : sequence of Gemm
        Each counts once here, whatever its `count`.
    queued : bool
        False: every GEMM by itself, so that its cycles are those of the closed form. True: all that fits the
        memories together is queued back to back.
    sources : sequence of int or None
        For each GEMM the earlier one whose output it reads; it starts a new batch if that is in the current one.

    Raises
    ------
    InputError
        If a GEMM cannot be split to fit (`lower.split`).
    """
    batches: list[list[Step]] = []
    group: list[Step] = []

    def close() -> None:
        placed = lower.place(core, [step.tile.command for step in group])
        steps = iter(group)
        for commands in placed:
            batches.append([_at(next(steps), command) for command in commands])
        group.clear()

    for index, gemm in enumerate(gemms):
        source = sources[index] if sources else None
        if group and (not queued or any(step.gemm == source for step in group)):
            close()
        group.extend(Step(gemm=index, tile=tile) for tile in lower.split(core, gemm))
    if group:
        close()
    return batches


def _at(step: Step, command: lower.Command) -> Step:
    return replace(step, tile=replace(step.tile, command=command))
