"""Sums of 100 rows."""

from model.work.random_gemm import RandomGemms
from model.work.workload import Gemm

WORKLOAD = RandomGemms(title="sums of 100 rows", shapes=(Gemm(name="sums", m=1, n=4, k=100),))
