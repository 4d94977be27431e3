"""How a GPU cuts a product: whole tiles of results, one multiprocessor each, in waves.

A product of M x N results over K is cut into tiles of a published set of shapes. A multiprocessor works on one tile at
a time: its tensor cores at their peak, or as fast as the tile's two edges come from the second-level cache, or as fast
as the warps' edges come from shared memory. Waves = tiles / multiprocessors, rounded up: the last one takes as long
as a full one. The fastest shape is taken. Not modelled: a K cut over several multiprocessors, several tiles on one of
them at a time, reuse of a convolution's overlapping inputs in the first-level cache.
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

STEP_BYTES = 32
"""Depth of one tensor-core instruction: k32 of INT8, k16 of FP16 (PTX mma shapes)."""

WARP_EDGE = 64
"""Largest edge of the part of a tile that one warp keeps in registers."""

SHARED_BYTES = 128
"""Bytes per cycle from shared memory: 32 banks of 4 bytes (CUDA programming guide)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiling:
    """The fastest tiles of one product.

    Parameters
    ----------
    seconds : float
        Of all waves, each at the slower of tensor cores and operands.
    compute, feed : float
        Seconds that tensor cores alone, and operands alone, would need for the same waves.
    rows, columns : int
        Results of one tile, one of `TILES`.
    waves : int
        Times that the multiprocessors take a tile each; the last one may leave some of them idle.
    """

    seconds: float
    compute: float
    feed: float
    rows: int
    columns: int
    waves: int


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
) -> Tiling:
    """`count` products of (m x k) by (k x n) on `units` multiprocessors.

    Parameters
    ----------
    rate : float
        Multiply-accumulates per second of one multiprocessor.
    port, shared : float
        Bytes per second into it from the second-level cache, and inside it from shared memory.
    number_bytes : float
        Of both operands.
    reuse : int
        Multiprocessors that take one of their tiles' two edges from one read (multicast).
    """
    depth = math.ceil(k * number_bytes / STEP_BYTES) * STEP_BYTES
    found: Tiling | None = None
    for rows, columns in TILES:
        waves = ceil_div(ceil_div(m, rows) * ceil_div(n, columns) * count, units)
        compute = rows * columns * depth / number_bytes / rate
        edges = (rows + columns) * (1 + 1 / reuse) / 2 * depth / port
        warp_rows, warp_columns = min(WARP_EDGE, max(16, rows // 2)), min(WARP_EDGE, max(16, columns // 2))
        warps = rows // warp_rows * (columns // warp_columns)
        feed = max(edges, warps * (warp_rows + warp_columns) * depth / shared)
        seconds = waves * max(compute, feed)
        if found is None or seconds < found.seconds:
            found = Tiling(
                seconds=seconds, compute=waves * compute, feed=waves * feed, rows=rows, columns=columns, waves=waves
            )
    assert found is not None  # TILES is not empty
    return found
