"""One GEMM over all arrays of a chip, without traffic between arrays.

A layer is cut along its products (`count`), its rows (M) and its columns (N); K stays in one array, so no
partial sums travel. Every array gets an equal share, the last of each axis what is left; the layer takes as
long as the array with the full share. Products and columns are cut into 1, 2, 3, ... parts as far as the number
of arrays divided by a whole number goes, rows over the arrays that are left; all these cuts are compared by the
closed form and the fastest is taken; on a tie the one that cuts columns most, because it copies the fewest weights.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.core import CoreSpec
from model.count import Counts
from model.cycle.npu.command_queue import last_decoded
from model.cycle.npu.core import Timing, closed_form
from model.cycle.npu.timing import event_counts
from model.work.workload import Gemm


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How a layer is cut; the product of the three is at most the arrays there are.

    Parameters
    ----------
    products : int
        Parts into which its `count` equal products are divided.
    rows, columns : int
        Parts into which M and N of each product are cut.
    """

    products: int
    rows: int
    columns: int

    @property
    def arrays(self) -> int:
        """Arrays that have work."""
        return self.products * self.rows * self.columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """`timing` is that of the array with the full share; `counts` are those of all arrays.

    Parameters
    ----------
    share : Share
        The cut that was chosen.
    """

    share: Share
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
def _fastest(core: CoreSpec, arrays: int, m: int, n: int, k: int, count: int) -> tuple[Share, Timing]:
    """The fastest cut by shape alone: networks repeat their layers."""
    gemm = Gemm(name="", m=m, n=n, k=k, count=count)
    best: tuple[tuple[int, int, int], Share, Timing] | None = None
    for share in _shares(core, arrays, gemm):
        timing = repeated(core, _full(core, gemm, share), ceil_div(count, share.products))
        order = (timing.cycles, -share.columns, share.arrays)
        if best is None or order < best[0]:
            best = order, share, timing
    assert best is not None  # one array is always a choice
    return best[1:]


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


def _shares(core: CoreSpec, arrays: int, gemm: Gemm) -> list[Share]:
    """The cuts worth comparing; rows take all arrays that the other two leave."""
    parts = sorted({arrays // d for d in range(1, arrays + 1)})
    blocks = ceil_div(gemm.n, core.array.columns)
    return [
        Share(products=p, rows=min(gemm.m, arrays // (p * c)), columns=c)
        for p, c in product([d for d in parts if d <= gemm.count], [d for d in parts if d <= blocks])
        if p * c <= arrays
    ]


def _full(core: CoreSpec, gemm: Gemm, share: Share) -> tuple[int, int, int]:
    """(m, n, k) of the fullest array's products: whole blocks of columns, rows rounded up."""
    columns = core.array.columns
    blocks = ceil_div(ceil_div(gemm.n, columns), share.columns)
    return ceil_div(gemm.m, share.rows), min(gemm.n, blocks * columns), gemm.k


def _counts(core: CoreSpec, gemm: Gemm, share: Share) -> Counts:
    """Events of all arrays: full shares, and what is left for the last one of each axis."""
    m, n, _ = _full(core, gemm, share)
    total = Counts()
    for (rows, times_m), (columns, times_n) in product(_pieces(gemm.m, m), _pieces(gemm.n, n)):
        total = total + event_counts(core, [(rows, columns, gemm.k)]) * (times_m * times_n * gemm.count)
    return total


def _pieces(size: int, piece: int) -> list[tuple[int, int]]:
    """`size` in pieces of `piece`: (length, how many), the rest last."""
    whole, rest = divmod(size, piece)
    return [(piece, whole)] + ([(rest, 1)] if rest else [])
