"""ONNXim (a1e8629), weight-stationary core: blocks of R input rows, weights preloaded behind the block before.

Ref: SystolicWS.cc, GemmWS.cc, Mapping.cc. Every block of a GEMM is a preload: it starts R cycles after the block
before it, however few rows it holds. The first waits 2R - 1 for its weights; the last takes R + C - 2 and its rows
(at least 4). Before the first block come its activation and weight strips (R x tile of K bytes each) from DRAM,
after the last one its R x C results go back.
"""

from math import isqrt

from hw.base.integer import ceil_div
from model.other_simulators import Convolution, Dataflow, Estimate, Simulator, Term
from model.work.workload import Gemm

DMA_LATENCY = 45
"""Cycles from a request to its first byte plus the last store's acknowledgement (Ramulator 1, HBM, 16 channels)."""

DMA_BYTES_PER_CYCLE = 512
"""16 requests of 32 bytes enter the network per cycle, one per channel."""

SHORTEST_BLOCK = 4
"""Rows that a block is charged at least."""

SCRATCHPAD_BYTES = {16: 256 << 10, 32: 1 << 20, 128: 32 << 20}
ACCUMULATOR_BYTES = {16: 64 << 10, 32: 256 << 10, 128: 4 << 20}


def _memory_bytes(table: dict[int, int], rows: int) -> int:
    """Memory of the configuration used at the nearest array size, scaled by its cells."""
    nearest = min(table, key=lambda size: abs(size - rows))
    return table[nearest] * rows * rows // (nearest * nearest)


def tile_terms(k: int, rows: int) -> int:
    """Terms of K that one scratchpad tile holds (Gemmini's rule: square tiles of the accumulator, rest for K)."""
    blocks_in_scratchpad = _memory_bytes(SCRATCHPAD_BYTES, rows) // (rows * 2) // 2 // rows
    blocks_in_accumulator = _memory_bytes(ACCUMULATOR_BYTES, rows) // (rows * 8) // rows
    side = max(1, isqrt(blocks_in_accumulator))
    depth = max(1, blocks_in_scratchpad // side)
    padded = ceil_div(k, rows) * rows
    tiles = min(padded // rows, ceil_div(k, depth * rows))
    return min(k, max(rows, ceil_div(padded, tiles) // rows * rows))


def _estimate(stream: Term, waits: int, rows: int, columns: int, bytes_moved: int) -> Estimate:
    return Estimate(
        terms=(
            stream,
            Term(name="blocks of fewer than R rows wait for the next weight preload", label="bubble", cycles=waits),
            Term(name="first weight preload 2R - 1, once", label="load", cycles=2 * rows - 1),
            Term(name="skew R + C - 2, once", label="fill", cycles=rows + columns - 2),
            Term(
                name="first strips from DRAM, last results to DRAM",
                label="stall",
                cycles=DMA_LATENCY + ceil_div(bytes_moved, DMA_BYTES_PER_CYCLE),
            ),
        )
    )


def rule(gemm: Gemm, rows: int, columns: int, dataflow: Dataflow) -> Estimate | None:
    """R x (blocks - 1) + last block + (2R - 1) + (R + C - 2) + DMA start and end; square arrays only."""
    if rows != columns:
        return None
    folds = ceil_div(gemm.k, rows) * ceil_div(gemm.n, columns)
    blocks = ceil_div(gemm.m, rows) * folds
    last_block = gemm.m - (ceil_div(gemm.m, rows) - 1) * rows
    issued = rows * (blocks - 1) + max(last_block, SHORTEST_BLOCK)
    strip = tile_terms(gemm.k, rows)
    moved = (min(gemm.m, rows) + min(gemm.n, columns)) * strip + last_block * min(gemm.n, columns)
    stream = Term(name="stream", label="stream", cycles=folds * gemm.m)
    return _estimate(stream, issued - folds * gemm.m, rows, columns, moved)


def convolution(work: Convolution, rows: int, columns: int, dataflow: Dataflow) -> Estimate | None:
    """One GEMM per filter tap, channels not packed over taps; a fold costs its pixels, at least R."""
    if rows != columns:
        return None
    pixels = work.output_height * work.output_width
    taps = work.kernel_height * work.kernel_width
    folds = taps * ceil_div(work.channels, rows) * ceil_div(work.filters, columns)
    moved = min(work.channels, rows) * (pixels + min(work.filters, columns))
    stream = Term(name="stream, a fold for every filter tap", label="stream", cycles=folds * pixels)
    return _estimate(stream, folds * (max(pixels, rows) - pixels), rows, columns, moved)


SIMULATOR = Simulator(
    title="ONNXim",
    dataflows=("ws",),
    rule=rule,
    convolution=convolution,
    note="square arrays only; DRAM start and end stay in (about 1 % on the measured GEMMs); "
    "convolutions are one GEMM per filter tap",
)
