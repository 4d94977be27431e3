"""GPT-J 6B: decode of 16 sequences of 1,024 tokens."""

from model.network.workload import decode_workload

WORKLOAD = decode_workload(
    "GPT-J 6B, decode of 16 sequences of 1,024 tokens", "gptj_6b", context=1024, batch=16, cards=1
)
