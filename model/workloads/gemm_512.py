"""M = N = K = 512."""

from model.random_gemm import square

WORKLOAD = square(512)
