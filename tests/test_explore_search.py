"""Search: fewer points than brute force and the same optimum, the same points for the same seed, none run twice."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hw.base.command_line import main
from hw.base.error import InputError
from model import cli
from model.sweep import run
from model.sweep.front import front_of
from model.sweep.run import Outcome, explore, store_at
from model.sweep.search import search
from model.sweep.space import Space
from model.sweep.space_file import load
from model.sweep.subjects import core as cores

SIZES = [4, 8, 12, 16, 24, 32, 40, 48, 56, 64]
TEN_THOUSAND = Space(
    title="the fastest core of at most 1.5 mm2 for one layer",
    subject="core",
    base={"chip": "npu_16", "bandwidth_gb_s": 32},
    axes={
        "rows": SIZES,
        "columns": SIZES,
        "memory_words": [1024, 1536, 2048, 3072, 4096, 6144, 8192, 16384, 32768, 65536],
        "clock_ghz": [0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4],
        "layer": ["digits:layer_0"],
    },
    objectives={"seconds": "min"},
    limits=("area_mm2 <= 1.5",),
    total_over=("layer",),
)
"""Brute force takes seconds here: the count is a closed form. Evaluators that take longer are what a search is for."""


def by_hand(space: Space) -> float:
    """The least time of all points that keep the limit, without store, front or search."""
    numbers = np.arange(space.size)
    found = cores.evaluate(space, space.columns(numbers))
    return float(found["seconds"][found["area_mm2"] <= 1.5].min())


def searched(space: Space, folder: Path, **how: object) -> tuple[Outcome, set[int]]:
    """What a search did, and the numbers of the points in its store."""
    outcome = search(space, store_at(folder), workers=1, **how)  # type: ignore[arg-type]
    return outcome, set(store_at(folder).points(space)[0].tolist())


def test_the_search_finds_the_optimum_of_ten_thousand_points_that_brute_force_finds(tmp_path: Path) -> None:
    assert TEN_THOUSAND.size == 10_000
    best = by_hand(TEN_THOUSAND)
    explore(TEN_THOUSAND, store_at(tmp_path / "all"), workers=1)
    (brute,) = front_of(TEN_THOUSAND, store_at(tmp_path / "all")).members
    outcome, asked = searched(TEN_THOUSAND, tmp_path / "few", method="optuna", points=400, seed=2)
    (found,) = front_of(TEN_THOUSAND, store_at(tmp_path / "few"), whole=False).members
    assert brute.results["seconds"] == found.results["seconds"] == best
    assert found.results["area_mm2"] <= 1.5
    assert outcome.evaluated == outcome.points == len(asked) <= 400


@pytest.mark.parametrize("method", ["sobol", "optuna"])
def test_equal_seeds_ask_equal_points_and_another_seed_others(tmp_path: Path, method: str) -> None:
    space = replace(TEN_THOUSAND, objectives={"seconds": "min", "area_mm2": "min"}, limits=())
    first, points = searched(space, tmp_path / "1", method=method, points=100, seed=1)
    again, same = searched(space, tmp_path / "2", method=method, points=100, seed=1)
    _, other = searched(space, tmp_path / "3", method=method, points=100, seed=5)
    assert first.points == again.points == len(points) == 100
    assert points == same != other
    names = [sorted(path.name for path in (tmp_path / folder).iterdir()) for folder in "12"]
    assert names[0] == names[1]


@pytest.mark.parametrize("method", ["sobol", "optuna"])
def test_a_search_runs_no_point_that_is_in_the_store(
    tmp_path: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the space is there already; then the whole search again runs nothing at all."""
    space = replace(load("digits_small"), axes={**load("digits_small").axes, "rows": [2, 4, 6, 8]})
    explore(load("digits_small"), store_at(tmp_path), workers=1)
    plain, ran = cores.evaluate, list[int]()
    monkeypatch.setattr(
        cores, "evaluate", lambda space, columns: ran.extend(columns["rows"].tolist()) or plain(space, columns)
    )
    outcome, _ = searched(space, tmp_path, method=method, points=24, seed=1)
    assert outcome.points == 24
    assert len(ran) == outcome.evaluated
    assert set(ran) <= {6, 8}
    ran.clear()
    again, _ = searched(space, tmp_path, method=method, points=24, seed=1)
    assert (again.points, again.evaluated, again.found, ran) == (24, 0, 24, [])


def test_a_search_of_several_objectives_finds_designs_of_the_true_front(tmp_path: Path) -> None:
    space = replace(TEN_THOUSAND, objectives={"seconds": "min", "area_mm2": "min"}, limits=())
    explore(space, store_at(tmp_path / "all"), workers=1)
    whole = {tuple(one.results[name] for name in space.objectives) for one in front_of(
        space, store_at(tmp_path / "all")).members}  # fmt: skip
    searched(space, tmp_path / "few", method="optuna", points=600, seed=1)
    few = front_of(space, store_at(tmp_path / "few"), whole=False)
    hit = {tuple(one.results[name] for name in space.objectives) for one in few.members} & whole
    assert len(hit) >= len(whole) // 2
    assert few.designs == 600


def test_constraints_hold_in_a_search_and_a_small_space_is_seen_whole(tmp_path: Path) -> None:
    space = load("digits_cnn_int8")
    for method in ("sobol", "optuna"):
        _, asked = searched(space, tmp_path / method, method=method, points=10**6, seed=1)
        columns = space.columns(np.array(sorted(asked)))
        assert (columns["rows"] <= 2 * columns["columns"]).all()
        assert (columns["columns"] <= 2 * columns["rows"]).all()
    assert set(store_at(tmp_path / "sobol").points(space)[0].tolist()) == set(space.kept(np.arange(space.size)))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--search", "sobol"], "must be told how many points; add --points N"),
        (["--points", "4"], "must come with a search; add --search sobol or --search optuna"),
        (["--search", "optuna", "--points", "0"], "points of a search must be at least 1, not 0"),
    ],
)
def test_an_impossible_search_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: list[str], sentence: str
) -> None:
    assert main("", cli, ["explore", "digits_small", "--store", str(tmp_path), *given]) == 2
    shown = capsys.readouterr().err
    assert sentence in shown
    assert "Traceback" not in shown


def test_constraints_that_leave_nothing_are_one_sentence(tmp_path: Path) -> None:
    for method in ("sobol", "optuna"):
        with pytest.raises(InputError, match="must leave at least one of 12 points, not none"):
            searched(replace(load("digits_small"), constraints=("rows > 100",)), tmp_path, method=method, points=9)


def test_a_design_that_lacks_a_point_is_not_on_the_front(tmp_path: Path) -> None:
    """Of two designs one has all three layers in the store, the other two: its sums would be too small."""
    space = load("digits_small")
    whole = space.points_of(np.array([0]))
    partly = space.points_of(np.array([3]))[:2]
    numbers = np.concatenate((whole, partly))
    store = store_at(tmp_path)
    digests, results = run.evaluate(space, numbers)
    store.write(store.path_of(0, digests), digests, space.columns(numbers), results, space.identity)
    found = front_of(space, store, whole=False)
    assert found.designs == 1
    assert found.members[0].results["macs"] == results["macs"][:3].sum()
    with pytest.raises(InputError, match="must hold every point of the space, 7 are missing"):
        front_of(space, store)
