"""M = N = K = 16."""

from model.random_gemm import square

WORKLOAD = square(16)
