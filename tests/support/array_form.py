"""Closed forms of one GEMM on the bare array, operands always available, for every dataflow switch.

Counted from the cycle after `start` to the cycle in which the last result row is visible; the operand memory is
synchronous, so the first row enters one cycle after it is asked for. L = MAC latency, G = tile interval
R + (R - 1)(L - 1), m_p = rows streamed in pass p, P passes.

Weight-stationary, two weight registers, overlap:
    R + sum_{p < P-1} max(m_p, G) + m_{P-1} + 1 + L R + C - 1
one weight register (a tile is loaded behind the last row of the one before): G instead of max(m, G) - m between
passes; no overlap: every pass pays R + 1 + L R + C - 1.

Output-stationary (K rows of operands per fold):
    (P - 1) max(K, R) + K + 2 R + C - 1           drain through the columns
    (P - 1) K + K + R + C                         a link per cell
no overlap: every fold pays its own skew and drain.
"""

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.mac_array import MacArraySpec
from model.cycle.budget import Budget
from model.work.workload import Gemm


def weight_stationary(array: MacArraySpec, gemm: Gemm, block_rows: int) -> Budget:
    """`gemm` in M-blocks of at most `block_rows` rows, each block for all tiles of N and K."""
    if block_rows < 1:
        raise InputError(f"block_rows must be at least 1, not {block_rows}")
    tiles = ceil_div(gemm.n, array.columns) * ceil_div(gemm.k, array.k_per_block)
    full, rest = divmod(gemm.m, block_rows)
    # (rows, how many passes) of each kind; the last pass of all is one of the last kind
    kinds = [(rows, count * tiles * gemm.count) for rows, count in ((block_rows, full), (rest, 1)) if rows and count]
    passes = sum(count for _, count in kinds)
    stream = sum(rows * count for rows, count in kinds)
    load, skew = array.rows, array.mac_latency * array.rows + array.columns
    if not array.fold_overlap:
        return Budget(load=passes * load, fill=passes * skew, stream=stream)
    interval = array.tile_interval
    if array.weight_double_buffer:
        bubble = sum(max(0, interval - rows) * count for rows, count in kinds)
        bubble -= max(0, interval - _last_rows(gemm, block_rows))
    else:
        bubble = (passes - 1) * interval
    return Budget(load=load, fill=skew, stream=stream, bubble=bubble)


def _last_rows(gemm: Gemm, block_rows: int) -> int:
    return gemm.m % block_rows or min(gemm.m, block_rows)


def output_stationary(array: MacArraySpec, gemm: Gemm) -> Budget:
    """`gemm` in folds of R x C results; K rows of operands stream through each."""
    folds = ceil_div(gemm.m, array.rows) * ceil_div(gemm.n, array.columns) * gemm.count
    shift = array.rows if array.drain == "columns" else 1
    skew = array.rows + array.columns - 1
    stream = folds * gemm.k
    if not array.fold_overlap:
        return Budget(fill=folds * skew, stream=stream, drain=folds * shift)
    bubble = (folds - 1) * max(0, shift - gemm.k)
    return Budget(fill=skew, stream=stream, drain=shift, bubble=bubble)


def closed_form(array: MacArraySpec, gemm: Gemm, block_rows: int) -> Budget:
    """The form of the array's dataflow."""
    if array.dataflow == "os":
        return output_stationary(array, gemm)
    return weight_stationary(array, gemm, block_rows)
