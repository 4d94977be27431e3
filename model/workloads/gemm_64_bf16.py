"""M = N = K = 64 in BF16."""

from model.random_gemm import square

WORKLOAD = square(64, "bf16")
