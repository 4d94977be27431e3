"""One GEMM whose M, N and K are multiples of no array size."""

from model.work.random_gemm import RandomGemms
from model.work.workload import Gemm

WORKLOAD = RandomGemms(
    title="37 x 21 x 29 GEMM: partly filled tiles on every edge",
    shapes=(Gemm(name="gemm_ragged", m=37, n=21, k=29),),
)
