"""STONNE (22634b8b), output-stationary mesh: tiles one after the other, each of its own size.

Ref: OSMeshSDMemory.cpp, MultiplierOS.cpp. A tile waits until its last result has been written: one configuration
cycle, K operand pairs, r - 1 + c - 1 hops to the far corner, and four register stages (memory to mesh, mesh to
accumulation buffer, buffer to bus, bus to memory): K + r + c + 3 with r x c the cells really used.
"""

from hw.base.integer import ceil_div
from model.other_simulators import Dataflow, Estimate, Simulator, Term
from model.work.workload import Gemm


def rule(gemm: Gemm, rows: int, columns: int, dataflow: Dataflow) -> Estimate:
    """Sum over tiles of (K + r + c + 3)."""
    row_tiles, column_tiles = ceil_div(gemm.m, rows), ceil_div(gemm.n, columns)
    tiles = row_tiles * column_tiles
    hops = column_tiles * gemm.m + row_tiles * gemm.n - 2 * tiles
    return Estimate(
        terms=(
            Term(name="stream", label="stream", cycles=tiles * gemm.k),
            Term(name="skew over the cells used, in every tile", label="fill", cycles=hops),
            Term(name="configuration and register stages, 5 in every tile", label="bubble", cycles=5 * tiles),
        )
    )


SIMULATOR = Simulator(
    title="STONNE", dataflows=("os",), rule=rule, note="counted by moving values; output-stationary mesh only"
)
