"""Records of the chip model: reproducible, complete, and read by the validation without running a model."""

from dataclasses import replace
from pathlib import Path

import pytest

from hw import chips
from hw.base.error import InputError
from model import record
from model.card import language_record as language
from model.card import record as make
from model.cli.records import plan
from model.projection import published
from model.projection.check import LANGUAGE, SCENARIOS, TASKS
from model.projection.figure import from_range
from model.projection.validate import validate
from model.record import Measurement, result_bytes

MEASUREMENTS = Path(__file__).resolve().parent.parent / "measurements"


def committed(chip: str, workload: str) -> Measurement:
    return record.find(chip, workload, 1, "model", MEASUREMENTS)


def same(one: Measurement, other: Measurement) -> bool:
    """Equal results; a digest also changes with parts of the description that the model does not read."""
    first, second = (result_bytes(replace(m.result, chip_digest="0" * 16)) for m in (one, other))
    return first == second


@pytest.mark.parametrize(
    ("chip", "task", "scenario"),
    [
        ("furiosa_warboy", "resnet50", "offline"),
        ("furiosa_warboy", "resnet50", "single_stream"),
        ("nvidia_t4", "bert_large", "offline"),
        ("sapeon_x220_compact", "resnet50", "server"),
    ],
)
def test_a_committed_record_is_what_the_model_says_now(chip: str, task: str, scenario: make.Scenario) -> None:
    assert same(make.network_record(chip, task, scenario), committed(chip, f"{task}_{scenario}"))


def test_a_committed_language_record_is_what_the_model_says_now() -> None:
    name = "llama31_8b_128_4096"
    assert same(language.language_record("furiosa_rngd", name), committed("furiosa_rngd", name))


def test_every_chip_that_computes_has_its_records() -> None:
    labels = [label for label, _ in plan(["furiosa_warboy", "hbm_pim"])]
    assert "furiosa_warboy resnet50 offline" in labels
    assert not any(label.startswith("hbm_pim") for label in labels)
    for name in chips.names():
        chip = chips.load(name)
        if chip.pim is None and "peak_int8" in chip.facts and chip.facts.keys() > {"dram_capacity", "tdp"}:
            assert committed(name, "resnet50_offline").result.figures["per_second"] > 0


def test_the_curve_of_pim_says_up_to_which_batch_it_wins() -> None:
    for pim, least, most in (("hbm_pim", 1, 4), ("aim", 2, 16)):
        result = committed("furiosa_rngd", f"llama31_8b_batches_{pim}").result
        assert least <= result.figures["weights_on_pim_to_batch"] <= most
        assert result.figures["pim_wins_to_batch"] >= least
        assert result.figures["pim_saves_to_batch"] >= least
        gains = [layer["pim_tokens_per_s"] / layer["tokens_per_s"] for layer in result.layers]
        assert gains[0] > 1.5
        assert gains[0] > gains[3]
        assert all(gain > 0.999 for gain in gains)


def test_a_published_result_is_held_against_its_record_with_its_range() -> None:
    every = {name: chips.load(name) for name in chips.names()}
    runs = {("furiosa_warboy", f"resnet50_{s}"): committed("furiosa_warboy", f"resnet50_{s}") for s in make.SCENARIOS}
    checks = {(c.what, c.published): c for c in validate(every, {}, runs=runs).checks if c.chip == "furiosa_warboy"}
    offline = checks["resnet50 offline, per card", 2758.44]
    assert offline.rules is not None
    assert abs(offline.rules.nominal / offline.published - 1) <= 0.15
    single = checks["resnet50 single stream", 0.712197]
    figures = runs["furiosa_warboy", "resnet50_single_stream"].result.figures
    assert single.rules is not None
    assert single.rules.low == pytest.approx(figures["time_ns_low"] / 1e6)


def test_bert_is_held_without_padding_as_its_submitters_run_it() -> None:
    runs = {
        ("nvidia_t4", name): committed("nvidia_t4", name) for name in ("bert_large_offline", "bert_large_177_offline")
    }
    checks = validate({"nvidia_t4": chips.load("nvidia_t4")}, {}, runs=runs).checks
    offline = [c for c in checks if c.what.startswith("bert-99 offline, per card")]
    assert offline
    for check in offline:
        without = runs["nvidia_t4", "bert_large_177_offline"].result.figures
        assert check.rules is not None
        assert check.rules.nominal == pytest.approx(without["per_second"])
        assert check.rules.low == pytest.approx(without["per_second_low"])
        assert "padding dropped" in check.rule


def test_every_published_row_of_a_chip_in_the_model_has_a_record_or_a_reason() -> None:
    """Rows with a power limit are compared in watts instead."""
    missing = []
    for row in (*published.rows(), *published.rows(published.OTHER)):
        task, scenario = TASKS.get(row.model, row.model), SCENARIOS[row.scenario]
        name = task if task in LANGUAGE and scenario == "offline" else f"{task}_{scenario}"
        if row.system_power_w is None and not (MEASUREMENTS / row.chip / f"{name}.1.model.json").exists():
            missing.append((row.chip, name))
    assert not missing


def test_what_does_not_fit_has_no_record_but_a_sentence() -> None:
    with pytest.raises(InputError, match="use more cards"):
        language.language_record("deepx_dx_m1", "gptj_99")


def test_a_card_without_a_published_rate_is_projected_by_its_record_and_opens_to_it() -> None:
    from model.projection.explain import explain
    from model.report.load import load_programme

    programme = load_programme({name: chips.load(name) for name in chips.names()}, (MEASUREMENTS,))
    card = programme.cards["sapeon_x330_compact"]
    figures = committed("sapeon_x330_compact", "resnet50_offline").result.figures
    assert card.rate.nominal == pytest.approx(figures["per_second"])
    interval = programme.projection.interval(card.rate)
    assert interval.low == pytest.approx(figures["per_second_low"])
    assert interval.high == pytest.approx(figures["per_second_high"])
    assert "resnet50_offline.1.model" in explain(programme.projection, card.rate.name)
    tokens = programme.cards["rebellions_atom"].tokens
    assert tokens is not None
    # a stated mix of requests, prompts included: fewer than the decode step alone gives
    decode = committed("rebellions_atom", "llama31_8b_decode").result.figures
    assert 0 < tokens.nominal < decode["per_second"]


def test_a_record_without_its_range_is_refused() -> None:
    measured = committed("sapeon_x330_compact", "resnet50_offline")
    bare = replace(measured, result=replace(measured.result, figures={"per_second": 5.0}))
    with pytest.raises(InputError, match=r"per_second_low of record sapeon_x330_compact/resnet50_offline"):
        from_range("rate", "images/s", bare, "figures.per_second")
