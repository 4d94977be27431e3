"""The text, its split and its tokens: what is shipped is whole and reversible, and no test text is trained on."""

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from hw.base.error import InputError
from model.language import bytepair, corpus
from model.language.config import decoder_config, read_config

WEIGHTS = corpus.FOLDER / "weights"


def test_weights_name_the_text_they_were_trained_on() -> None:
    with safe_open(WEIGHTS / "model.safetensors", "np") as file:
        assert file.metadata()["text"] == corpus.digest(corpus.text())


def test_weights_have_the_shapes_of_their_configuration() -> None:
    shapes = read_config(WEIGHTS / "config.json").shapes()
    weights = load_file(WEIGHTS / "model.safetensors")
    assert {name: w.shape for name, w in weights.items()} == shapes
    assert all(np.isfinite(w).all() for w in weights.values())


def test_tokens_are_reversible_and_test_text_is_unseen() -> None:
    tokens = bytepair.BytePair.stored()
    training, test = corpus.split(corpus.text())
    assert tokens.vocabulary == read_config(WEIGHTS / "config.json").vocab_size
    for part in (training[:20_000], test[:20_000]):
        assert tokens.decode(tokens.encode(part)) == part
    known = set(training.splitlines())
    assert not [line for line in test.splitlines() if line in known]
    assert 0.08 < len(test) / len(training) < 0.13


def test_merges_are_those_of_the_training_text() -> None:
    stored = bytepair.BytePair.stored()
    assert bytepair.learn(corpus.split(corpus.text())[0], count=6).merges == stored.merges[:6]


def test_near_duplicates_are_few() -> None:
    text = corpus.text()
    lines = [line.lower().split() for line in text.splitlines()]
    seen: set[tuple[str, ...]] = set()
    repeated = total = 0
    for words in lines:
        runs = {tuple(words[i : i + 8]) for i in range(len(words) - 7)}
        repeated, total = repeated + len(runs & seen), total + len(runs)
        seen |= runs
    assert repeated < 0.05 * total


def test_unknown_characters_and_tokens_are_refused() -> None:
    tokens = bytepair.BytePair.stored()
    with pytest.raises(InputError, match=r"printable ASCII.*'ä' at place 2"):
        tokens.encode("Hä?".replace("H", "Ha"))
    with pytest.raises(InputError, match="from 0 to 607, not 608"):
        tokens.decode([608])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_size": None}, "must give hidden_size"),
        ({"num_attention_heads": 3}, "multiple of num_key_value_heads"),
        ({"head_dim": 15}, "head_dim must be even"),
        ({"hidden_act": "gelu"}, "hidden_act must be 'silu'"),
        ({"rms_norm_eps": float("nan")}, "rms_norm_eps must be a finite number"),
        ({"vocab_size": 0}, "vocab_size must be an integer"),
    ],
)
def test_bad_configurations_are_refused(change: dict[str, object], message: str) -> None:
    import json

    good = json.loads((WEIGHTS / "config.json").read_text())
    assert decoder_config(good, "config.json").head_dim == 32
    with pytest.raises(InputError, match=message):
        decoder_config(good | change, "config.json")
