"""M = N = K = 512 in BF16."""

from model.work.random_gemm import square

WORKLOAD = square(512, "bf16")
