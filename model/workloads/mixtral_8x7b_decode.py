"""Mixtral 8x7B: decode of 16 sequences of 1,024 tokens, one of 4 cards."""

from model.network.workload import decode_workload

WORKLOAD = decode_workload(
    "Mixtral 8x7B, decode of 16 sequences of 1,024 tokens, one of 4 cards",
    "mixtral_8x7b",
    context=1024,
    batch=16,
    cards=4,
)
