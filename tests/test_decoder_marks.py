"""Waveforms of a language run: every layer and step has a mark at the cycle in which it ended."""

from itertools import groupby

import numpy as np
import pytest

from hw import chips
from hw.spec.system import SystemSpec
from model.cycle.system.decoding import predict_decoding
from model.language.config import DecoderConfig
from model.lowering.decoder.lower import lower
from model.reference.decoder import store_weights
from model.work.decoding import random_decoding
from tb.bench.measure import Case, prepare, simulate
from tb.system.decode import save_file
from tb.system.marks import LANE, lane_of, marks_of
from tests.test_pim_waves import texts_of

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

    lane = lane_of(lowered)
    worked_on = [what.replace(" end", " output") for _, what in marks if what != "tokens 0 to 3 end"]  # makes no token
    assert [what for what, _ in groupby(lane.values())] == [*worked_on, "end"]
    assert list(lane) == list(range(lowered.program.counts["vector"] + 1))


@pytest.mark.rtl
@pytest.mark.volume
def test_the_waveform_shows_tokens_and_layers_as_text_and_marks_their_ends() -> None:
    case = Case(bench="decoder", chip="npu_aim", workload="tiny_npu@tokens=2,prompt=4,pim=both")
    built = prepare(case, "fst")
    outcome = simulate(case, built)
    assert outcome.passed, outcome.explain()
    assert outcome.trace is not None
    save = save_file(case, built, outcome)
    assert save is not None
    (shown,) = texts_of(save, outcome.trace, {LANE}).values()
    steps = ["tokens 0 to 3", "token 4"]
    parts = [*(f"layer {layer}" for layer in range(4)), "output"]
    assert [what for what, _ in groupby(shown)] == [*(f"{step} {part}" for step in steps for part in parts), "end"]
    named = [line for line in save.read_text().splitlines() if line.startswith("[markername]")]
    assert named[-1].endswith("token 4 end")
    assert len((outcome.folder / "marks.csv").read_text().splitlines()) == 1 + 10
