"""Llama 2 13B: prefill of one prompt of 1,024 tokens."""

from model.network.workload import prefill_workload

WORKLOAD = prefill_workload("Llama 2 13B, prefill of one prompt of 1,024 tokens", "llama2_13b", tokens=1024, cards=1)
