"""Waveforms of a language run: every layer and step has a mark at the cycle in which it ended."""

import numpy as np

from hw import chips
from hw.spec.system import SystemSpec
from model.cycle.system.decoding import predict_decoding
from model.language.config import DecoderConfig
from model.lowering.decoder.lower import lower
from model.reference.decoder import store_weights
from model.work.decoding import random_decoding
from tb.system.marks import marks_of

CONFIG = DecoderConfig(
    hidden_size=32,
    intermediate_size=32,
    num_hidden_layers=2,
    num_attention_heads=2,
    num_key_value_heads=1,
    head_dim=16,
    vocab_size=40,
    max_position_embeddings=16,
)


def test_marks_are_layers_and_tokens_in_order() -> None:
    work = random_decoding(np.random.default_rng(2), CONFIG, prompt=5, count=2)
    spec = chips.load("npu_aim").machine_as(SystemSpec)
    lowered = lower(spec, CONFIG, store_weights(CONFIG, work.weights, "bf16"), work.prompt, work.count, "both")
    predicted = predict_decoding(lowered)
    marks = marks_of(work, lowered, predicted.timing, begun=7)
    assert [what for _, what in marks] == [
        "tokens 0 to 3 layer 0",
        "tokens 0 to 3 layer 1",
        "tokens 0 to 3 end",
        "token 4 layer 0",
        "token 4 layer 1",
        "token 4 end",
        "token 5 layer 0",
        "token 5 layer 1",
        "token 5 end",
    ]
    places = [at for at, _ in marks]
    assert places == sorted(places)
    assert [at - 7 for at, what in marks if what.endswith("end")] == predicted.ends
