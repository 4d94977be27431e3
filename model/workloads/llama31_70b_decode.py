"""Llama 3.1 70B: decode of 16 sequences of 1,024 tokens, one of 8 cards."""

from model.network.workload import decode_workload

WORKLOAD = decode_workload(
    "Llama 3.1 70B, decode of 16 sequences of 1,024 tokens, one of 8 cards",
    "llama31_70b",
    context=1024,
    batch=16,
    cards=8,
)
