"""M = N = K = 64 in FP8_E4M3."""

from model.work.random_gemm import square

WORKLOAD = square(64, "fp8_e4m3")
