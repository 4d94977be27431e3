"""Llama 2 13B: decode of 16 sequences of 1,024 tokens."""

from model.network.workload import decode_workload

WORKLOAD = decode_workload(
    "Llama 2 13B, decode of 16 sequences of 1,024 tokens", "llama2_13b", context=1024, batch=16, cards=1
)
