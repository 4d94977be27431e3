"""GEMMs of growing size: utilisation against size in one run."""

from model.work.random_gemm import RandomGemms
from model.work.workload import Gemm

WORKLOAD = RandomGemms(
    title="GEMMs with M = N = K from 16 to 256, one after the other",
    shapes=tuple(Gemm(name=f"gemm_{s}", m=s, n=s, k=s) for s in (16, 24, 32, 48, 64, 96, 128, 192, 256)),
)
