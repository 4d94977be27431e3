"""M = N = K = 64 in BF16."""

from model.work.random_gemm import square

WORKLOAD = square(64, "bf16")
