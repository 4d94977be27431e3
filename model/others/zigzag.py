"""ZigZag 3.9.1, latency-optimal mapping: temporal loops plus stalls of the single-buffered register in each cell.

ws: a fold's R x C weights arrive one array row per cycle, the first of them with the last step of the fold
before: R - 1 cycles between folds. os: finished R x C 32-bit results leave through the SRAM port of 128 bits per
column, R / 4 cycles for the last fold. Memory to SRAM to register and back: one cycle each, 4 in all.
"""

from model.others import Dataflow, Estimate, Simulator, Term, ceil_div, folds
from model.workload import Gemm

RESULT_BITS = 32
PORT_BITS_PER_COLUMN = 128
SINGLE_ITEM_CYCLES = 20
"""Cycles exposed at the end when a fold streams one item (10 to 20 seen, as the mapper cuts the weights)."""
SRAM_TILE_K = 512
"""Terms beyond which the mapper cuts K in the SRAM, which adds one transfer in and one out."""


def rule(gemm: Gemm, rows: int, columns: int, dataflow: Dataflow) -> Estimate:
    """ws: folds x (T + R - 1) + 4, one fold T + 4; os: folds x T + R / 4 + 3, one fold T + 4."""
    count, items = folds(gemm, rows, columns, dataflow)
    stream = Term(name="stream", label="stream", cycles=count * items)
    transfers = Term(name="first transfer in, last transfer out", label="stall", cycles=4)
    if count == 1:
        return Estimate(terms=(stream, transfers))
    if dataflow == "ws":
        reload = Term(name="reload of single-buffered weights, R - 1 in every fold", label="load",
                      cycles=count * (rows - 1))
        # T = 1: one row of results per fold, nothing left to hide its way to the SRAM behind
        exposed = SINGLE_ITEM_CYCLES if items == 1 else 0
        return Estimate(terms=(
            stream, reload, transfers,
            *([Term(name="results of single-item folds", label="drain", cycles=exposed)] if exposed else []),
        ))
    used_rows = min(rows, gemm.m)
    shift = ceil_div(used_rows * RESULT_BITS, PORT_BITS_PER_COLUMN) - 1
    cut = 2 if items > SRAM_TILE_K else 0
    return Estimate(terms=(
        stream, transfers,
        Term(name="last results through the SRAM port", label="drain", cycles=shift),
        *([Term(name="K cut in the SRAM", label="stall", cycles=cut)] if cut else []),
    ))


SIMULATOR = Simulator(title="ZigZag 3.9.1", dataflows=("ws", "os"), rule=rule,
                      note="no skew, no drain through the array; the mapper's last cycles vary by some tens")
