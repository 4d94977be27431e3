"""Mixtral 8x7B: prefill of one prompt of 1,024 tokens, one of 4 cards."""

from model.network.workload import prefill_workload

WORKLOAD = prefill_workload(
    "Mixtral 8x7B, prefill of one prompt of 1,024 tokens, one of 4 cards", "mixtral_8x7b", tokens=1024, cards=4
)
