"""PIM channels in Verilator against the models."""

import pytest

from tb.bench import design
from tb.bench.build import build
from tb.bench.run import Outcome, run

_STREAMS = "random_streams_are_accepted_when_the_model_says_and_do_what_it_says"


_INSTRUCTIONS = {
    "hbm_pim": "every_instruction_does_what_plain_arithmetic_says",
    "aim": "every_command_and_host_request_does_what_plain_arithmetic_says",
}


def play(bench_name: str, *tests: str, streams: int = 200, forms: int = 10_000, rounds: int = 20) -> Outcome:
    bench = design.load(bench_name)
    emitted = design.design(bench_name, bench_name)
    built = build(emitted, "none", design.published(bench, emitted))
    parameters = {"chip": bench_name, "streams": streams, "forms": forms, "rounds": rounds}
    return run(built, f"tb.dram_pim.{bench_name}_tests", seed=3, parameters=parameters, tests=tests)


# AiM's channel and units are simulated in every run of the tests by `test_memory_controller.py`, with fewer banks
@pytest.mark.rtl
@pytest.mark.parametrize("bench", ["hbm_pim", pytest.param("aim", marks=pytest.mark.volume)])
def test_a_few_streams_and_instructions_on_the_channel_equal_the_model(bench: str) -> None:
    outcome = play(bench, _STREAMS, _INSTRUCTIONS[bench], streams=8, forms=150, rounds=2)
    assert outcome.passed, outcome.explain()
    assert [test.passed for test in outcome.tests] == [True, True]
    assert (outcome.data["streams"], outcome.data["stopped"]) == (8, 2)
    assert outcome.data["refused"]["early"] > 400
    # every kind of event has happened, so that each of them has been compared
    assert min(outcome.data["events"].values()) > 0


@pytest.mark.rtl
@pytest.mark.volume
def test_200_random_streams_on_the_hbm_pim_channel_equal_the_model() -> None:
    outcome = play("hbm_pim", _STREAMS)
    assert outcome.passed, outcome.explain()
    assert outcome.data["streams"] == 200
    assert outcome.data["refused"]["early"] > 10_000
    assert set(outcome.data["refused"]) == {
        "early",
        "wrong_row_state",
        "wrong_mode",
        "unknown_opcode",
        "jump_range",
        "bank_mismatch",
    }
    assert min(outcome.data["events"].values()) > 50


@pytest.mark.rtl
@pytest.mark.volume
def test_200_random_streams_on_the_aim_channel_equal_the_model() -> None:
    outcome = play("aim", _STREAMS, "an_unknown_opcode_is_refused_and_changes_nothing_else")
    assert outcome.passed, outcome.explain()
    assert outcome.data["streams"] == 200
    assert outcome.data["refused"]["early"] > 10_000
    assert set(outcome.data["refused"]) == {"early", "wrong_row_state", "wrong_mode", "unknown_opcode"}
    assert min(outcome.data["events"].values()) > 50


@pytest.mark.rtl
@pytest.mark.volume
@pytest.mark.parametrize("bench", list(_INSTRUCTIONS))
def test_every_instruction_on_the_channel_does_what_plain_arithmetic_says(bench: str) -> None:
    outcome = play(bench, _INSTRUCTIONS[bench])
    assert outcome.passed, outcome.explain()
    if bench == "hbm_pim":
        assert outcome.data["forms"] > 2700
