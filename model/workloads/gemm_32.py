"""M = N = K = 32."""

from model.work.random_gemm import square

WORKLOAD = square(32)
