"""M = N = K = 256."""

from model.work.random_gemm import square

WORKLOAD = square(256)
