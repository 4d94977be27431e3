"""Llama 3.1 8B: prefill of one prompt of 1,024 tokens."""

from model.network.workload import prefill_workload

WORKLOAD = prefill_workload("Llama 3.1 8B, prefill of one prompt of 1,024 tokens", "llama31_8b", tokens=1024, cards=1)
