"""The small language model that comes with this package: 64 tokens behind a prompt of 32."""

from model.work.decoder_workload import DecoderWorkload

WORKLOAD = DecoderWorkload(title="64 tokens of the small language model behind a prompt of 32", model="small_llm")
