"""The first tokens of the small language model: what waveforms show."""

from model.work.decoder_workload import DecoderWorkload

WORKLOAD = DecoderWorkload(
    title="2 tokens of the small language model behind a prompt of 4", model="small_llm", tokens=2, prompt=4
)
