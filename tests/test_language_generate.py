"""Choosing tokens: greedy is the first of the largest, drawing depends on the seed alone, bad wishes are refused."""

import numpy as np
import pytest

from hw.base.error import InputError
from model.language.generate import choose, generate, main


def test_greedy_takes_the_first_of_the_largest() -> None:
    logits = np.array([1, 5, 2, 5], np.float32)
    assert choose(logits, 1, 1.0, np.random.default_rng(0)) == 1


def test_drawing_follows_the_softmax_of_the_likeliest() -> None:
    logits, rng = np.array([0, 1, 2, -5], np.float32), np.random.default_rng(1)
    drawn = np.bincount([choose(logits, 2, 0.5, rng) for _ in range(4000)], minlength=4) / 4000
    share = 1 / (1 + np.exp(-2))
    assert drawn[[0, 3]].sum() == 0
    assert abs(drawn[2] - share) < 0.03


def test_a_seed_decides_the_text() -> None:
    texts = [generate("The method returns", 6, fmt="fp16_npu", top_k=8, seed=seed) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    assert generate("The method returns", 6, seed=1) == generate("The method returns", 6, seed=2)


def test_bad_wishes_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match="top_k must be from 1 to 4, not 5"):
        choose(np.zeros(4, np.float32), 5, 1.0, np.random.default_rng(0))
    with pytest.raises(InputError, match="temperature must be above 0"):
        choose(np.zeros(4, np.float32), 2, 0.0, np.random.default_rng(0))
    assert main(["naïve"]) == 2
    assert "'ï' at place 2" in capsys.readouterr().err
    assert main(["The", "--tokens", "200"]) == 2
    assert main(["The", "--format", "fp8"]) == 2
