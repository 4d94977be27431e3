"""Stages beside each other, decode curves: by hand from records, labelled, refused when they lack something."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from hw import chips
from hw.base.error import InputError
from hw.spec.fact import Fact
from model.projection import scenarios, services, stages
from model.projection.curve import decode_curve
from model.projection.explain import explain
from model.projection.figure import from_range
from model.projection.nvm import BITS, against_logic, efficiencies
from model.projection.projection import Projection
from model.projection.stage import Stage, macro_card
from model.projection.stage_comparison import compare_stages, pim_bit_energy
from model.record import Measurement, Origin, Result

EVERY = {name: chips.load(name) for name in chips.names()}


def a_curve(pim: str = "aim") -> Measurement:
    """Batches 1, 2, 4, 8: PIM wins at 1, 2 and 8."""
    layers = tuple(
        {
            "name": f"batch {b}",
            "cycles": 1000,
            "macs": 0,
            "batch": b,
            "tokens_per_s": alone,
            "pim_tokens_per_s": joined,
            "on_pim": share,
            "mj_per_token": 900.0 / b,
            "pim_mj_per_token": 75.0,
        }
        for b, alone, joined, share in (
            (1, 80.0, 580.0, 0.8),
            (2, 160.0, 650.0, 0.9),
            (4, 320.0, 325.0, 0.1),
            (8, 640.0, 700.0, 0.2),
            (16, 1200.0, 1200.0, 0.0),
        )
    )
    result = Result(
        chip="furiosa_rngd",
        chip_digest=EVERY["furiosa_rngd"].digest,
        workload=f"llama31_8b_batches_{pim}",
        workload_digest="0" * 16,
        witness="model",
        seed=1,
        cycles=4000,
        layers=layers,
        figures={"context": 1024, "pim_wins_to_batch": 8, "weights_on_pim_to_batch": 8},
    )
    return Measurement(result=result, origin=Origin(commit="c0ffee"))


def a_decode(chip: str = "furiosa_rngd", rate: float = 2000.0) -> Measurement:
    figures = {"tokens": 16, "per_second": rate, "per_second_low": 0.8 * rate, "per_second_high": 1.1 * rate}
    result = Result(
        chip=chip,
        chip_digest=EVERY[chip].digest,
        workload="llama31_8b_decode",
        workload_digest="0" * 16,
        witness="model",
        seed=1,
        cycles=8_000_000,
        figures=figures,
    )
    return Measurement(result=result, origin=Origin(commit="c0ffee"))


def compared() -> Projection:
    scenario = scenarios.load("gwangju")
    found = compare_stages(
        {},
        EVERY,
        services.load("language_model"),
        scenario,
        "gwangju",
        {"furiosa_rngd": a_decode()},
        {("furiosa_rngd", "aim"): a_curve()},
    )
    return Projection(title="t", figures=tuple(f for one in found.values() for f in one.shown))


def test_a_record_with_a_range_gives_its_three_numbers() -> None:
    figure = from_range("r", "tokens/s", a_decode(), "figures.per_second").named("rate", "tokens/s")
    interval = Projection(title="t", figures=(figure,)).intervals()[0]
    assert (interval.low, interval.nominal, interval.high) == pytest.approx((1600, 2000, 2200))
    text = explain(Projection(title="t", figures=(figure,)), "rate")
    assert "record furiosa_rngd/llama31_8b_decode.1.model.json: figures.per_second" in text
    bare = replace(a_decode(), result=replace(a_decode().result, figures={"per_second": 1.0}))
    with pytest.raises(InputError, match=r"figure r_low needs figures\.per_second_low of record furiosa_rngd/llama31"):
        from_range("r", "tokens/s", bare, "figures.per_second")


def test_one_power_rule_holds_with_and_without_pim_units() -> None:
    """Bound by memory, a card draws its fixed share and what memory and products take, on every side."""
    projection = compared()
    plain = projection["stage.1_beside_aim_batch_1.card_w"].nominal
    assert plain == pytest.approx(150 * 0.256 + 80 * 0.9)
    energy = pim_bit_energy("aim")
    hbm = pim_bit_energy("hbm_pim")
    assert energy.nominal == pytest.approx(2950 / 2 / 8192 + 0.32)  # CENT alone, not HBM's median
    assert (energy.minimum, energy.maximum) == pytest.approx((energy.nominal / 1.5, energy.nominal * 1.5))
    assert hbm.nominal > energy.nominal


def test_stage_2_comes_from_the_curve_and_its_energy_from_the_wall_by_hand() -> None:
    projection = compared()
    rate = projection["stage.2_aim_batch_1.tokens_per_s"]
    assert rate.nominal == 580
    energy = pim_bit_energy("aim")
    assert 0.3 < energy.minimum < energy.nominal < energy.maximum < 2
    in_units = (8_030_261_248 + 65_536 * 1024) * 16 * energy.nominal * 1e-12
    assert projection["stage.2_aim_batch_1.pim_j_per_token"].nominal == pytest.approx(in_units)
    card = 150 * 0.256 + 580 * 0.075
    assert projection["stage.2_aim_batch_1.card_w"].nominal == pytest.approx(card)
    wall = (card + 2 * 172 / 8) * 1.08 / 0.94 * 1.35
    joules = projection["stage.2_aim_batch_1.wall_j_per_token"].nominal
    assert joules == pytest.approx(wall / 580)
    assert projection["stage.2_aim_batch_1.krw_per_million_tokens"].nominal == pytest.approx(joules / 3.6 * 182.6)
    interval = projection.interval("stage.2_aim_batch_1.tokens_per_s")
    assert (interval.low, interval.high) == pytest.approx((464, 638))
    assert "layers.0.pim_tokens_per_s" in explain(projection, "stage.2_aim_batch_1.tokens_per_s")


def test_stage_3_is_called_a_hypothesis_and_never_hides_its_capacity() -> None:
    third = stages.load("stage3")
    assert third.basis == "hypothesis"
    projection = compared()
    needed = projection["stage.3_four_phase_batch_1.macro_chips"].nominal
    assert needed == pytest.approx(8_030_261_248 / (64 * 256 * 256))
    assert projection["stage.3_four_phase_batch_1.area_mm2"].nominal > 30_000
    macro = projection["stage.3_four_phase_batch_1.macro_j_per_token"].nominal
    assert macro == pytest.approx(2 * 8_030_261_248 / 2.48e12)
    one = projection["stage.3_one_phase_batch_1.macro_j_per_token"].nominal
    assert macro / one == pytest.approx(9.76 / 2.48)
    with pytest.raises(InputError, match="must be called a hypothesis, not 'model'"):
        replace(third, basis="model")
    with pytest.raises(InputError, match="must say how many weights a chip holds"):
        replace(third, weights_per_chip=None)


def test_stage_3_by_hand_at_batch_16() -> None:
    language, third = services.load("language_model"), stages.load("stage3")
    one = macro_card(
        third, third.macros[0], "furiosa_rngd", EVERY["furiosa_rngd"], language, scenarios.load("gwangju"), "gwangju"
    )
    cache = 65_536 * 2 * 1024
    step = 16 * cache / (1.5e12 * 0.8) + 2 * 64 * 256 * 256 / 16.1e12 * (4 * 32 + 16)
    assert one.tokens.nominal == pytest.approx(16 / step)
    idle = 8_030_261_248 / (64 * 256 * 256) * 0.2
    power = 0.256 * 150 + idle + (2 * 8_030_261_248 / 2.48e12 + cache * 8 * 4.8e-12) * 16 / step
    assert one.joules.nominal == pytest.approx((power + 43) * 1.08 / 0.94 * 1.35 * step / 16)


def test_a_curve_says_at_which_batches_pim_wins() -> None:
    curve = decode_curve(a_curve())
    assert curve.runs == ((1, 2), (8, 8))
    assert (curve.chip, curve.pim, curve.context, curve.wins_to) == ("furiosa_rngd", "aim", 1024, 8)
    assert [f.nominal for f in curve.shown[:2]] == [80, 580]
    never = replace(a_curve(), result=replace(a_curve().result, layers=a_curve().result.layers[4:]))
    assert decode_curve(never).runs == ()


def test_a_curve_without_points_or_numbers_is_refused_naming_the_record() -> None:
    empty = replace(a_curve(), result=replace(a_curve().result, layers=()))
    with pytest.raises(InputError, match=r"record furiosa_rngd/llama31_8b_batches_aim\.1\.model must have a layer"):
        decode_curve(empty)
    layers = ({"name": "batch 1", "cycles": 1, "macs": 0, "batch": 1},)
    with pytest.raises(InputError, match=r"layers\[0\] of record .* must have batch and tokens_per_s"):
        decode_curve(replace(a_curve(), result=replace(a_curve().result, layers=layers)))


def test_stages_follow_one_another_and_carry_their_sources() -> None:
    loaded = [stages.load(name) for name in stages.names()]
    assert [s.number for s in loaded] == [1, 2, 3]
    assert all(a.years[1] < b.years[0] for a, b in pairwise(loaded))
    with pytest.raises(InputError, match="must not end before it begins, not 2028 to 2026"):
        Stage(number=2, years=(2028, 2026), title="t", technology="t", basis="model")
    macro = stages.load("stage3").macros[0]
    with pytest.raises(InputError, match=r"efficiency of the macro 'four_phase' must be greater than 0 TOPS/W, not -1"):
        replace(macro, efficiency=Fact(nominal=-1, unit="TOPS/W", confidence="secondary", source="of this test"))


def test_nvm_against_logic_by_hand_and_where_it_stops_winning() -> None:
    found = against_logic(stages.load("stage3"))
    ratio = {(p.bits, p.batch): p.ratio.nominal for p in found.points}
    assert ratio[8, 16] == pytest.approx((2 / 2.48) / (2 * 64 / 288 + 8 * 4.8 / 16))
    reach = 9.76 * (2.48 / 9.76) ** ((6 - 3.5) / 4.5)
    assert ratio[6, 128] == pytest.approx((2 / reach) / (2 * 36 / 288 + 6 * 4.8 / 128))
    assert all(a < b for batch in (1, 16) for a, b in pairwise(ratio[bits, batch] for bits in BITS))
    assert ratio[8, 1] < ratio[8, 64] < 1 < ratio[8, 128]
    medians = {f.name: f.nominal for f in found.medians}
    assert medians["macros.nvm.median"] == pytest.approx(3.2, abs=0.05)
    assert medians["macros.sram_digital.median"] == pytest.approx(24.7, abs=0.05)


def test_a_published_macro_without_a_source_is_refused_naming_its_line(tmp_path: Path) -> None:
    damaged = tmp_path / "macros.csv"
    damaged.write_text("class,first_author,tops_per_w_1b,source\neNVM,Somebody,100,\n")
    with pytest.raises(InputError, match="published macro of Somebody, line 2, must name its source"):
        efficiencies(damaged)


def test_no_projection_reads_a_file_outside_the_repository() -> None:
    folder = Path(__file__).parents[1] / "model" / "projection"
    assert not [p for p in folder.rglob("*.py") if "shared/" in p.read_text()]


def test_the_counting_rule_is_an_input_of_the_site() -> None:
    """239 cards by the mixed rule; 117 to 272 by the others, and the drivers of the figure name the rule."""
    from pathlib import Path

    from model.report.load import load_programme

    root = Path(__file__).resolve().parent.parent / "measurements"
    programme = load_programme(EVERY, (root,))
    projection = programme.projection
    cards = projection.interval("gwangju.any_rule.cards")
    assert (cards.low, cards.nominal, cards.high) == pytest.approx((117, 239, 272))
    names = [driver.leaf.name for driver in projection.drivers("gwangju.any_rule.tokens_per_s")]
    assert "gwangju.counting_rule.tokens_per_s" in names[:2]
    # the images run in 8 bits: 15.9 of 33.4 PF, not 80 % of the nominal 19.95
    assert projection["gwangju.delivered_over_peak"].nominal == pytest.approx(0.46, abs=0.02)
    over = {name: projection[name].nominal for name in projection._by_name if name.endswith("batch_1_over_plain")}
    assert 1.0 < over["decode.furiosa_rngd.hbm_pim.batch_1_over_plain"] < 1.4
    assert 3.0 < over["decode.furiosa_rngd.aim.batch_1_over_plain"] < 4.5
    for row in programme.ledger:
        if row.arrays is not None and row.achievable is not None:
            assert row.arrays.nominal >= row.achievable.nominal
        if row.achievable is not None and "images" in row.delivered:
            assert row.achievable.nominal >= row.delivered["images"].nominal


def test_no_sample_leaves_low_and_high() -> None:
    """Formulas need not be monotone: directions are followed at the corner that was reached."""
    from pathlib import Path

    from model.report.load import load_programme

    root = Path(__file__).resolve().parent.parent / "measurements"
    projection = load_programme(EVERY, (root,)).projection
    samples = projection.samples(1000, 3)
    for figure, interval in zip(projection.figures, projection.intervals(), strict=True):
        values = samples[figure.name]
        slack = 1e-9 * max(abs(interval.low), abs(interval.high))
        assert interval.low - slack <= values.min()
        assert values.max() <= interval.high + slack


def test_the_programmes_money_and_its_conflicting_announcements_are_shown() -> None:
    from model.projection.programme_facts import programme_figures

    figures = {f.name: f.nominal for f in programme_figures([scenarios.load(n) for n in ("gwangju", "private")])}
    assert figures["programme.total_budget"] == 826.2
    assert figures["programme.stage_1_budget"] == 100
    assert (figures["programme.sapeon_announced"], figures["programme.sapeon_by_shares"]) == (20, 22)


def test_a_token_of_a_plain_card_costs_what_its_stated_inputs_make_by_hand() -> None:
    """Batch 1 in 16 bits on the memory of HBM-PIM and of GDDR6-AiM without their units.

    By the prices of the memories' own sources, and by 4.8 pJ a bit of HBM2 and 7.0 of GDDR6 with its interface, the
    middle and the high end of `DRAM_ENERGY`: the latter make the 2.36 and 2.84 J of an earlier review.
    """
    from model.report.load import load_programme

    root = Path(__file__).resolve().parent.parent / "measurements"
    projection = load_programme(EVERY, (root,)).projection
    bits = 16 * (8_030_261_248 - 128_256 * 4096 + 65_536 * 1024)  # the embedding is looked up, not read

    def at_the_wall(name: str, pj_a_bit: float) -> float:
        rate = projection[f"stage.1_beside_{name}_batch_1.tokens_per_s"].nominal
        card = 150 * 0.256 + rate * bits * pj_a_bit * 1e-12
        return (card + 2 * 172 / 8) * 1.08 / 0.94 * 1.35 / rate

    assert at_the_wall("hbm_pim", 4.8) == pytest.approx(2.36, abs=0.04)
    assert at_the_wall("aim", 7.0) == pytest.approx(2.84, abs=0.04)
    # AttAcc, the middle of three sources: row 901.12 pJ a kilobyte, column 0.44, pins 3.04; CENT: 1475, 0.32, 7.32
    for name, price in (("hbm_pim", 901.12 / 8192 + 0.44 + 3.04), ("aim", 1475 / 8192 + 0.32 + 7.32)):
        ours = projection[f"stage.1_beside_{name}_batch_1.wall_j_per_token"].nominal
        assert ours == pytest.approx(at_the_wall(name, price), rel=0.03), name  # and products, and standby


def test_a_million_tokens_with_capital_by_hand() -> None:
    """RNGD with AiM: an unpriced card of 10,000 USD with 30 % for its memory, an eighth of a server, facility a kW."""
    from hw import chips
    from model.report.load import load_programme

    projection = load_programme(chips.load_all()[0]).projection

    def value(tail: str, key: str = "2_aim_batch_1") -> float:
        return projection[f"stage.{key}.{tail}"].nominal

    capital = 10_000 * 1.3 * 1350 / 1e6 + 20 / 8 + value("wall_w") / 1e3 * 10
    assert value("capital_of_card") == pytest.approx(capital)
    tokens = value("tokens_per_s") * 0.5 * 8760 * 3600
    wanted = value("krw_per_million_tokens") + capital / 5 * 1e12 / tokens
    assert value("krw_per_million_tokens_with_capital") == pytest.approx(wanted)
    gpu = 27_500 * 1350 / 1e6 + 20 / 8 + value("wall_w", "gpu_batch_16") / 1e3 * 10  # no premium
    assert value("capital_of_card", "gpu_batch_16") == pytest.approx(gpu)
