"""M = N = K = 512."""

from model.work.random_gemm import square

WORKLOAD = square(512)
