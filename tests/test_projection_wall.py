"""Wall power: one set of overhead rules, held to every published power log."""

from dataclasses import replace
from pathlib import Path

import pytest

from hw import chips
from hw.base.error import InputError
from hw.spec.fact import Fact
from model.projection import overheads, published
from model.projection.check import Check
from model.projection.figure import Figure, evaluate, from_fact
from model.projection.overheads import Server, at_the_socket, card_power, host_power
from model.projection.projection import Projection
from model.projection.published.settings import settings
from model.projection.validate import validate
from model.projection.wall_checks import FITTED, wall_checks, wall_power

EVERY = {name: chips.load(name) for name in chips.names()}
LOGGED = [r for r in published.rows() if r.system_power_w is not None and r.scenario == "Offline"]


def power_of(row: published.Row) -> Figure | None:
    found = wall_power(row, EVERY)
    return None if found is None else found[0]


def checks() -> list[Check]:
    return [c for c in validate(EVERY, {}).checks if c.unit == "W"]


def test_every_logged_system_is_predicted_within_15_percent() -> None:
    found = checks()
    assert {c.chip for c in found} == {
        "nvidia_a2",
        "nvidia_a100_pcie",
        "nvidia_h100_pcie",
        "nvidia_h200_sxm",
        "nvidia_jetson_agx_orin",
    }
    assert len(found) >= 16
    assert all(abs(c.error) <= 0.15 for c in found)
    tasks = {(c.chip, c.what.split()[0]) for c in found}
    assert {("nvidia_h200_sxm", "gptj-99"), ("nvidia_h200_sxm", "llama2-70b-99")} <= tasks
    assert sum(c.inside for c in found) >= 0.85 * len(found)


def test_the_report_s_checks_are_those_of_the_validation() -> None:
    ours = {(c.row.chip, c.row.model, c.row.round): c.predicted.nominal for c in wall_checks(EVERY)}
    assert sorted(ours.values()) == pytest.approx(sorted(c.rules.nominal for c in checks() if c.rules is not None))
    assert len(ours) == len(wall_checks(EVERY)) == len(checks())
    for check in wall_checks(EVERY):
        assert check.error.nominal == pytest.approx(check.predicted.nominal / check.row.system_power_w - 1)
        assert check.row.source in str(next(check.published.leaves()).fact)


def test_the_two_fitted_constants_follow_from_the_results_they_name() -> None:
    for system, model, _ in FITTED:
        row = next(r for r in LOGGED if (r.system, r.model) == (system, model))
        wall = power_of(row)
    assert wall.nominal == pytest.approx(row.system_power_w, rel=0.003)
    assert sum(" (fixes: " in c.rule for c in checks()) == len(FITTED)


def test_a_wall_power_by_hand() -> None:
    row = next(r for r in LOGGED if (r.round, r.system, r.model) == ("v3.0", "H100-PCIe-80GBx8_TRT_MaxQ", "resnet50"))
    wall = power_of(row)
    assert wall is not None
    assert wall.nominal == pytest.approx((8 * 215 + 2 * 172) * 1.08 / 0.94)
    row = next(r for r in LOGGED if (r.round, r.system, r.model) == ("v3.0", "H100-PCIe-80GBx8_TRT_MaxQ", "bert-99"))
    full = published.unrestricted(row)
    wall = power_of(row)
    assert wall is not None
    assert full is not None
    card = 350 * (0.256 + 0.744 * (row.value / full.value) ** 3)
    assert wall.nominal == pytest.approx((8 * card + 2 * 172) * 1.08 / 0.94)


def test_a_chip_of_two_clocks_is_two_parts_by_hand() -> None:
    row = next(r for r in LOGGED if (r.round, r.system, r.model) == ("v3.0", "Orin_TRT_MaxQ", "resnet50"))
    wall = power_of(row)
    assert wall is not None
    slowed = 85 / 138 * (624.75 / 1300.5) ** 3 + 53 / 138 * (883.2 / 1600) ** 3
    assert wall.nominal == pytest.approx(60 * (0.256 + 0.744 * slowed) * 1.08 / 0.94)


def test_a_setting_without_a_source_or_a_clock_is_refused_naming_its_line(tmp_path: Path) -> None:
    head, *rows = Path(published.__file__).with_name("power_settings.csv").read_text().splitlines()
    damaged = tmp_path / "power_settings.csv"
    for row, text in (
        (rows[0].split(',"')[0] + ",", "must name its source"),
        (rows[4].replace("624.75", ""), "must give a limit or peak and clocks of every part"),
    ):
        damaged.write_text(f"{head}\n{row}\n")
        with pytest.raises(InputError, match=f"power setting of .*, resnet50, line 2, {text}"):
            settings(damaged)
        settings.cache_clear()


def test_every_setting_belongs_to_a_logged_system() -> None:
    logged = {(r.round, r.system, r.model) for r in LOGGED}
    assert settings().keys() <= logged


def test_no_rule_knows_a_chip() -> None:
    names = [n for n in chips.names() if n not in ("tiny",)]
    text = Path(overheads.__file__).read_text() + Path(overheads.__file__).with_name("wall_checks.py").read_text()
    assert not [n for n in names if n in text]


def test_without_its_limit_a_slower_card_draws_less_and_never_less_than_its_fixed_share() -> None:
    tdp = from_fact("tdp", Fact(nominal=100, unit="W", confidence="vendor", source="of this test"))
    full, half, still = (card_power(tdp, s).nominal for s in (1.0, 0.5, 0.0))
    assert full == 100
    assert 100 > half > still == pytest.approx(25.6)


def test_fans_and_losses_come_on_top_of_cards_and_hosts() -> None:
    server = Server(
        cards=Fact(nominal=1, unit="cards", confidence="assumed", source="of this test"),
        sockets=Fact(nominal=2, unit="sockets", confidence="assumed", source="of this test"),
        boards=1,
    )
    assert host_power(server).nominal == pytest.approx(2 * 172 + 887)
    wall = at_the_socket(host_power(server)).named("wall", "W")
    assert wall.nominal == pytest.approx((2 * 172 + 887) * 1.08 / 0.94)
    interval = Projection(title="t", figures=(wall,)).intervals()[0]
    assert interval.low < wall.nominal < interval.high
    assert evaluate([wall], {"assumed.socket_power": 0.0})[0] < wall.nominal


def test_a_server_with_a_negative_share_or_half_a_board_is_refused() -> None:
    good = next(iter(published.systems().values()))
    cards = Fact(nominal=8, unit="cards", confidence="assumed", source="of this test")
    with pytest.raises(InputError, match="sockets per server must be at least 0 sockets"):
        Server(cards=cards, sockets=replace(good.sockets, nominal=-1))
    with pytest.raises(InputError, match="boards of a server must be 0 or 1, not 2"):
        Server(cards=cards, sockets=good.sockets, boards=2)


def test_a_limited_system_is_compared_with_as_many_unrestricted_chips() -> None:
    row = next(r for r in LOGGED if (r.round, r.system, r.model) == ("v3.0", "A100-PCIe-80GBx8_TRT_MaxQ", "resnet50"))
    full = published.unrestricted(row)
    assert full is not None
    assert (full.cards, full.value) == (8, 316342)
