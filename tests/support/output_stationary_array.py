"""One GEMM on the output-stationary array, stepped by events: a fold begins when every register it will use is free.

The closed form is `tests.support.array_form.output_stationary`; this module knows nothing of it. Cell (r, c)
takes word
k of a fold that begins in cycle t at t + 1 + k + r + c (one cycle for the operand memory) and writes its drain
register at the end of the cycle of its last word. Through the columns, row R-1 of column c is shown in the cycle after
its write, and every following cycle all rows above move down by one; row r has passed on its own result in the
r-th of these steps and may be written again at the end of that cycle. With a link per cell the result is shown in
the cycle after the write and the register is free at once.
"""

import itertools
from dataclasses import dataclass

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.mac_array import MacArraySpec
from model.cycle.budget import Budget
from model.work.workload import Gemm


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """One fold: cycle of its first operand read, of its first shown result and of its last one."""

    begin: int
    first_result: int
    last_result: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """All folds in order, the cycles up to the last result, by label."""

    folds: tuple[Fold, ...]
    budget: Budget

    @property
    def cycles(self) -> int:
        """From the cycle after `start` to the one that shows the last result."""
        return self.budget.cycles


def step(array: MacArraySpec, gemm: Gemm) -> Run:
    """Every fold of `gemm`, one after the other.

    Raises
    ------
    InputError
        If the array is not output-stationary.
    """
    if array.dataflow != "os":
        raise InputError(f"this model is output-stationary, dataflow must be 'os', not {array.dataflow!r}")
    rows, columns = array.rows, array.columns
    count = ceil_div(gemm.m, rows) * ceil_div(gemm.n, columns) * gemm.count
    folds: list[Fold] = []
    free = [0] * rows  # per row: first cycle at whose end its drain register (column 0) may be written
    begin = 0
    for _ in range(count):
        if folds:
            begin = folds[-1].begin + gemm.k
            if not array.fold_overlap:
                begin = folds[-1].last_result + 1
            begin = max(begin, *(free[r] - (gemm.k + r) for r in range(rows)))
        written = [begin + gemm.k + r for r in range(rows)]  # column 0; column c is c cycles later
        if array.drain == "columns":
            shown = written[-1] + 1
            free = [shown + r for r in range(rows)]
            first, last = shown + columns - 1, shown + rows - 1 + columns - 1
        else:
            free = written
            first, last = written[0] + 1, written[-1] + 1 + columns - 1
        folds.append(Fold(begin=begin, first_result=first, last_result=last))
    return Run(folds=tuple(folds), budget=_label(array, gemm, folds))


def _label(array: MacArraySpec, gemm: Gemm, folds: list[Fold]) -> Budget:
    """Cycles by label: a gap between folds is a bubble, or, without overlap, the skew and drain of the one before."""
    stream = len(folds) * gemm.k
    shift = array.rows if array.drain == "columns" else 1
    gaps = sum(after.begin - before.begin - gemm.k for before, after in itertools.pairwise(folds))
    tail = folds[-1].last_result + 1 - folds[-1].begin - gemm.k
    if array.fold_overlap:
        return Budget(stream=stream, bubble=gaps, drain=shift, fill=tail - shift)
    return Budget(stream=stream, drain=shift * len(folds), fill=gaps + tail - shift * len(folds))
