"""One GEMM over all arrays of a chip, without traffic between arrays.

All cuts of `model.cycle.npu.cut` are compared by the closed form and the fastest is taken; on a tie the one that cuts
columns most, because it copies the fewest weights.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from hw.base.error import InputError
from hw.spec.core import CoreSpec
from model.count import Counts
from model.cycle.npu.command_queue import last_decoded
from model.cycle.npu.core import Timing, closed_form
from model.cycle.npu.cut import Cut, best_cut, cuts
from model.cycle.npu.timing import event_counts
from model.work.workload import Gemm


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """`timing` is that of the array with the full share; `counts` are those of all arrays.

    Parameters
    ----------
    share : Cut
        The cut that was chosen.
    """

    share: Cut
    timing: Timing
    counts: Counts


def partition(core: CoreSpec, arrays: int, gemm: Gemm) -> Partition:
    """The fastest cut of `gemm` over `arrays` arrays of `core`, operands always in the array's memories.

    Raises
    ------
    InputError
        If `arrays` is not positive or the closed form refuses the shape.
    """
    if arrays < 1:
        raise InputError(f"arrays must be at least 1, not {arrays}")
    share, timing = _fastest(core, arrays, gemm.m, gemm.n, gemm.k, gemm.count)
    return Partition(share=share, timing=timing, counts=_counts(core, gemm, share))


@lru_cache(maxsize=4096)
def _fastest(core: CoreSpec, arrays: int, m: int, n: int, k: int, count: int) -> tuple[Cut, Timing]:
    """The fastest cut by shape alone: networks repeat their layers."""
    return best_cut(
        cuts(arrays, core.array.columns, m, n, count),
        lambda cut: repeated(core, (cut.m, cut.n, k), cut.times),
        lambda cut, timing: (timing.cycles, -cut.columns, cut.arrays),
    )


def repeated(core: CoreSpec, shape: tuple[int, int, int], times: int) -> Timing:
    """`closed_form` of `times` equal products in a chain: each after the first adds the same."""
    if core.array.interleaved_folds > 1:
        return closed_form(core, [shape] * times)
    one = closed_form(core, [shape])
    if times == 1:
        return one
    two = closed_form(core, [shape, shape])
    budget = {label: value + (times - 1) * (two.budget[label] - value) for label, value in one.budget.items()}
    cycles = sum(budget.values())
    decoded = last_decoded(core, [(shape, times)])
    counts = event_counts(core, [shape]) * times + {"command.queue_empty": cycles - decoded}
    m, n, k = shape
    return Timing(
        cycles=cycles,
        budget=budget,
        counts=counts,
        utilisation=m * n * k * times / (core.array.cells * cycles),
    )


def _counts(core: CoreSpec, gemm: Gemm, share: Cut) -> Counts:
    """Events of all arrays: full shares, and what is left for the last one of each axis."""
    total = Counts()
    for (rows, times_m), (columns, times_n) in product(_pieces(gemm.m, share.m), _pieces(gemm.n, share.n)):
        total = total + event_counts(core, [(rows, columns, gemm.k)]) * (times_m * times_n * gemm.count)
    return total


def _pieces(size: int, piece: int) -> list[tuple[int, int]]:
    """`size` in pieces of `piece`: (length, how many), the rest last."""
    whole, rest = divmod(size, piece)
    return [(piece, whole)] + ([(rest, 1)] if rest else [])
