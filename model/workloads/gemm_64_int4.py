"""M = N = K = 64 in INT4."""

from model.work.random_gemm import square

WORKLOAD = square(64, "int4")
