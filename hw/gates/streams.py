"""Operand streams at the ports of one cell of the weight-stationary array, for all cells at once.

The order is the one the RTL core keeps: blocks of N, then blocks of K, the rows of M back to back. A tile's weights
are loaded bottom row first while the tile before streams; the swap comes with its first row.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from hw.base.integer import ceil_div
from hw.gates.activity import Streams
from hw.spec.mac_array import MacArraySpec

Matrix = NDArray[np.integer]


def padded(matrix: Matrix, height: int, width: int) -> NDArray[np.int64]:
    """`matrix` with zeros up to multiples of `height` and `width`."""
    rows, columns = ceil_div(matrix.shape[0], height) * height, ceil_div(matrix.shape[1], width) * width
    out = np.zeros((rows, columns), dtype=np.int64)
    out[: matrix.shape[0], : matrix.shape[1]] = matrix
    return out


SumsAbove = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int64]]


def integer_sums(activations: NDArray[np.int64], weights: NDArray[np.int64]) -> NDArray[np.int64]:
    """What enters row r of the cells: the products of the rows above, (m, R, C)."""
    products = activations[:, :, None] * weights[None]
    return np.cumsum(products, axis=1) - products


def pair_sums(activations: NDArray[np.int64], weights: NDArray[np.int64]) -> NDArray[np.int64]:
    """`integer_sums` of lanes that hold two INT4 each."""
    low, high = (integer_sums(_signed(activations >> k), _signed(weights >> k)) for k in (0, 4))
    return low + high


def _signed(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    return ((codes & 15) ^ 8) - 8


def in_lanes(array: MacArraySpec, activations: Matrix, weights: Matrix) -> tuple[Matrix, Matrix]:
    """Operands (M, K), (K, N) as the array's lanes: where a lane holds two INT4, neighbours of K become one signed
    byte, the first in the low half; else as given."""
    if array.terms_per_lane == 1:
        return activations, weights
    a, w = padded(activations, 1, 2), padded(weights, 2, 1)
    joined = (a[:, ::2] & 15 | a[:, 1::2] << 4, w[::2] & 15 | w[1::2] << 4)
    return joined[0].astype(np.int8), joined[1].astype(np.int8)


def cell_streams(
    array: MacArraySpec, gemms: Sequence[tuple[Matrix, Matrix]], idle: int = 0, sums_above: SumsAbove | None = None
) -> dict[str, NDArray[np.int64]]:
    """Streams of the ports of an integer cell, shape (cycles, rows * columns): lane r * columns + c is cell (r, c).

    Parameters
    ----------
    array : MacArraySpec
    gemms : pairs of activations (M, K) and weights (K, N)
    idle : int
        Cycles with nothing moving after every tile.
    sums_above : function
        (activations (m, R), weights (R, C)) of a tile to the partial sums that enter the cells, (m, R, C); the
        array's integers if not given.
    """
    sums_above = sums_above or (integer_sums if array.terms_per_lane == 1 else pair_sums)
    tiles: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    R, C = array.rows, array.columns
    for activations, weights in gemms:
        a, w = in_lanes(array, activations, weights)
        a, w = padded(a, 1, R), padded(w, R, C)
        for n in range(0, w.shape[1], C):
            for k in range(0, w.shape[0], R):
                tiles.append((a[:, k : k + R], w[k : k + R, n : n + C]))
    ports: dict[str, list[NDArray[np.int64]]] = {
        name: [] for name in ("i_activation", "i_partial_sum", "i_swap", "i_load", "i_weight")
    }
    above = np.zeros((R, C), dtype=np.int64)
    for position in range(-1, len(tiles)):
        following = tiles[position + 1][1] if position + 1 < len(tiles) else None
        if position < 0:
            m, a, sums = R, np.zeros((R, R), np.int64), np.zeros((R, R, C), np.int64)
        else:
            a, w = tiles[position]
            m = max(a.shape[0], R) + idle
            last = np.repeat(a[-1:], m - a.shape[0], axis=0)
            a = np.concatenate([a, last])
            sums = sums_above(a, w)
        swap = np.zeros((m, R, C), np.int64)
        swap[0] = 1 if position >= 0 else 0
        load, weight = np.zeros((m, R, C), np.int64), np.broadcast_to(above, (m, R, C)).copy()
        if following is not None:
            for step in range(R):
                for r in range(min(step, R - 1) + 1):
                    load[m - R + step, r] = 1
                    weight[m - R + step, r] = following[R - 1 - step + r]
            # The cell above keeps its new weight: that is what row r sees from then on; row 0 sees the last word.
            above = np.concatenate([following[:1], following[:-1]])
        ports["i_activation"].append(np.broadcast_to(a[:, :, None], (m, R, C)).reshape(m, R * C))
        ports["i_partial_sum"].append(sums.reshape(m, R * C))
        for name, values in (("i_swap", swap), ("i_load", load), ("i_weight", weight)):
            ports[name].append(values.reshape(m, R * C))
    return {name: np.concatenate(parts) for name, parts in ports.items()}


def lanes_of(streams: Streams, lanes: Sequence[int]) -> dict[str, NDArray[np.int64]]:
    """Some of the lanes."""
    return {port: np.ascontiguousarray(values[:, list(lanes)]) for port, values in streams.items()}


def operand_class(
    name: str, m: int, k: int, n: int, seed: int, bits: tuple[int, int] = (8, 8)
) -> tuple[Matrix, Matrix]:
    """Integers of `bits` (activations, weights) of a synthetic class: "random", "zeros", "sparse" (nine of ten
    activations zero) or "hot_channel" (one activation of each sixteen large, the others of a few bits)."""
    rng = np.random.default_rng(seed)
    half = 1 << bits[0] - 1
    weights = rng.integers(-(1 << bits[1] - 1), 1 << bits[1] - 1, (k, n))
    activations = rng.integers(-half, half, (m, k))
    if name == "zeros":
        activations[:] = 0
    elif name == "sparse":
        activations[rng.random((m, k)) < 0.9] = 0
    elif name == "hot_channel":
        activations >>= 5 if bits[0] == 8 else 2
        activations[:, ::16] = rng.integers(-half, half, (m, len(range(0, k, 16))))
    return activations, weights


OPERAND_CLASSES = ("random", "zeros", "sparse", "hot_channel")
