"""Predictions of published gains of memories with processing: the kernel's time against a plain read of its weights."""

from pathlib import Path

from hw.base.file import write_atomically
from model.card.pim import PimMemory
from model.card.rules import DRAM_EFFICIENCY
from model.energy.price import Interval
from model.projection.published_pim import PREDICTED, PimRow, pim_rows
from model.work.workload import Gemm

UNKNOWN_SIZES = (1024, 4096, 8192)
"""Rows and columns between which a matrix lies whose size is not published: layers of the named networks."""


def gain(row: PimRow) -> Interval:
    """The gain over a plain read of the weights at the part of the pins' bandwidth that such reads reach.

    The low end reads at full bandwidth; where the size is not published all of `UNKNOWN_SIZES` are spanned.
    """
    memory = PimMemory(name=row.memory, packages=row.packages)
    sizes = [(row.outputs, row.inputs)] if row.outputs and row.inputs else [(s, s) for s in UNKNOWN_SIZES]
    found = []
    for outputs, inputs in sizes:
        gemm = Gemm(name="gemv", m=row.batch, n=outputs, k=inputs)
        found.append(2 * outputs * inputs / memory.bandwidth / memory.product_time(gemm))
    middle = sorted(found)[len(found) // 2]
    return Interval(low=min(found), nominal=middle / DRAM_EFFICIENCY.nominal, high=max(found) / DRAM_EFFICIENCY.minimum)


def write_pim(path: Path = PREDICTED) -> int:
    """Predict every row, write it; how many."""
    lines = ["line,low,nominal,high"]
    for line, row in enumerate(pim_rows(), start=2):
        g = gain(row)
        lines.append(f"{line},{g.low:.6g},{g.nominal:.6g},{g.high:.6g}")
    write_atomically(path, "\n".join(lines) + "\n")
    return len(lines) - 1
