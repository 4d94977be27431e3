"""A decoder on the RTL of whole systems: every tensor the reference's, every label and event the model's."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hw import chips
from hw.base.error import InputError
from hw.spec.kind import KINDS
from hw.spec.system import SystemSpec
from hw.spec.system_event import VALUE_EVENTS
from model import workloads
from model.cycle.system import pim_share
from model.language.run_record import LanguageRun, read_run
from model.language.screen import sentences, table
from model.lowering.decoder.lowered import Pim, shares
from model.predict import predict
from tb.bench import design
from tb.bench.build import BUILD
from tb.bench.measure import Case, measure_all


def decode(chip: str, variant: tuple[str, ...], channel: Sequence[Pim]) -> list[LanguageRun]:
    """The configuration of tiny-NPU on the RTL with each share of the channel: tensors, labels, cycles exact."""
    cases = [
        Case(bench="decoder", chip=chip, workload=workloads.variant("tiny_npu", *variant, f"pim={share}"))
        for share in channel
    ]
    for case, (measured, outcome) in zip(cases, measure_all(cases, print), strict=True):
        assert outcome.passed, outcome.explain()
        assert measured is not None
        result = measured.result
        predicted = predict(chips.load(chip), workloads.load(case.workload))
        assert (result.cycles, result.phases) == (predicted.cycles, predicted.phases)
        assert {event: n for event, n in result.counts.items() if event not in VALUE_EVENTS} == predicted.counts
        assert result.answer["equal"]
        assert result.answer["tokens"]
    runs = [read_run(BUILD / "records" / chip / f"tiny_npu.{share}.json") for share in channel]
    for run in runs:
        assert run.equal
        assert run.labels_equal
        assert run.cycles == run.predicted_cycles
        for unit in chips.load(chip).machine_as(SystemSpec).units:
            assert sum(run.labels[unit].values()) == run.cycles
    return runs


@pytest.mark.rtl
def test_attention_alone_in_the_channel_is_exact() -> None:
    (run,) = decode("npu_hbm_pim", ("tokens=2", "prompt=2"), ("attention",))
    assert run.labels["controller"]["mac"] > 0, "the channel multiplied nothing"


@pytest.mark.rtl
@pytest.mark.volume
@pytest.mark.parametrize("chip", ["npu_aim", "npu_hbm_pim", "npu_crossbar"])
def test_a_decoder_is_exact_whatever_the_channel_multiplies(chip: str) -> None:
    possible = shares(chips.load(chip).machine_as(SystemSpec))
    runs = dict(zip(possible, decode(chip, ("tokens=2",), possible), strict=True))
    most = runs["both" if "both" in runs else "attention"]
    assert most.cycles_per_token < runs["off"].cycles_per_token
    assert any("times fewer cycles a token" in sentence for sentence in sentences([most, runs["off"]]))
    assert ("difference", "0", "0") in table([most, runs["off"]])
    macs = {share: run.labels["controller"]["mac"] for share, run in runs.items()}
    assert macs["off"] == 0
    assert macs["attention"] > 0
    if "both" in runs:
        assert macs["weights"] > 0
        assert macs["weights"] + macs["attention"] == macs["both"], "each product belongs to one share"


@pytest.mark.rtl
@pytest.mark.volume
@pytest.mark.parametrize("chip", ["npu_aim_x2", "npu_hbm_pim_x2"])
def test_a_decoder_over_two_channels_is_exact(chip: str) -> None:
    case = Case(bench="decoder", chip=chip, workload="tiny_npu@tokens=2,prompt=4,pim=both")
    ((measured, outcome),) = measure_all([case], print)
    assert outcome.passed, outcome.explain()
    assert measured is not None
    predicted = predict(chips.load(chip), workloads.load(case.workload))
    assert (measured.result.cycles, measured.result.phases) == (predicted.cycles, predicted.phases)
    assert {e: n for e, n in measured.result.counts.items() if e not in VALUE_EVENTS} == predicted.counts
    run = read_run(BUILD / "records" / chip / "tiny_npu.both.json")
    assert (run.equal, run.labels_equal, run.cycles) == (True, True, run.predicted_cycles)
    both = [run.labels[name] for name in ("controller", "controller_1")]
    assert [sum(labels.values()) for labels in both] == [run.cycles] * 2
    assert all(labels["mac"] > 0 for labels in both)
    assert run.labels["channel_events"] != run.labels["channel_events_1"]
    assert any(row[0].endswith(", channel 1") for row in table([run]))


def test_systems_are_chips_of_a_kind_and_language_models_workloads() -> None:
    chip = chips.load("npu_aim")
    assert chip.kind is KINDS["system"]
    assert design.default(chip) == "decoder"
    assert isinstance(chip.machine, SystemSpec)
    workload = workloads.load("small_llm@tokens=2,pim=off")
    assert (workload.tokens, workload.pim, workload.work) == (2, "off", {"tokens": 2.0})
    assert (
        sum(gemm.macs for gemm in workloads.load("small_llm").gemms())
        > 80 * sum(gemm.macs for gemm in workloads.load("small_llm_2").gemms()) / 6
    )


def test_unknown_systems_works_and_shares_are_refused() -> None:
    def case(chip: str, workload: str) -> Case:
        return Case(bench="decoder", chip=chip, workload=workload)

    with pytest.raises(InputError, match=r"needs a chip with a system of core, vector unit and channel, .*npu_aim"):
        case("npu_16", "small_llm")
    with pytest.raises(InputError, match="runs language models, not"):
        case("npu_aim", "gemm_16")
    with pytest.raises(InputError, match="pim must be one of"):
        workloads.load("small_llm@pim=most")
    with pytest.raises(InputError, match="crossbars must be one of off, attention, not 'both'"):
        case("npu_crossbar", "small_llm@pim=both")
    with pytest.raises(InputError, match="FIELD must be a known one, not 'token'; did you mean 'tokens'"):
        workloads.load("small_llm@token=2")
    with pytest.raises(InputError, match="context of 128 tokens"):
        case("npu_aim", "small_llm@tokens=120,pim=off")


def test_the_share_is_found_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pim_share.place, "build", lambda: tmp_path)
    found: list[str] = []

    def fastest(spec: SystemSpec, workload: object) -> str:
        found.append("asked")
        return "weights"

    monkeypatch.setattr(pim_share, "fastest", fastest)
    spec, workload = chips.load("npu_aim").machine_as(SystemSpec), workloads.load("tiny_npu")
    assert [pim_share.share_of(spec, workload) for _ in range(2)] == ["weights", "weights"]
    assert found == ["asked"]
    assert pim_share.share_of(spec, replace(workload, pim="off")) == "off"


def test_a_folder_is_a_language_model_with_a_prompt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from model.language import corpus

    monkeypatch.setenv("KCLOUD_OWN_FILES", "")
    monkeypatch.setattr(workloads.place, "build", lambda: tmp_path / "build")
    folder = tmp_path / "my_llm"
    folder.symlink_to(corpus.FOLDER / "weights")
    name = workloads.option(f"{folder}@tokens=3")
    assert name == "my_llm@tokens=3"
    with pytest.raises(InputError, match="a model of your own needs a prompt; give it with --text"):
        workloads.load(name).decoding()
    workloads.with_prompt("my_llm", "1,2,3")
    assert workloads.load(name).decoding().prompt == [1, 2, 3]
