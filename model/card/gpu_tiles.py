"""How a GPU cuts a product: whole tiles of results, several on one multiprocessor at a time, in waves.

A product of M x N results over K is cut into tiles of a published set of shapes. A multiprocessor keeps as many tiles
at a time as its registers hold sums of. It works as fast as its tensor cores, as the tiles' edges and results pass
the second-level cache, or as the warps' edges pass shared memory, whichever is slowest. Each tile begins with a wait
for its first operands and ends with one for its results: time in which the other tiles on the multiprocessor compute,
if there are any. Waves = tiles / multiprocessors, rounded up: the last one takes as long as a full one. Where tiles
are fewer than multiprocessors, parts of K may go to several of them, whose sums are added through the second-level
cache. The fastest shape and number of parts is taken. Not modelled: reuse of a convolution's overlapping inputs in
the first-level cache.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

from hw.base.integer import ceil_div

TILES = (
    (256, 128),
    (128, 256),
    (128, 128),
    (256, 64),
    (64, 256),
    (128, 64),
    (64, 128),
    (64, 64),
    (128, 32),
    (32, 128),
    (64, 32),
    (32, 64),
    (32, 32),
)
"""Rows x columns of a tile: shapes of cublasLtMatmulTile_t (docs.nvidia.com, nvmath MatmulTile), 32 to 256 a side."""

LEAST_TILE = 32
"""Smallest side of a tile: groups of a convolution with fewer channels lie beside each other in one."""

STEP_BYTES = 32
"""Depth of one tensor-core instruction: k32 of INT8, k16 of FP16 (PTX mma shapes)."""

WARP_EDGE = 64
"""Largest edge of the part of a tile that one warp keeps in registers."""

SHARED_BYTES = 128
"""Bytes per cycle from shared memory: 32 banks of 4 bytes (CUDA programming guide)."""


REGISTER_BYTES = 65_536 * 4
"""Registers of one multiprocessor, of every compute capability from 5.0 on (CUDA programming guide, technical
specifications)."""

MOST_TILES = 8
"""Tiles on one multiprocessor at a time: 64 warps, of which a tile of 64 x 64 takes eight with their loads (CUDA
programming guide)."""

LOOP_BYTES = 64
"""Depth of one step of a tile's loop: k64 of INT8, k32 of FP16 (CUTLASS, default thread block shapes)."""

STAGE_BYTES = 64 * 1024
"""Shared memory for operands on their way: what every compute capability from 7.5 on has at least (CUDA programming
guide, technical specifications)."""

MOST_STAGES = 6
"""Steps of the loop on their way: three to seven stages of CUTLASS's pipelines, one of them in use."""

DEPTH_PARTS = (1, 2, 4, 8)
"""Parts of K that are compared (split-K of CUTLASS and cuBLAS)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiling:
    """The fastest tiles of one product.

    Parameters
    ----------
    cycles : float
        Of all waves, each at the slower of tensor cores and operands, with what waits between them leave open.
    compute, feed : float
        Cycles that tensor cores alone, and operands alone, would need for the same waves.
    rows, columns : int
        Results of one tile, one of `TILES`.
    waves : int
        Times that the multiprocessors take a tile each; the last one may leave some of them idle.
    parts : int
        Multiprocessors that share the depth of a tile.
    """

    cycles: float
    compute: float
    feed: float
    rows: int
    columns: int
    waves: int
    parts: int = 1


@lru_cache(maxsize=65536)
def tiling(
    m: int,
    n: int,
    k: int,
    count: int,
    *,
    units: int,
    rate: float,
    port: float,
    shared: float,
    number_bytes: float,
    reuse: int = 1,
    latency: float = 0.0,
) -> Tiling:
    """`count` products of (m x k) by (k x n) on `units` multiprocessors.

    Parameters
    ----------
    rate : float
        Multiply-accumulates per cycle of one multiprocessor.
    port, shared : float
        Bytes per cycle into it from the second-level cache, and inside it from shared memory.
    number_bytes : float
        Of both operands.
    reuse : int
        Multiprocessors that take one of their tiles' two edges from one read (multicast).
    latency : float
        Cycles from the start of a tile to its first product, and from its last to its results, together; the first of
        a kernel and the last are counted by the caller.
    """
    depth = math.ceil(k * number_bytes / STEP_BYTES) * STEP_BYTES
    found: Tiling | None = None
    for rows, columns in TILES:
        tiles = ceil_div(m, rows) * ceil_div(n, columns) * count
        warp_rows, warp_columns = min(WARP_EDGE, max(16, rows // 2)), min(WARP_EDGE, max(16, columns // 2))
        warps = rows // warp_rows * (columns // warp_columns)
        # sums take half of a tile's registers, operands and addresses the rest
        together = max(1, min(MOST_TILES, REGISTER_BYTES // (2 * rows * columns * 4)))
        results = rows * columns * number_bytes / port
        ahead = max(1.0, min(MOST_STAGES, STAGE_BYTES / (LOOP_BYTES * (rows + columns))))
        for parts in DEPTH_PARTS:
            share = math.ceil(depth / (STEP_BYTES * parts)) * STEP_BYTES
            if parts > 1 and (tiles * parts > units or share * parts > depth + STEP_BYTES * parts):
                break
            waves = ceil_div(tiles * parts, units)
            compute = rows * columns * share / number_bytes / rate
            edges = (rows + columns) * (1 + 1 / reuse) / 2 * share / port
            feed = max(edges + results, warps * (warp_rows + warp_columns) * share / shared)
            # sums of the other parts: 32 bits out and in again
            added = 0.0 if parts == 1 else latency + 8 * rows * columns / port
            one = max(compute, feed)
            # what is on its way arrives half of `latency` later, so a tile alone is never faster than that
            alone = max(one, share / LOOP_BYTES * latency / 2 / ahead)
            filled = ceil_div(waves, together) * (alone + latency) - latency
            cycles = max(waves * one, filled) + added
            if found is None or cycles < found.cycles:
                found = Tiling(
                    cycles=cycles,
                    compute=waves * compute,
                    feed=waves * feed,
                    rows=rows,
                    columns=columns,
                    waves=waves,
                    parts=parts,
                )
    assert found is not None  # TILES is not empty
    return found
