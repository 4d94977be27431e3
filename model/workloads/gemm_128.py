"""M = N = K = 128."""

from model.work.random_gemm import square

WORKLOAD = square(128)
