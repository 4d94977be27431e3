"""What the serving simulator recorded for the page: read, refused where a number lacks, left out without one."""

import json
from pathlib import Path

import pytest

from hw.base import place
from hw.base.error import InputError
from model.projection.fewest import fleet
from model.projection.served_day import FOLDER, served_day


def test_the_committed_day_of_the_first_site_is_whole() -> None:
    day = served_day("gwangju", place.measurements())
    assert day is not None
    assert [hour.hour for hour in day.hours][:24] == list(range(24))
    figures = {figure.name: figure.nominal for figure in day.shown}
    arrived = sum(hour.requests_per_s * 3600 for hour in day.hours)
    assert arrived == pytest.approx(figures["day.gwangju.requests"])
    assert figures["day.gwangju.fullest_tokens_per_s"] == max(hour.tokens_per_s for hour in day.hours)
    assert figures["day.gwangju.fullest_tokens_per_s"] > figures["day.gwangju.tokens_per_s"]


def test_a_site_without_a_record_has_no_day(tmp_path: Path) -> None:
    assert served_day("gwangju", tmp_path) is None


def test_a_record_that_lacks_a_number_is_refused_with_what_makes_it(tmp_path: Path) -> None:
    text = json.loads((place.measurements() / FOLDER / "gwangju.json").read_text())
    del text["hours"][3]["tokens_per_s"]
    (tmp_path / FOLDER).mkdir(parents=True)
    (tmp_path / FOLDER / "gwangju.json").write_text(json.dumps(text))
    with pytest.raises(InputError, match=r"not lack 'tokens_per_s'; run kcloud-cosim serve --site gwangju --json"):
        served_day("gwangju", tmp_path)


def test_the_committed_fleet_says_who_keeps_the_target() -> None:
    found = fleet(place.measurements())
    assert found is not None
    at = {(one.chip, one.model): one for one in found.found}
    assert {model for _, model in at} == {"llama31_8b", "llama31_70b"}
    for one in at.values():
        assert (one.cards is None) == bool(one.reason)
        if one.cards is not None and one.wall_kw is not None:
            assert one.cards.nominal >= 1
            assert one.wall_kw.inputs[0].varies
    for chip, model in at:
        small, large = at[chip, "llama31_8b"].cards, at[chip, "llama31_70b"].cards
        assert small is None or large is None or small.nominal < large.nominal, (chip, model)


def test_a_fleet_without_a_number_is_refused(tmp_path: Path) -> None:
    assert fleet(tmp_path) is None
    (tmp_path / FOLDER).mkdir(parents=True)
    (tmp_path / FOLDER / "fewest.json").write_text('{"asked": {"rate": 5}, "rows": []}')
    with pytest.raises(InputError, match="must be what serve --fewest prints"):
        fleet(tmp_path)
