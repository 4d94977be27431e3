"""Bits per character: the stored measures keep what is claimed, and a piece of them is measured again."""

import json

import numpy as np
import pytest

from model.language import corpus, floating, measure
from model.language.bytepair import BytePair
from model.language.config import read_config
from model.language.ngram import NGram
from model.lowering.decoder.checkpoint import read_weights
from model.reference.products import hbm_pim_product

STORED = json.loads(measure.QUALITY.read_text())


def test_the_network_beats_the_n_grams() -> None:
    assert STORED["text"] == corpus.digest(corpus.text())
    baselines = STORED["baselines"]
    assert STORED["fp32"] < baselines["kneser_ney_5"] - 0.10
    assert STORED["fp32"] < baselines["kneser_ney_7"]
    assert STORED["fp32"] < baselines["xz_primed"]


def test_no_format_costs_one_percent_of_perplexity() -> None:
    sample = STORED["sample"]
    for name, bits in sample.items():
        assert abs(bits / sample["fp32"] - 1) < 0.01, name
    assert set(measure.FORMATS) < set(sample)


def test_a_window_is_measured_again() -> None:
    config = read_config(corpus.FOLDER / "weights" / "config.json")
    weights = read_weights(corpus.FOLDER / "weights" / "model.safetensors", config)
    tokens = BytePair.stored()
    ids = np.array(tokens.encode(corpus.split(corpus.text())[1][:1500]))
    inputs, targets, _ = floating.windows(ids, 128)
    wide = floating.bits(floating.forward(config, weights, inputs[:1])[0], targets[0])
    lengths = np.array([len(piece) for piece in tokens.pieces])
    assert 1.0 < wide[64:].sum() / lengths[targets[0][64:]].sum() < 2.6
    name, product = measure.FORMATS["bf16_npu"]
    stored = measure.in_format(config, weights, name, product, inputs)
    assert np.abs(floating.bits(stored(0), targets[0]).mean() - wide.mean()) < 0.02


def test_an_n_gram_is_a_distribution_and_learns() -> None:
    text = corpus.text()[:30_000]
    model = NGram(text, 3)
    for context in ("th", "xq", "\n\n"):
        assert sum(model.chance(context, c) for c in corpus.ALPHABET) == pytest.approx(1)
    assert model.bits_per_character(text[:2000]) < NGram(text, 1).bits_per_character(text[:2000])


def test_lane_sums_are_added_in_order() -> None:
    rng = np.random.default_rng(1)
    w, x = (rng.standard_normal(shape).astype(np.float16) for shape in ((3, 40), (2, 40)))
    found = hbm_pim_product(w.view(np.uint16), x.view(np.uint16)).view(np.float16)
    for v in range(2):
        for o in range(3):
            lanes = [np.float16(0)] * 16
            for i in range(40):
                lanes[i % 16] = np.float16(lanes[i % 16] + np.float16(w[o, i] * x[v, i]))
            total = np.float32(0)
            for lane in lanes:
                total = np.float32(total + np.float32(lane))
            assert found[v, o] == np.float16(total)
