"""A decoder on the RTL of whole systems: every tensor the reference's, every label the model's."""

import pytest

from hw.base.error import InputError
from model.language.run_record import read_run
from model.language.screen import screen
from model.work.decoding import system_of
from tb.bench.build import BUILD
from tb.system.decode import decode


@pytest.mark.rtl
@pytest.mark.volume
@pytest.mark.parametrize(("chip", "pim"), [("npu_aim", "both"), ("npu_hbm_pim", "both"), ("npu_crossbar", "attention")])
def test_a_decoder_is_exact_with_and_without_the_channel(chip: str, pim: str) -> None:
    runs, outcomes = decode(chip, "tiny_npu", 2, [pim, "off"])
    for outcome in outcomes:
        assert outcome.passed, outcome.explain()
    for run in runs:
        assert run.equal
        assert run.labels_equal
        assert run.cycles == run.predicted_cycles
        for unit in system_of(chip).units:
            assert sum(run.labels[unit].values()) == run.cycles
        assert read_run(BUILD / "records" / chip / f"tiny_npu.{run.pim}.json") == run
    assert runs[0].cycles_per_token < runs[1].cycles_per_token
    assert any("times fewer cycles a token" in line for line in screen(runs))


def test_unknown_systems_works_and_shares_are_refused() -> None:
    with pytest.raises(InputError, match="a system must be one of npu_aim, npu_hbm_pim, npu_crossbar, not 'npu_16'"):
        decode("npu_16", "small_llm", 2, ["off"])
    with pytest.raises(InputError, match=r"must be one of small_llm, tiny_npu or a folder .*, not 'large_llm'"):
        decode("npu_aim", "large_llm", 2, ["off"])
    with pytest.raises(InputError, match="pim must be one of"):
        decode("npu_aim", "small_llm", 2, ["most"])
    with pytest.raises(InputError, match="crossbars must be one of off, attention, not 'both'"):
        decode("npu_crossbar", "small_llm", 2, ["both"])
    with pytest.raises(InputError, match="context of 128 tokens"):
        decode("npu_aim", "small_llm", 120, ["off"])
