"""M = N = K = 64."""

from model.random_gemm import square

WORKLOAD = square(64)
