"""Capital closure, cost per million, services and counting rules: by hand, with ranges, and their refusals."""

from dataclasses import replace
from pathlib import Path

import pytest

from hw import chips
from hw.base.error import InputError
from hw.spec.fact import Fact
from model.network.llm import load
from model.projection import scenarios, services
from model.projection.explain import explain
from model.projection.programme import Programme
from model.projection.rules import RULES
from model.projection.service import Service, token_rate
from model.record import Measurement, Origin, Result
from model.report.load import load_programme

COMMITTED = Path(__file__).parents[1] / "measurements"


@pytest.fixture(scope="module")
def programme() -> Programme:
    return load_programme({name: chips.load(name) for name in chips.names()}, (COMMITTED,))


def value(programme: Programme, name: str) -> float:
    return programme.projection[name].nominal


def test_the_capital_closes_against_the_grant_by_hand(programme: Programme) -> None:
    cards = (30 * 10_000 + 139 * 3_500 + 70 * 10_000) * 1350 / 1e6
    hosts = (4 + 18 + 9) * 20
    facility = value(programme, "gwangju.wall_kw") * 10
    assert value(programme, "gwangju.capital_cards") == pytest.approx(cards)
    assert value(programme, "gwangju.capital_hosts") == hosts
    assert value(programme, "gwangju.capital") == pytest.approx(cards + hosts + facility)
    assert value(programme, "gwangju.capital_over_budget") == pytest.approx((cards + hosts + facility) / 20_000)
    assert value(programme, "gwangju.budget_left") == pytest.approx(20_000 - cards - hosts - facility)
    closing = value(programme, "gwangju.closing_card_price")
    assert closing * 239 * 1350 / 1e6 + hosts + facility == pytest.approx(20_000)


def test_cost_and_carbon_of_a_million_follow_from_the_year(programme: Programme) -> None:
    for unit in ("images", "tokens"):
        year = value(programme, f"gwangju.{unit}_per_s") * 0.5 * 8760 * 3600 / 1e6
        electricity = value(programme, "gwangju.mkrw_per_year") * 1e6
        assert value(programme, f"gwangju.krw_per_million_{unit}") == pytest.approx(electricity / year)
        whole = electricity + value(programme, "gwangju.capital") * 1e6 / 5
        assert value(programme, f"gwangju.krw_per_million_{unit}_with_capital") == pytest.approx(whole / year)
        carbon = value(programme, "gwangju.tco2e_per_year") * 1e6
        assert value(programme, f"gwangju.gco2e_per_million_{unit}") == pytest.approx(carbon / year)


def test_the_language_task_is_the_model_its_configuration_describes() -> None:
    task = services.load("language_model").language
    model = load("llama31_8b")
    assert task is not None
    assert task.parameters.nominal == model.parameters
    assert task.cache_elements.nominal == model.kv_elements_per_token


def test_tokens_of_a_card_are_bounded_by_its_memory_by_hand() -> None:
    service = services.load("language_model")
    rate, why = token_rate("rebellions_atom", chips.load("rebellions_atom"), service)
    step = (8_030_261_248 + 65_536 * 2 * 1024 * 16) / (256e9 * 0.8)
    assert why == ""
    assert rate is not None
    assert rate.nominal == pytest.approx(16 / step)


def test_a_model_record_of_the_service_replaces_the_roof() -> None:
    chip, service = chips.load("rebellions_atom"), services.load("language_model")
    result = Result(
        chip="rebellions_atom",
        chip_digest=chip.digest,
        workload="llama31_8b_decode",
        workload_digest="0" * 16,
        witness="model",
        seed=1,
        cycles=50_000_000,
        figures={"per_second": 320.0, "per_second_low": 300.0, "per_second_high": 400.0},
    )
    rate, _ = token_rate("rebellions_atom", chip, service, Measurement(result=result, origin=Origin()))
    assert rate is not None
    assert rate.nominal == 320


def test_a_model_larger_than_the_memory_is_refused_in_one_sentence() -> None:
    rate, why = token_rate("deepx_dx_m1", chips.load("deepx_dx_m1"), services.load("language_model"))
    assert rate is None
    assert "Llama 3.1 8B, decode with its cache needs 10.2 GB, the card has 4 GB" in why
    rate, why = token_rate("hbm_pim", chips.load("hbm_pim"), services.load("language_model"))
    assert rate is None
    assert "is not published" in why


def test_no_single_format_gives_the_published_capacity(programme: Programme) -> None:
    misses = {name: abs(value(programme, f"rule.{name}.miss_pf")) for name in RULES}
    assert min(misses, key=lambda name: misses[name]) in ("mixed", "prime")
    assert misses["mixed"] == pytest.approx(0.012)
    assert all(miss > 0 for miss in misses.values())


def test_the_ledger_falls_from_peak_to_achievable_to_delivered(programme: Programme) -> None:
    rows = {(r.card, r.number_format): r for r in programme.ledger}
    warboy, atom = rows["furiosa_warboy", "int8"], rows["rebellions_atom", "int8"]
    for row in (warboy, atom):
        assert row.arrays is not None
        assert row.achievable is not None
        assert row.peak.nominal > row.arrays.nominal > row.delivered["images"].nominal > row.delivered["tokens"].nominal
        span = programme.projection.interval(row.achievable)
        assert row.arrays.nominal > span.low
    fp16 = rows["rebellions_atom", "fp16"]
    assert fp16.achievable is None
    assert fp16.missing == "the image task is recorded in INT8"


def test_the_ledger_holds_every_chip_with_a_published_peak(programme: Programme) -> None:
    cards = {
        name
        for name in chips.names()
        if "tdp" in (facts := chips.load(name).facts) and any(key.startswith("peak_") for key in facts)
    }
    assert {row.card for row in programme.ledger} == cards
    assert {"nvidia_h100_sxm", "deepx_dx_m1", "furiosa_rngd", "sapeon_x220_compact"} <= cards
    t4 = next(r for r in programme.ledger if (r.card, r.number_format) == ("nvidia_t4", "int8"))
    macs = value(programme, "record.furiosa_warboy.resnet50.macs_per_image")
    assert t4.delivered["images"].nominal == pytest.approx(6035.57 * 2 * macs / 1e12)


def test_the_rules_are_counted_for_both_sites_and_every_operator(programme: Programme) -> None:
    assert set(programme.counted) == {"gwangju", "private"}
    for site, prefix in (("gwangju", "rule"), ("private", "private.rule")):
        assert set(programme.counted[site]) == set(RULES)
        for rule in RULES:
            shares = [value(programme, f"{prefix}.{rule}.{o}.images_per_s") for o in ("nhn", "kt", "naver")]
            assert sum(shares) == pytest.approx(value(programme, f"{prefix}.{rule}.images_per_s"))
    assert value(programme, "rule.mixed.kt.exact_cards") == pytest.approx(4450 / 32)
    assert value(programme, "rule.eight_bit.kt.exact_cards") == pytest.approx(4450 / 128)


def test_ten_gpus_are_met_with_as_many_sequences_by_hand(programme: Programme) -> None:
    assert value(programme, "breakeven.cards") == 39
    at = {(b.pim, b.batch): b for b in programme.breakeven}
    one = at["aim", 1]
    assert one.gpu_batch == 4
    gpu = value(programme, "breakeven.gpus.batch_4.tokens_per_s") / 10
    joules = (8_030_261_248 * 8 / 4 + 65_536 * 8 * 1024) * 4.8e-12  # weights and cache in FP8, DRAM's energy a bit
    wall = (700 * 0.256 + joules * gpu + (2 * 172 + 887) / 8) * 1.08 / 0.94 * 1.35
    assert one.must.nominal == pytest.approx(gpu / wall)
    for each in programme.breakeven:
        card = each.allowed.nominal + 2 * 172 / 8
        rate = each.fleet.nominal * value(programme, f"breakeven.gpus.batch_{each.gpu_batch}.tokens_per_s") / 39
        assert rate / (card * 1.08 / 0.94 * 1.35) == pytest.approx(each.must.nominal)
    assert one.over.nominal > 1 > at["aim", 4].over.nominal


def test_every_figure_of_rules_and_money_opens_to_its_origin(programme: Programme) -> None:
    for name in ("rule.eight_bit.images_per_s", "gwangju.capital", "ledger.rebellions_atom.int8.delivered_tokens"):
        text = explain(programme.projection, name)
        assert "config.json" in text or "MLPerf" in text or "assumed: " in text
    assert "record furiosa_warboy/resnet50.1.model.json: cycles" in explain(
        programme.projection, "ledger.furiosa_warboy.int8.arrays"
    )
    assert "record furiosa_warboy/resnet50_offline.1.model.json: figures.per_second" in explain(
        programme.projection, "ledger.furiosa_warboy.int8.achievable"
    )


def test_a_rule_must_count_every_operator() -> None:
    scenario = scenarios.load("gwangju")
    half = replace(RULES["mixed"], shares={"nhn": ("sapeon_x330_compact", "fp8")})
    with pytest.raises(InputError, match=r"must count every operator, not only nhn; add kt"):
        half.apply(scenario)


def _fact(nominal: float, unit: str) -> Fact:
    return Fact(nominal=nominal, unit=unit, confidence="assumed", source="of this test")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"exchange": _fact(-1, "KRW/USD")}, "exchange of the prices must be at least 0 KRW/USD, not -1"),
        ({"lifetime": _fact(0, "years")}, "lifetime of the prices must be greater than 0 years, not 0"),
        ({"host": _fact(1, "USD")}, "host of the prices must be in 'million KRW', not 'USD'"),
    ],
)
def test_impossible_prices_are_refused(change: dict, text: str) -> None:
    with pytest.raises(InputError, match=text):
        replace(scenarios.load("gwangju").prices, **change)


def test_a_service_that_delivers_nothing_known_is_refused() -> None:
    with pytest.raises(InputError, match="unit of a service must be images or tokens, not 'frames'"):
        Service(title="t", workload="w", unit="frames", number_format="INT8", batch="1")
    with pytest.raises(InputError, match=r"service must be a known one, not .* are image_processing, language_model"):
        services.load("games")


def test_a_year_beyond_electricity_by_hand(programme: Programme) -> None:
    """Demand charge at the busy power for twelve months, people, shares of the hardware, racks of 10 kW."""
    wall, it = value(programme, "gwangju.wall_kw"), value(programme, "gwangju.it_kw")
    cards, hosts = value(programme, "gwangju.capital_cards"), value(programme, "gwangju.capital_hosts")
    parts = {
        "demand": wall * 7470 * 12 / 1e6,
        "staff": 6 * 80,
        "maintenance": (cards + hosts) * 0.08,
        "spares": cards * 0.03,
        "network": 60,
        "space": it / 10 * 0.8 * 12,
    }
    for tail, wanted in parts.items():
        assert value(programme, f"gwangju.running_{tail}") == pytest.approx(wanted), tail
    electricity = value(programme, "gwangju.mkrw_per_year")
    assert value(programme, "gwangju.running") == pytest.approx(electricity + sum(parts.values()))


def test_carbon_of_making_cards_and_servers_by_hand(programme: Programme) -> None:
    """X330: 7 nm, 400 mm2; ATOM: 5 nm, 400 mm2; Warboy: 14 nm, 180 mm2; 70 % good, the card three times its die."""
    of_dies = 30 * 4 * 1.44 + 139 * 4 * 1.54 + 70 * 1.8 * 0.97
    assert value(programme, "gwangju.embodied_cards") == pytest.approx(of_dies / 0.7 * 3 / 1e3)
    assert value(programme, "gwangju.embodied_hosts") == pytest.approx((4 + 18 + 9) * 1.3)
    assert value(programme, "gwangju.embodied") == pytest.approx(of_dies / 0.7 * 3 / 1e3 + 31 * 1.3)


def test_a_process_that_is_not_published_has_the_whole_span() -> None:
    from model.projection.running import wafer_carbon

    chip = chips.load("npu_16")
    fact = wafer_carbon(chip)
    assert (fact.minimum, fact.maximum) == (0.91, 1.75)
    between = wafer_carbon(chips.load("telechips_dolphin5"))  # 8 nm: nearest is 7, its neighbours are 14 and 5
    assert (between.nominal, between.minimum, between.maximum) == (1.44, 0.97, 1.54)


def test_images_per_joule_at_the_camera_by_hand(programme: Programme) -> None:
    """DX-M1: 935 images/s of the chip model at 5 W; the site's are at its wall."""
    rate = value(programme, "edge.deepx_dx_m1.images_per_s")
    assert value(programme, "edge.deepx_dx_m1.images_per_j") == pytest.approx(rate / 5)
    site = value(programme, "gwangju.images_per_s") / value(programme, "gwangju.wall_kw") / 1e3
    assert value(programme, "edge.deepx_dx_m1.over_site") == pytest.approx(rate / 5 / site)
    assert [one.name for one in programme.edge] == ["deepx_dx_m1", "telechips_dolphin5", "telechips_n_dolphin"]
