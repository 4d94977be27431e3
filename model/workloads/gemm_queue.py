"""Short and odd GEMMs queued back to back: what a command queue must keep apart."""

from model.work.random_gemm import RandomGemms
from model.work.workload import Gemm

WORKLOAD = RandomGemms(
    title="eight queued GEMMs, from one row to several tiles",
    queued=True,
    shapes=(
        Gemm(name="square", m=16, n=16, k=16),
        Gemm(name="one_row", m=1, n=16, k=16),
        Gemm(name="one_of_each", m=1, n=1, k=1),
        Gemm(name="fewer_rows_than_array", m=3, n=20, k=33),
        Gemm(name="deep", m=8, n=5, k=64),
        Gemm(name="wide", m=5, n=48, k=7),
        Gemm(name="tall", m=40, n=4, k=4),
        Gemm(name="ragged", m=17, n=19, k=23),
    ),
)
