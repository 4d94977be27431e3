"""The model's own error: learnt without the chip it judges, one number a kind; ranges hold what they say."""

import hashlib
import json
from math import exp

import pytest

from hw.base.command_line import main
from model import cli
from model.card.language_check import predicted
from model.cli.validate import loaded
from model.projection import published
from model.projection.check import LEAST_COVERAGE, MOST_COVERAGE
from model.projection.published.calibration import KINDS, ModelError, Residual, errors, learn
from model.projection.published.language import BLIND, BLIND_DIGEST
from model.projection.published_serving import predicted_checks
from model.projection.validate import residuals_of


def residual(chip: str, ratio: float, kind: str = "offline", spread: float = 1.0) -> Residual:
    return Residual(kind=kind, chip=chip, ratio=ratio, low=1 / spread, high=spread)


def test_a_chip_does_not_teach_its_own_range() -> None:
    others = [residual(name, ratio) for name, ratio in (("a", 0.9), ("b", 1.0), ("c", 1.1))]
    with_it = learn([*others, residual("d", 5.0)], without="d")
    assert with_it == learn(others)
    assert with_it["offline"].bias == pytest.approx(1.0)
    assert learn([*others, residual("d", 5.0)])["offline"].spread > with_it["offline"].spread


def test_a_chip_weighs_as_the_square_root_of_its_results() -> None:
    others = [residual(name, 1.0) for name in "bcde"]
    many = learn([*[residual("a", 0.5)] * 9, *others])["offline"]  # weight 3 of 7: most rows, not the middle
    assert many.bias == pytest.approx(1.0)
    assert learn([*[residual("a", 0.5)] * 25, *others])["offline"].bias == pytest.approx(0.5)


def test_each_known_chip_is_measured_from_the_bias_of_the_others() -> None:
    """Three chips that agree and one that is off: its distance counts from where it would not have been known."""
    found = learn([residual(name, ratio) for name, ratio in (("a", 1.0), ("b", 1.0), ("c", 1.0), ("d", 2.0))])[
        "offline"
    ]
    assert found.bias == pytest.approx(1.0)
    low, _, high = found.span(1.0, 1.0, 1.0)
    assert low <= 0.5001
    assert high >= 1.9999


def test_open_inputs_explain_part_of_the_error() -> None:
    sure = learn([residual("a", 0.8), residual("b", 1.0), residual("c", 1.25)])["offline"]
    unsure = learn([residual(c, r, spread=1.4) for c, r in (("a", 0.8), ("b", 1.0), ("c", 1.25))])["offline"]
    assert unsure.spread < sure.spread


def test_a_range_holds_inputs_and_the_models_error() -> None:
    error = ModelError(kind="offline", bias=0.9, spread=0.1, width=1.645, chips=5, results=9)
    low, middle, high = error.span(100.0, 90.0, 110.0)
    assert middle == pytest.approx(90)
    assert low == pytest.approx(90 * exp(-1.645 * (0.1**2 + 0.061**2) ** 0.5), rel=1e-3)
    assert high * low == pytest.approx(middle**2)
    assert error.span(100, 100, 100, level=0.5)[0] > error.span(100, 100, 100)[0]


def test_committed_errors_are_those_of_the_published_results() -> None:
    validation = loaded()
    assert LEAST_COVERAGE <= validation.coverage <= MOST_COVERAGE
    again = learn(residuals_of(validation.checks))
    for kind in KINDS:
        assert errors()[kind].bias == pytest.approx(again[kind].bias, rel=1e-4)
        assert errors()[kind].spread == pytest.approx(again[kind].spread, rel=1e-4)
    assert validation.by_kind["decode"].factor <= 1.2
    assert validation.by_kind["requests, one card"].factor <= 1.15
    assert validation.by_kind["requests, several cards"].factor <= 1.15
    for kind, found in validation.by_kind.items():
        if found.results >= 10 and found.chips >= 3:  # decode steps are of one chip, whose range others lend
            assert LEAST_COVERAGE - 0.015 <= found.coverage <= MOST_COVERAGE + 0.01, kind
    assert validation.by_kind["offline"].factor <= 1.15
    assert validation.by_kind["decode"].chips >= 2
    widths = sorted(check.half_width for check in validation.checks if check.kind)
    assert widths[len(widths) // 2] <= 0.25


def test_committed_serving_predictions_are_what_the_model_says_now() -> None:
    checks = predicted_checks()
    assert len(checks) > 500
    for check in (checks[0], checks[40], checks[100], checks[290], checks[-1]):
        now = predicted(check.row)
        assert (now.low, now.nominal, now.high) == pytest.approx(
            (check.predicted.low, check.predicted.nominal, check.predicted.high), rel=1e-4
        )


def test_more_cards_help_or_harm_as_published() -> None:
    """From 4 to 8 cards of one model: the sign of the change of at least 95 % of the pairs."""
    known = {}
    for check in predicted_checks():
        r = check.row
        key = r.chip, r.model, r.version, r.weights, r.prompt, r.answer, r.requests
        known[key, r.devices] = check.predicted.nominal, r.value
    pairs = [(known[key, 4], known[key, 8]) for key, devices in known if devices == 4 and (key, 8) in known]
    right = sum((eight[0] > four[0]) == (eight[1] > four[1]) for four, eight in pairs)
    assert right >= 0.95 * len(pairs)


def test_blind_predictions_are_the_bytes_that_were_written() -> None:
    assert hashlib.sha256(BLIND.read_bytes()).hexdigest() == BLIND_DIGEST
    assert loaded().blind_written.results > 200


def test_validate_gives_one_row_a_result_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main("model", cli, ["validate", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    row = found["results"][0]
    assert {"chip", "task", "predicted", "range", "published", "inside", "blind"} <= row.keys()
    assert row["range"][0] <= row["predicted"] <= row["range"][1]
    assert found["coverage"] == pytest.approx(sum(r["inside"] for r in found["results"]) / len(found["results"]))


def test_a_prediction_as_json_has_range_unit_and_bound(capsys: pytest.CaptureFixture[str]) -> None:
    assert main("model", cli, ["device", "--chip", "furiosa_warboy", "--scenario", "offline", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["predictions"][0]
    low, high = found["range"]
    assert low < found["nominal"] < high
    assert (found["unit"], found["bound"]) == ("inputs/s", "feed")
    assert (high / low) > found["open_inputs"][1] / found["open_inputs"][0] * 0.9


def test_every_constant_of_the_model_names_its_source_and_serves_more_than_one_chip() -> None:
    """Rules and engines are facts for all chips; the model's error is one row a kind, of several chips' results."""
    from dataclasses import fields

    from hw.spec.fact import Fact
    from model.card import rules
    from model.card.engine import ENGINES

    constants = {name: value for name, value in vars(rules).items() if isinstance(value, Fact)}
    for engine in ENGINES.values():
        for field in fields(engine):
            value = getattr(engine, field.name)
            if isinstance(value, Fact):
                constants[f"{engine.name}.{field.name}"] = value
    assert {"DRAM_EFFICIENCY", "LINK_EFFICIENCY", "PCIE_EFFICIENCY", "QUERY_HOST", "trtllm.step"} <= constants.keys()
    makers = ("warboy", "rngd", "atom", "sapeon", "x220", "telechips", "deepx")
    for name, fact in constants.items():
        assert len(fact.source) > 8, name
        assert not any(maker in name.lower() for maker in makers), name
    chips = {check.chip for check in loaded().checks if check.kind}
    for kind, error in errors().items():
        assert not any(chip in kind for chip in chips)
        assert error.chips >= 1
    assert len(chips) >= 15


def test_a_page_of_a_chip_says_where_the_model_is_right_and_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main("model", cli, ["chip_page", "--chip", "nvidia_l40s"]) == 0
    text = capsys.readouterr().out
    assert "## Where the model is right" in text
    assert "## Where it is wrong, and why" in text
    assert "| resnet50 offline, per card |" in text
    outside = [line for line in text.splitlines() if line.startswith("| ") and "| no |" in line]
    named = text.split("## Where it is wrong, and why")[1]
    assert all(line.split(" | ")[0].removeprefix("| ").split(",")[0].split(" on ")[0] in named for line in outside[:3])
    assert main("model", cli, ["chip_page"]) == 2


def test_blind_predictions_of_detectors_are_the_bytes_that_were_written() -> None:
    """Nine results of Warboy; the one of an earlier round's software lies outside."""
    assert hashlib.sha256(published.BLIND_DETECTORS.read_bytes()).hexdigest() == published.BLIND_DETECTORS_DIGEST
    blind = loaded().blind_detectors
    assert blind.results == 9
    assert blind.coverage >= 8 / 9
    assert blind.factor <= 1.25
    rows = [row for row in published.rows() if row.chip == "furiosa_warboy" and row.blind]
    assert {row.model for row in rows} == {"ssd-mobilenet", "ssd-resnet34"}


def test_blind_predictions_of_networks_are_the_bytes_that_were_written() -> None:
    """Twelve results of a card that had no row; two of its detector lie outside."""
    assert hashlib.sha256(published.BLIND_NETWORKS.read_bytes()).hexdigest() == published.BLIND_NETWORKS_DIGEST
    blind = loaded().blind_networks
    assert blind.results == 12
    assert blind.coverage >= 10 / 12
    assert blind.factor <= 1.15
