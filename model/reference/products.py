"""Products of a matrix with vectors in the three orders of the hardware: NPU core, AiM, HBM-PIM.

Each takes codes w (out, in) and x (vectors, in) of one 16-bit format and gives codes (vectors, out), rounded once.
"""

from collections.abc import Callable

import numpy as np

from model.number.aligned import aligned_dot
from model.number.codec import decode, encode
from model.number.fused import matmul
from model.reference.vector import sum_lanes

Product = Callable[[np.ndarray, np.ndarray], np.ndarray]

ROWS = 16
"""Values of the sum that the core's array takes at a time."""


def core_product(name: str) -> Product:
    """Sixteen terms at a time: a chain of fused FP32 additions from +0; chains are added in FP32."""

    def product(w: np.ndarray, x: np.ndarray) -> np.ndarray:
        missing = -w.shape[1] % ROWS
        a, b = np.pad(w, ((0, 0), (0, missing))), np.pad(x, ((0, 0), (0, missing)))
        weights, vectors = decode(a, name).astype(np.float32), decode(b, name).astype(np.float32)
        if not _exact_in_fp32(weights, vectors):
            codes = matmul(x, w.T.copy(), name, name, rows=ROWS)
            return encode(codes.view(np.float32), name)
        total = np.zeros((len(x), len(w)), np.float32)
        columns = np.ascontiguousarray(weights.T)
        for first in range(0, a.shape[1], ROWS):
            chain = np.zeros_like(total)
            for k in range(first, first + ROWS):
                chain += vectors[:, k, None] * columns[k]
            total = chain if first == 0 else total + chain
        return encode(total, name)

    return product


def _exact_in_fp32(w: np.ndarray, x: np.ndarray) -> bool:
    """Whether each product of two of these numbers is finite and exact in FP32, so that adding it rounds once."""
    sizes = [np.abs(v[v != 0]) for v in (w, x)]
    if not all(np.isfinite(v).all() for v in (w, x)):
        return False
    if not all(v.size for v in sizes):
        return True
    least, most = (float(f(sizes[0])) * float(f(sizes[1])) for f in (np.min, np.max))
    return least >= 2.0**-125 and most <= 2.0**100


def aim_product(w: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Words of 16 BF16 products aligned, cut and added to an FP32 accumulator from +0, words ascending."""
    missing = -w.shape[1] % 16
    a, b = np.pad(w, ((0, 0), (0, missing))), np.pad(x, ((0, 0), (0, missing)))
    total = np.zeros((len(x), len(w)), np.uint32)
    for vector in range(len(x)):
        for first in range(0, a.shape[1], 16):
            words = a[:, first : first + 16]
            total[vector] = aligned_dot(
                total[vector], words, np.broadcast_to(b[vector, first : first + 16], words.shape)
            )
    return encode(total.view(np.float32), "bf16")


def hbm_pim_product(w: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Sixteen FP16 lane sums a result, words of 16 ascending from +0, each product and each sum rounded; the lanes
    added in FP32, rounded once.

    NumPy computes FP16 in FP32 and rounds: exact for a product, for a sum as if rounded once (24 >= 2 x 11 + 2 bits).
    """
    missing = -w.shape[1] % 16
    a, b = np.pad(w, ((0, 0), (0, missing))), np.pad(x, ((0, 0), (0, missing)))
    weights, vectors = a.view(np.float16).reshape(len(w), -1, 16), b.view(np.float16).reshape(len(x), -1, 16)
    lanes = np.zeros((len(x), len(w), 16), np.float16)
    with np.errstate(all="ignore"):
        for word in range(weights.shape[1]):
            lanes = lanes + weights[None, :, word] * vectors[:, None, word]
    codes = np.where(np.isnan(lanes), np.uint16(0x7E00), lanes.view(np.uint16))
    return sum_lanes(codes, "fp16")
