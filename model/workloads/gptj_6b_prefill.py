"""GPT-J 6B: prefill of one prompt of 1,024 tokens."""

from model.network.workload import prefill_workload

WORKLOAD = prefill_workload("GPT-J 6B, prefill of one prompt of 1,024 tokens", "gptj_6b", tokens=1024, cards=1)
