"""A decoder of the configuration that harishsg993010/tiny-NPU states 363,550 cycles a token for; random weights."""

from model.work.decoder_workload import DecoderWorkload

WORKLOAD = DecoderWorkload(
    title="8 tokens behind a prompt of 8 in the configuration of tiny-NPU, random weights", model="tiny_npu", tokens=8
)
