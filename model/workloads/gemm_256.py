"""M = N = K = 256."""

from model.random_gemm import square

WORKLOAD = square(256)
