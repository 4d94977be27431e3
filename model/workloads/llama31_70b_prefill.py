"""Llama 3.1 70B: prefill of one prompt of 1,024 tokens, one of 8 cards."""

from model.network.workload import prefill_workload

WORKLOAD = prefill_workload(
    "Llama 3.1 70B, prefill of one prompt of 1,024 tokens, one of 8 cards", "llama31_70b", tokens=1024, cards=8
)
