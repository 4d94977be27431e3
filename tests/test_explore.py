"""Exploration: stores by digest, brute force, workers and clusters that die, bad input, fronts held to RTL."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hw import chips
from hw.base.command_line import main
from hw.base.error import InputError
from model import cli
from model.predict import predict
from model.sweep import spaces
from model.sweep.front import efficient, front_of
from model.sweep.run import explore, store_at
from model.sweep.space_file import load
from model.sweep.subjects import core as cores
from model.work.random_gemm import RandomGemms
from model.work.workload import Gemm

ROOT = Path(__file__).resolve().parent.parent


def contents(folder: Path) -> dict[str, str]:
    """File of points -> digest of its bytes."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("points-*.parquet")}


@pytest.mark.parametrize("name", spaces.names())
def test_every_space_loads_and_its_subject_knows_its_axes(name: str) -> None:
    from model.sweep import subjects

    space = load(name)
    subjects.load(space.subject).check(space)
    assert set(space.objectives) <= subjects.load(space.subject).RESULTS.keys() | space.axes.keys()


def test_a_point_costs_the_cycles_that_the_model_predicts(tmp_path: Path) -> None:
    """Two witnesses for the sweep's count: the model's own prediction of the changed chip, layer by layer."""
    space, store = load("digits_small"), store_at(tmp_path)
    explore(space, store, workers=1)
    base = chips.load("tiny")
    assert base.core is not None
    for digests, columns in store.read(["rows", "memory_words", "layer", "cycles"]):
        for index in range(len(digests)):
            settings = (
                ("rows", columns["rows"][index].item()),
                ("columns", 4),
                ("memory_words", columns["memory_words"][index].item()),
            )
            core = cores.core_of(base.core, settings)
            one = cores.layer(str(columns["layer"][index]))
            shape = Gemm(name="layer", m=one.m, n=one.n, k=one.k, count=one.count)
            assert core is not None
            told = predict(replace(base, machine=core), RandomGemms(title="layer", shapes=(shape,)))
            assert columns["cycles"][index] == told.cycles


def test_what_is_in_the_store_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space, store = load("digits_small"), store_at(tmp_path)
    assert explore(space, store, workers=1, chunk=5).evaluated == 12
    monkeypatch.setattr(cores, "evaluate", lambda *given: pytest.fail("a point was run again"))
    again = explore(space, store, workers=1, chunk=5)
    assert (again.evaluated, again.found) == (0, 12)
    monkeypatch.undo()
    wider = replace(space, axes={**space.axes, "rows": [2, 4, 8]})
    assert explore(wider, store, workers=1, chunk=5).evaluated == 6


def test_the_front_of_ten_thousand_points_is_that_of_brute_force() -> None:
    draw = np.random.default_rng(3)
    costs = np.round(draw.random((10_000, 3)), 2)
    best = {tuple(row) for row in costs[efficient(costs)]}
    brute = set()
    for row in np.unique(costs, axis=0):
        if not (np.all(costs <= row, axis=1) & np.any(costs < row, axis=1)).any():
            brute.add(tuple(row))
    assert best == brute
    two = costs[:, :2]
    assert {tuple(row) for row in two[efficient(two)]} == {
        tuple(row) for row in np.unique(two, axis=0)
        if not (np.all(two <= row, axis=1) & np.any(two < row, axis=1)).any()
    }  # fmt: skip


def test_the_optimum_of_a_space_is_that_of_brute_force(tmp_path: Path) -> None:
    space = replace(load("digits_cnn_int8"), objectives={"energy_j": "min"})
    store = store_at(tmp_path)
    explore(space, store, workers=1)
    (best,) = front_of(space, store).members
    sums: dict[tuple[int, int, int], float] = {}
    for rows in space.distinct["rows"]:
        for columns in space.distinct["columns"]:
            for words in space.distinct["memory_words"]:
                if rows <= 2 * columns and columns <= 2 * rows:  # type: ignore[operator]
                    layers = space.distinct["layer"]
                    given = {"rows": rows, "columns": columns, "memory_words": words}
                    found = cores.evaluate(
                        space, {**{k: np.full(len(layers), v) for k, v in given.items()}, "layer": np.array(layers)}
                    )
                    sums[rows, columns, words] = float(found["energy_j"].sum())  # type: ignore[index]
    least = min(sums, key=lambda key: sums[key])
    assert tuple(best.axes.values()) == least
    assert best.results["energy_j"] == pytest.approx(sums[least], rel=1e-12)


def test_duckdb_reads_the_store_as_it_is(tmp_path: Path) -> None:
    explore(load("digits_small"), store_at(tmp_path), workers=1, chunk=5)
    found = duckdb.sql(f"select count(*), count(distinct digest), sum(cycles) from '{tmp_path}/points-*.parquet'")
    assert found is not None
    rows = found.fetchall()
    assert rows[0][:2] == (12, 12)
    assert rows[0][2] > 0


SLOW = """
import sys, time
from pathlib import Path
from model.sweep.run import explore, store_at
from model.sweep.space_file import load
from model.sweep.subjects import core
plain = core.evaluate
def slow(space, columns):
    time.sleep(0.4)
    return plain(space, columns)
core.evaluate = slow
if __name__ == "__main__":
    explore(load("digits_small"), store_at(Path(sys.argv[1])), workers=int(sys.argv[2]), dask=sys.argv[3], chunk=2)
"""


def _run(script: Path, folder: Path, workers: int, dask: str, kill_after: float | None) -> None:
    """One run of the slowed exploration; killed with all its workers once a file is there, if asked."""
    process = subprocess.Popen(
        [sys.executable, script, folder, str(workers), dask], env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    if kill_after is None:
        assert process.wait(timeout=120) == 0
        return
    before, limit = len(contents(folder)), time.monotonic() + 60
    while len(contents(folder)) == before and time.monotonic() < limit:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize(("workers", "dask"), [(2, ""), (0, "local")])
def test_a_killed_exploration_goes_on_and_ends_with_the_same_bytes(tmp_path: Path, workers: int, dask: str) -> None:
    plain, killed = tmp_path / "plain", tmp_path / "killed"
    explore(load("digits_small"), store_at(plain), workers=1, chunk=2)
    script = tmp_path / "slow.py"
    script.write_text(SLOW)
    _run(script, killed, workers, dask, 0.0)
    partial = contents(killed)
    assert 0 < len(partial) < 6
    _run(script, killed, workers, dask, None)
    assert contents(killed) == contents(plain)
    assert not [path for path in killed.iterdir() if not path.name.startswith("points-")]


def test_a_space_in_yaml_is_the_space_in_python(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "title: mine\nsubject: core\nbase: {chip: tiny}\naxes:\n  rows: [2, 4]\n  columns: [4]\n"
        "  memory_words: [2048, 4096]\n  layer: ['digits:layer_0']\nobjectives: {seconds: min}\ntotal_over: layer\n"
    )
    assert load(str(path)).digests(np.arange(4))[0] in set(load("digits_small").digests(np.arange(12)))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"axes": {"rowz": [2], "layer": ["digits:layer_0"]}}, "axis 'rowz' must be a field of a core"),
        ({"constraints": ("rows > 100",)}, "must leave at least one of 12 points, not none; loosen one"),
        ({"constraints": ("seconds < 1",)}, "must name axes only, not 'seconds'; put results under limits"),
        ({"constraints": ("__import__('os')",)}, "must be arithmetic and comparisons"),
        ({"axes": {"rows": [], "layer": ["digits:layer_0"]}}, "axis 'rows' must be a list of at least one value"),
        ({"axes": {"rows": [2, "a"], "layer": ["digits:layer_0"]}}, "must hold numbers only or texts only"),
        ({"limits": ("seconds < 0",)}, "not none; loosen a limit"),
        ({"objectives": {"speed": "max"}}, "an objective must be one of"),
        ({"subject": "toaster"}, "subject of a space must be one of"),
        ({"axes": {"rows": [2], "layer": ["digits:nope"]}}, "a layer must be WORKLOAD:NAME"),
    ],
)
def test_an_impossible_space_is_one_sentence(tmp_path: Path, change: dict, sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        _front_with(tmp_path, change)
    assert sentence in str(refused.value)


def _front_with(folder: Path, change: dict) -> None:
    space = replace(load("digits_small"), **change)
    explore(space, store_at(folder), workers=1)
    front_of(space, store_at(folder))


def test_a_cluster_that_does_not_answer_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main("", cli, ["explore", "digits_small", "--store", str(tmp_path), "--dask", "tcp://127.0.0.1:9"]) == 2
    assert "a Dask scheduler must answer at tcp://127.0.0.1:9" in capsys.readouterr().err


def test_a_foreign_or_newer_store_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "points-000000-00.parquet"
    pq.write_table(pa.table({"digest": ["a"]}), path)
    with pytest.raises(InputError, match="not a Parquet file of another"):
        store_at(tmp_path)
    pq.write_table(pa.table({"digest": ["a"]}).replace_schema_metadata({b"kcloud-cosim store": b"99"}), path)
    with pytest.raises(InputError, match="must be of version 1 of the store or older, not 99"):
        store_at(tmp_path)
    path.write_bytes(b"PAR1 no")
    with pytest.raises(InputError, match="cannot be read"):
        store_at(tmp_path)


def test_the_verb_prints_points_seconds_front_and_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main("", cli, ["explore", "digits_small", "--store", str(tmp_path), "--json", "--workers", "1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["points"] == 12
    assert found["seconds"] > 0
    assert found["store"] == str(tmp_path)
    assert [one["knee"] for one in found["front"]].count(True) == 1
    assert (tmp_path / "front.png").stat().st_size > 10_000
    assert main("", cli, ["explore", "digits_smal"]) == 2
    assert "did you mean 'digits_small'?" in capsys.readouterr().err


def test_a_budget_buys_instances_in_proportion_to_the_requests(tmp_path: Path) -> None:
    """The answer by hand: what each task needs of the money for one request a second of the mix."""
    whole = load("gwangju_language")
    axes = {"chip": ["furiosa_rngd"], "cards": [8], "pipeline": [1], "format": ["serving"], "task": ["chat", "large"]}
    mix = {name: whole.base["mix"][name] for name in ("chat", "large")}
    space = replace(whole, axes=axes, constraints=(), base={**whole.base, "mix": mix})
    store = store_at(tmp_path)
    explore(space, store, workers=1)
    (best,) = front_of(space, store).members
    ((_, points),) = store.read(["task", "requests_per_s", "capital_krw", "ttft_s", "tpot_s"])
    share = {"chat": 0.7 / 0.8, "large": 0.1 / 0.8}
    needed = sum(
        share[str(task)] * capital / rate
        for task, capital, rate in zip(points["task"], points["capital_krw"], points["requests_per_s"], strict=True)
    )
    assert best.results["requests_per_s"] == pytest.approx(20e9 / needed)
    assert best.results["tokens_per_s"] == pytest.approx(20e9 / needed * 256)
    assert (points["ttft_s"] <= 1.0).all()
    assert (points["tpot_s"] <= 0.05).all()
    assert best.results["tokens_per_s_low"] < best.results["tokens_per_s"] < best.results["tokens_per_s_high"]


@pytest.mark.rtl
def test_the_front_of_a_small_space_is_built_and_takes_the_predicted_cycles(tmp_path: Path) -> None:
    from tb import cli as tb_cli

    assert main("", cli, ["explore", "digits_small", "--store", str(tmp_path), "--workers", "1"]) == 0
    assert main("", tb_cli, ["front", "digits_small", "--store", str(tmp_path), "--most", "1"]) == 0
    (row,) = json.loads((tmp_path / "front_rtl.json").read_text())
    assert row["measured"] == row["predicted"] > 1000


@pytest.mark.volume
def test_the_front_for_the_convolutional_digits_is_built_and_measured(tmp_path: Path) -> None:
    from tb import cli as tb_cli

    assert main("", cli, ["explore", "digits_cnn_int8", "--store", str(tmp_path)]) == 0
    assert main("", tb_cli, ["front", "digits_cnn_int8", "--store", str(tmp_path)]) == 0
