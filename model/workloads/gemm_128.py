"""M = N = K = 128."""

from model.random_gemm import square

WORKLOAD = square(128)
