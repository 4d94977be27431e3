"""M = N = K = 64."""

from model.work.random_gemm import square

WORKLOAD = square(64)
