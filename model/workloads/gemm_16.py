"""M = N = K = 16."""

from model.work.random_gemm import square

WORKLOAD = square(16)
