"""PIM channels in Verilator against the models."""

import pytest

from tb import design
from tb.build import build
from tb.run import run


@pytest.mark.rtl
def test_200_random_streams_on_the_hbm_pim_channel_equal_the_model() -> None:
    bench = design.load("hbm_pim")
    emitted = design.design("hbm_pim", "hbm_pim")
    built = build(emitted, "none", design.published(bench, emitted))
    outcome = run(built, "tb.hbm_pim_tests", seed=3, parameters={"chip": "hbm_pim", "streams": 200},
                  tests=("random_streams_are_accepted_when_the_model_says_and_do_what_it_says",))
    assert outcome.passed, outcome.explain()
    assert outcome.data["streams"] == 200
    assert outcome.data["refused"]["early"] > 10_000
    assert set(outcome.data["refused"]) == {
        "early", "wrong_row_state", "wrong_mode", "unknown_opcode", "jump_range", "bank_mismatch"}
    assert min(outcome.data["events"].values()) > 50
