"""M = N = K = 32."""

from model.random_gemm import square

WORKLOAD = square(32)
