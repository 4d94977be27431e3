"""Projection: numbers by hand, ranges, samples, provenance and refusals."""

import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from hw import chips
from hw.base.error import InputError
from hw.spec.fact import Fact
from model import energy
from model.count import Counts
from model.projection import published, scenarios
from model.projection.explain import compact, explain
from model.projection.figure import Figure, ceil, evaluate, from_fact, from_record, number, total
from model.projection.programme import Programme, project
from model.projection.projection import Projection, walk
from model.projection.validate import validate
from model.record import Measurement, Origin, Result
from model.report.load import prices_of

TABLE = "tpuv4i_7nm"


def fact(nominal: float, low: float | None = None, high: float | None = None, unit: str = "W") -> Fact:
    return Fact(nominal=nominal, low=low, high=high, unit=unit, confidence="assumed", source="of this test")


def core_record() -> Measurement:
    """100 images of 25,600 MACs on a 16 x 16 core at half of its cells: round numbers to check by hand."""
    macs = 2_560_000
    result = Result(
        chip="npu_16",
        chip_digest=chips.load("npu_16").digest,
        workload="digits",
        workload_digest="0" * 16,
        witness="rtl",
        seed=1,
        cycles=2 * macs // 256,
        figures={"macs": macs, "images": 100, "correct": 97},
        counts=Counts({"mac_array.mac": macs, "activation_memory.read": macs // 256, "command.accept": 2}),
    )
    return Measurement(result=result, origin=Origin(commit="c0ffee"))


def network_record() -> Measurement:
    """A network of 4 G MACs per image, 400,000 cycles."""
    result = Result(
        chip="furiosa_warboy",
        chip_digest="1" * 16,
        workload="resnet50",
        workload_digest="2" * 16,
        witness="model",
        seed=1,
        cycles=400_000,
        figures={"macs": 4_000_000_000, "images": 1},
    )
    return Measurement(result=result, origin=Origin(commit="c0ffee"))


def a_programme(**changes: object) -> Programme:
    npu = chips.load("npu_16")
    assert npu.core is not None
    inputs = {
        "core_record": core_record(),
        "network_record": network_record(),
        "chips": {name: chips.load(name) for name in chips.names()},
        "table_name": TABLE,
        "compose": partial(prices_of, TABLE),
        "scenarios": {name: scenarios.load(name) for name in scenarios.names()},
    }
    return project(**(inputs | changes))  # type: ignore[arg-type]


def test_arithmetic_on_figures_is_the_arithmetic_on_their_values() -> None:
    a, b = from_fact("a", fact(6)), from_fact("b", fact(4))
    assert [f.nominal for f in (a + b, a - b, a * b, a / b, 1 - b, 12 / b, ceil(a / b), total([a, b, a]))] == [
        10,
        2,
        24,
        1.5,
        -3,
        3,
        2,
        16,
    ]


def test_the_formula_shown_is_the_one_computed() -> None:
    a, b, c = (from_fact(n, fact(v)) for n, v in (("a", 8), ("b", 4), ("c", 2)))
    for figure in (a - (b - c), a / (b / c), (a + b) * c, a / b * c, a - b + c, a * (b + c) / (a - c), 2 * a - 1):
        assert eval(figure.formula, {"a": 8, "b": 4, "c": 2}) == figure.nominal


def test_an_interval_follows_each_input_to_the_end_that_hurts() -> None:
    a, b = from_fact("a", fact(6, 3, 9)), from_fact("b", fact(4, 2, 8))
    projection = Projection(title="t", figures=((a / b).named("q", "1"), (a - b).named("d", "W")))
    q, d = projection.intervals()
    assert (q.low, q.nominal, q.high) == (3 / 8, 1.5, 4.5)
    assert (d.low, d.nominal, d.high) == (-5, 2, 7)


def test_an_input_used_twice_varies_once() -> None:
    a = from_fact("a", fact(6, 3, 9))
    projection = Projection(title="t", figures=((a / a).named("one", "1"), (a - a + 1).named("also", "1")))
    assert all((i.low, i.nominal, i.high) == (1, 1, 1) for i in projection.intervals())
    assert np.ptp(projection.samples(1000, 1)["one"]) == 0


def test_drivers_are_ranked_by_what_they_move() -> None:
    a, b, c = from_fact("a", fact(6, 5, 7)), from_fact("b", fact(4, 1, 9)), from_fact("c", fact(5))
    projection = Projection(title="t", figures=((a + b + c).named("sum", "W"), a.named("a", "W")))
    drivers = projection.drivers("sum")
    assert [(d.leaf.name, d.at_low, d.at_high) for d in drivers] == [("b", 12, 20), ("a", 14, 16)]
    assert [d.leaf.name for d in projection.drivers("a")] == ["a"]


def test_samples_repeat_with_their_seed_and_stay_inside_the_interval() -> None:
    programme = a_programme()
    first, again, other = (programme.projection.samples(500, seed) for seed in (3, 3, 4))
    for figure, interval in zip(programme.projection.figures, programme.projection.intervals(), strict=True):
        values = first[figure.name]
        assert np.array_equal(values, again[figure.name])
        slack = 1e-9 * max(abs(interval.low), abs(interval.high))
        assert interval.low - slack <= values.min() <= values.max() <= interval.high + slack, figure.name
    assert not np.array_equal(first["gwangju.wall_kw"], other["gwangju.wall_kw"])


def test_both_sites_draw_the_same_tariff_in_a_sample_but_their_own_pue() -> None:
    projection = a_programme().projection
    inner = [projection[f"{s}.it_kw"] for s in ("gwangju", "private")]
    samples = projection.samples(2000, 5, [*projection.figures, *inner])
    tariff = [samples[f"{s}.mkrw_per_year"] / samples[f"{s}.mwh_per_year"] for s in ("gwangju", "private")]
    assert np.allclose(*tariff)
    pue = [samples[f"{s}.wall_kw"] / samples[f"{s}.it_kw"] for s in ("gwangju", "private")]
    assert not np.allclose(*pue)


def test_ten_thousand_samples_of_both_sites_take_less_than_a_second() -> None:
    programme = a_programme()
    figures = [figure for name in ("gwangju", "private") for figure in programme.sites[name].all]
    start = time.process_time()
    samples = programme.projection.samples(10_000, 1, figures)
    assert time.process_time() - start < 1.0
    assert samples["gwangju.wall_kw"].shape == samples["private.wall_kw"].shape == (10_000,)


def test_the_core_figures_follow_from_the_record_by_hand() -> None:
    programme = a_programme()

    def value(name: str) -> float:
        return programme.projection[f"core.npu_16.digits.{name}"].nominal

    assert value("utilisation") == 0.5
    assert value("images_per_s") == pytest.approx(1e9 * 100 / 20_000)
    assert value("accuracy") == 0.97
    assert value("energy_per_image") == pytest.approx(value("energy_per_mac") * 25_600 / 1e6)


def test_energy_of_the_projection_is_the_priced_energy() -> None:
    core = chips.load("npu_16").core
    assert core is not None
    priced = energy.price(core_record().result.counts, energy.table_for(TABLE, core)).total_j
    projected = a_programme().projection.interval("core.npu_16.digits.energy_per_mac")
    for ours, theirs in zip(
        (projected.low, projected.nominal, projected.high), (priced.low, priced.nominal, priced.high), strict=True
    ):
        assert ours * 2_560_000 * 1e-12 == pytest.approx(theirs)


def test_the_published_shares_need_30_139_and_70_cards_and_give_19_938_pf() -> None:
    projection = a_programme().projection
    assert [projection[f"gwangju.{o}.cards"].nominal for o in ("nhn", "kt", "naver")] == [30, 139, 70]
    assert projection["gwangju.nominal_pf"].nominal == pytest.approx(19.938)
    assert projection["gwangju.cards"].nominal == 239


def test_the_chain_names_every_step_from_the_array_to_the_grid() -> None:
    site = a_programme().sites["gwangju"]
    steps = [f.name.removeprefix("gwangju.").removesuffix("_kw") for f in (*site.chain, *site.grid)]
    assert steps == [
        "array",
        "memories",
        "rest_of_chips",
        "dram",
        "regulators",
        "hosts",
        "fans",
        "supplies",
        "facility",
        "grid_loss",
        "grid",
    ]
    wall = sum(f.nominal for f in site.chain)
    assert site.grid[1].nominal == pytest.approx(wall / (1 - 0.0355))
    regulators = next(f for f in site.chain if f.name.endswith("regulators_kw"))
    assert regulators.nominal == pytest.approx(0.12 * (30 * 120 + 139 * 85 + 70 * 60) / 1e3)
    dram = next(f for f in site.chain if f.name.endswith("dram_kw"))
    assert dram.nominal == pytest.approx((30 * 16 + 139 * 16 + 70 * 16) * 0.1 / 1e3)


def test_the_site_adds_up_from_the_array_to_the_year_by_hand() -> None:
    programme = a_programme()
    site = programme.sites["gwangju"]
    cards_kw = (30 * 120 + 139 * 85 + 70 * 60) / 1e3
    hosts_kw = (4 + 18 + 9) * 2 * 0.172
    wall = (cards_kw + hosts_kw) * 1.08 / 0.94 * 1.35
    value = programme.projection
    assert value["gwangju.cards_kw"].nominal == pytest.approx(cards_kw)
    assert value["gwangju.wall_kw"].nominal == pytest.approx(wall)
    assert sum(step.nominal for step in site.chain) == pytest.approx(wall)
    assert value["gwangju.mwh_per_year"].nominal == pytest.approx(wall * 8.76 * (0.5 + 0.5 * 0.3))
    assert value["gwangju.mkrw_per_year"].nominal == pytest.approx(wall * 8.76 * 0.65 * 182.6 / 1e3)
    rate = 70 * 2758.44 + 139 * 7245.87 + 30 * 0.45 * 367e12 / 8e9
    assert value["gwangju.images_per_s"].nominal == pytest.approx(rate)


def test_a_rate_never_leaves_published_and_bound() -> None:
    projection = a_programme().projection
    warboy = projection.interval("card.furiosa_warboy.images_per_s")
    assert warboy.low == warboy.nominal == 2758.44
    assert warboy.high == pytest.approx(2758.44 + 0.3 * (2e9 / 400_000 - 2758.44))


def test_the_chain_adds_up_to_the_wall_in_every_sample() -> None:
    programme = a_programme()
    for site in programme.sites.values():
        wall = programme.projection[f"{site.name}.wall_kw"]
        samples = programme.projection.samples(300, 9, [*site.chain, wall])
        steps = sum(samples[step.name] for step in site.chain)
        assert np.allclose(steps, samples[wall.name])


def test_the_ledger_moves_fourfold_between_int8_and_fp16_of_one_card() -> None:
    programme = a_programme()

    def value(name: str) -> float:
        return programme.projection[name].nominal

    assert (value("rule.mixed.kt.cards"), value("rule.eight_bit.kt.cards")) == (139, 35)
    kt = [value(f"rule.{rule}.kt.cards") * 7245.87 for rule in ("mixed", "eight_bit")]
    assert kt[0] / kt[1] == pytest.approx(139 / 35)
    assert value("rule.eight_bit.images_per_s") == pytest.approx(value("rule.mixed.images_per_s") - kt[0] + kt[1])
    misses = {name: abs(value(f"rule.{name}.miss_pf")) for name in programme.counted["gwangju"]}
    assert misses["mixed"] == pytest.approx(0.012)
    assert min(misses.values()) == misses["mixed"]


def test_every_figure_opens_down_to_records_and_facts() -> None:
    programme = a_programme()
    for figure in programme.projection.figures:
        for leaf in figure.leaves():
            if leaf.record is not None:
                result = leaf.record.measurement.result
                assert all((result.chip, result.workload, result.chip_digest, result.workload_digest)), figure.name
                assert f"seed {result.seed}" in leaf.record.origin
            else:
                assert leaf.fact is not None
                assert leaf.fact.source.strip(), leaf.name
                assert leaf.fact.confidence
        assert next(figure.leaves(), None) is not None
    text = explain(programme.projection, "gwangju.wall_kw")
    assert "gwangju.it_kw * gwangju.pue" in text
    assert "no figure of this site" in text
    text = explain(programme.projection, "gwangju.array_kw")
    assert "record npu_16/digits.1.rtl.json: counts.mac_array.mac" in text
    assert "record furiosa_warboy/resnet50.1.model.json: figures.macs" in text
    assert "MLPerf Inference v2.0" in text


def test_a_figure_is_as_trustworthy_as_its_weakest_input() -> None:
    projection = a_programme().projection
    assert projection["core.npu_16.digits.utilisation"].confidence == "measured"
    assert projection["gwangju.naver.cards"].confidence == "inferred"
    assert projection["gwangju.wall_kw"].confidence == "assumed"


def test_an_unknown_figure_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"there is no figure 'gwangju.wall'; did you mean gwangju\.wall_kw"):
        explain(a_programme().projection, "gwangju.wall")


def test_a_figure_without_origin_or_with_a_foreign_twin_is_refused() -> None:
    with pytest.raises(InputError, match="figure two must rest on a fact or a record"):
        Projection(title="t", figures=((number(1) + 1).named("two", "1"),))
    with pytest.raises(InputError, match="figure open must have an origin"):
        evaluate([Figure(name="open")], {})
    a, twin = from_fact("a", fact(1)), from_fact("a", fact(2))
    with pytest.raises(InputError, match="input 'a' must mean one fact, not two"):
        Projection(title="t", figures=((a + twin).named("sum", "W"),))


def test_a_record_without_the_number_or_failed_is_refused_naming_both() -> None:
    bare = replace(network_record(), result=replace(network_record().result, figures={"macs": 1}))
    with pytest.raises(
        InputError,
        match=r"figure record\.furiosa_warboy\.resnet50\.images needs figures\.images "
        r"of record furiosa_warboy/resnet50\.1\.model",
    ):
        a_programme(network_record=bare)
    failed = replace(core_record(), result=replace(core_record().result, verdict="fail", failure="row 3"))
    with pytest.raises(InputError, match=r"figure .* needs a record that passed, not npu_16/digits\.1\.rtl"):
        a_programme(core_record=failed)
    with pytest.raises(InputError, match=r"figure x needs counts\.no\.such of record"):
        from_record("x", "1", core_record(), "counts.no.such")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"capacity": fact(20, unit="PF")}, "must add up to 20 PF, not 19.95; correct a share"),
        ({"tariff": fact(-5, unit="KRW/kWh")}, "tariff must be at least 0 KRW/kWh, not -5 to -5"),
        ({"pue": fact(0.9, unit="1")}, "pue must be at least 1"),
        ({"load": fact(0.5, 0.1, 1.2, unit="1")}, "load must be from 0 to 1"),
        ({"carbon": fact(400, unit="kg")}, "carbon must be in 'gCO2e/kWh', not 'kg'"),
        ({"shares": scenarios.load("gwangju").shares[:1] * 2}, "must belong to different operators"),
    ],
)
def test_bad_scenarios_are_refused_in_one_sentence(change: dict, text: str) -> None:
    with pytest.raises(InputError, match=text):
        replace(scenarios.load("gwangju"), **change)


def test_a_low_above_its_high_is_refused() -> None:
    with pytest.raises(InputError, match="must have low <= nominal <= high, not 9, 6, 3 W"):
        fact(6, 9, 3)


def test_a_share_counted_in_a_format_its_card_lacks_or_on_an_unknown_card_is_refused() -> None:
    gwangju = scenarios.load("gwangju")
    first = replace(gwangju.shares[0], peak_format="fp64")
    with pytest.raises(InputError, match="peak_format of nhn must be one of fp8, int8 for SAPEON X330 compact"):
        a_programme(scenarios={"g": replace(gwangju, shares=(first, *gwangju.shares[1:]))})
    first = replace(gwangju.shares[0], card="x999")
    with pytest.raises(InputError, match="needs the chip 'x999', which is not there"):
        a_programme(scenarios={"g": replace(gwangju, shares=(first, *gwangju.shares[1:]))})


def test_a_model_record_of_a_further_card_bounds_it_instead_of_its_peak() -> None:
    result = replace(network_record().result, chip="rebellions_atom", cycles=100_000)
    own = replace(network_record(), result=result)
    programme = a_programme(card_records={"rebellions_atom": own})
    assert programme.cards["rebellions_atom"].bound.nominal == pytest.approx(0.977e9 / 100_000)
    assert a_programme().cards["rebellions_atom"].bound.nominal == pytest.approx(128e12 / 8e9)


def test_published_results_name_their_source_or_are_refused(tmp_path: Path) -> None:
    rows = published.rows()
    assert len(rows) > 80
    atom = published.best("rebellions_atom", "resnet50", "Offline")
    assert atom is not None
    assert atom.value == 7245.87
    latency = published.best("furiosa_warboy", "resnet50", "SingleStream")
    assert latency is not None
    assert latency.value == 0.712197
    source = Path(published.__file__).with_name("mlperf.csv").read_text().splitlines()
    damaged = tmp_path / "mlperf.csv"
    damaged.write_text("\n".join([source[0], source[1].rsplit(",", 1)[0] + ","]))
    with pytest.raises(InputError, match=r"published result .*, line 2, must name its source"):
        published.rows(damaged)
    damaged.write_text("\n".join([source[0], source[1].replace(source[1].split(",")[7], "fast")]))
    with pytest.raises(InputError, match=r"line 2, must have every column filled"):
        published.rows(damaged)
    with pytest.raises(InputError, match="must be readable"):
        published.rows(tmp_path / "none.csv")


def test_every_published_result_stands_beside_its_prediction_and_gaps_are_said() -> None:
    every = {name: chips.load(name) for name in chips.names()}
    validation = validate(every, {"furiosa_warboy": network_record()})
    warboy = {(c.what, c.published): c for c in validation.checks if c.chip == "furiosa_warboy"}
    offline = warboy["resnet50 offline, per card", 2758.44]
    assert offline.predicted.nominal == pytest.approx(2e9 / 400_000)
    assert offline.error == pytest.approx(5000 / 2758.44 - 1)
    assert offline.verdict == "bound holds"
    latency = warboy["resnet50 single stream", 0.712197]
    assert latency.predicted.nominal == pytest.approx(0.2)
    assert latency.verdict == "bound holds"
    assert validation.not_validated["furiosa_rngd"].startswith("no MLPerf result found")
    assert validation.not_validated["furiosa_warboy"].startswith("energy:")


def test_a_faster_published_result_than_its_bound_is_called_outside() -> None:
    slow = replace(network_record(), result=replace(network_record().result, cycles=4_000_000))
    validation = validate({"furiosa_warboy": chips.load("furiosa_warboy")}, {"furiosa_warboy": slow})
    assert {c.verdict for c in validation.checks} == {"outside"}


def test_numbers_print_with_four_digits_and_separators() -> None:
    assert [compact(v) for v in (0, 0.5, 12.345, 1234.6, 1234567.0, 9e10, 0.000123)] == [
        "0",
        "0.5",
        "12.35",
        "1,235",
        "1,235,000",
        "9.000e+10",
        "1.230e-04",
    ]


def test_walking_a_graph_visits_each_node_once() -> None:
    a = from_fact("a", fact(1))
    assert [f.name for f in walk([a, (a + a).named("b", "W")])] == ["a", "b"]


def test_another_input_does_not_move_the_draws_of_the_others() -> None:
    a, b = from_fact("a", fact(6, 3, 9)), from_fact("b", fact(4, 1, 9))
    alone = Projection(title="t", figures=((a * 1).named("x", "W"),)).samples(100, 7)["x"]
    joined = Projection(title="t", figures=((b * 1).named("y", "W"), (a * 1).named("x", "W"))).samples(100, 7)["x"]
    assert np.array_equal(alone, joined)
