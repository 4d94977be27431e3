"""Counts add; records are identical for identical runs, and refuse what is not a record."""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hw.base.error import InputError
from model import record
from model.count import Counts
from model.record import Measurement, Origin, Result

COMMITTED = Path(__file__).parents[1] / "measurements"
DIGESTS = "01234567-fedcba98"
"""Of `a_result`, as its record's name holds them."""


def a_result(**changes: object) -> Result:
    result = Result(
        chip="tiny",
        chip_digest="0123456789abcdef",
        workload="gemm_16",
        workload_digest="fedcba9876543210",
        witness="rtl",
        seed=7,
        cycles=1100,
        phases={"fill": 5, "stream": 1095},
        counts=Counts({"mac_array.mac": 4096, "accumulator.write": 256}),
        toggles={"mac_array": 99},
        figures={"macs": 4096, "share": 0.25},
        layers=({"name": "a", "cycles": 1100, "macs": 4096},),
    )
    return replace(result, **changes)  # type: ignore[arg-type]


def a_measurement(**changes: object) -> Measurement:
    return Measurement(
        result=a_result(**changes),
        origin=Origin(verilog_digest="ab", tools={"verilator": "5"}, commit="c0ffee", command="run"),
    )


def test_counts_add_name_by_name_and_repeat() -> None:
    a, b = Counts({"mac_array.mac": 3}), Counts({"mac_array.mac": 4, "accumulator.write": 1})
    assert a + b == Counts({"accumulator.write": 1, "mac_array.mac": 7})
    assert 3 * b == b * 3 == b + b + b
    assert dict(a) == {"mac_array.mac": 3}
    assert b.by_component() == {"mac_array": {"mac": 4}, "accumulator": {"write": 1}}


def test_counts_accept_numpy_integers_and_hold_python_ones() -> None:
    assert type(Counts({"a.b": np.int64(5)})["a.b"]) is int  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        ({"mac": 1}, "must be named component.event in lower case, not 'mac'"),
        ({"a.b": -1}, "the count of a.b must be an integer of at least 0, not -1"),
        ({"a.b": 1.5}, "the count of a.b must be an integer of at least 0, not 1.5"),
    ],
)
def test_counts_refuse_bad_names_and_numbers(bad: dict, text: str) -> None:
    with pytest.raises(InputError, match=text):
        Counts(bad)


def test_a_record_reads_back_equal(tmp_path: Path) -> None:
    path = record.write(a_measurement(), root=tmp_path)
    assert path == tmp_path / "tiny" / f"gemm_16.7.rtl.{DIGESTS}.json"
    assert record.read(path) == a_measurement()
    assert record.find("tiny", "gemm_16", 7, "rtl", tmp_path) == a_measurement()
    assert record.read_all(tmp_path) == [a_measurement()]


def test_identical_runs_give_identical_result_bytes(tmp_path: Path) -> None:
    other = a_result(phases={"stream": 1095, "fill": 5}, figures={"share": 0.25, "macs": 4096})
    assert record.result_bytes(a_result()) == record.result_bytes(other)
    written = record.read(record.write(a_measurement(), tmp_path / "x.json")).result
    assert record.result_bytes(written) == record.result_bytes(a_result())
    assert record.result_bytes(a_result(seed=8)) != record.result_bytes(a_result())


def test_every_truncation_of_a_record_is_refused_in_one_sentence(tmp_path: Path) -> None:
    text = record.write(a_measurement(), tmp_path / "x.json").read_text()
    for length in range(0, len(text) - 2, 7):
        cut = tmp_path / "cut.json"
        cut.write_text(text[:length])
        with pytest.raises(InputError, match=r"must be complete JSON, not damaged at line \d+; delete it"):
            record.read(cut)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ([], "must be a measurement record with a schema"),
        ({"name": "x"}, "must be a measurement record with a schema"),
        ({"schema": 1, "result": {}, "origin": {}}, "must have schema 2, not 1"),
        ({"schema": 2, "origin": {}}, "its result half must be an object, not NoneType"),
        ({"schema": 2, "result": {"chip": "x"}, "origin": {}}, "result half must have the field 'chip_digest'"),
        ({"schema": 2, "result": {"joules": 1}, "origin": {}}, "must not have a field 'joules'"),
        ({"schema": 2, "result": {"layers": 1}, "origin": {}}, "must have the field"),
    ],
)
def test_foreign_files_are_refused(tmp_path: Path, document: object, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match=text):
        record.read(path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cycles", -1),
        ("cycles", "many"),
        ("seed", None),
        ("counts", [1]),
        ("counts", {"a.b": "x"}),
        ("layers", {}),
        ("layers", [3]),
        ("layers", [{"name": "a", "cycles": 1}]),
        ("figures", {"x": "y"}),
        ("phases", {"x": 0.5}),
        ("verdict", "maybe"),
        ("failure", "but it passed"),
        ("witness", "guess"),
        ("chip", "../x"),
        ("toggles", []),
    ],
)
def test_a_damaged_field_is_refused_and_named(tmp_path: Path, field: str, value: object) -> None:
    path = record.write(a_measurement(), tmp_path / "x.json")
    document = json.loads(path.read_text())
    document["result"][field] = value
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"record .*x\.json cannot be used: .*; delete it and run again"):
        record.read(path)


def test_a_binary_file_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_bytes(bytes(range(256)))
    with pytest.raises(InputError, match="must be JSON text, not binary;"):
        record.read(tmp_path / "b.json")
    with pytest.raises(InputError, match="there is no record"):
        record.read(tmp_path / "none.json")
    with pytest.raises(InputError, match=r"run kcloud-cosim sim --chip tiny --workload gemm_16 --seed 7"):
        record.find("tiny", "gemm_16", 7, "rtl", tmp_path)


def test_a_failed_write_leaves_the_old_record_and_no_litter(tmp_path: Path) -> None:
    path = record.write(a_measurement(), tmp_path / "x.json")
    with pytest.raises(TypeError):
        record.write(a_measurement(layers=({"name": {1}, "cycles": 1, "macs": 1},)), path)
    with pytest.raises(InputError, match="must be writable"):
        record.write(a_measurement(), path / "below_a_file.json")
    assert record.read(path) == a_measurement()
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_variants_of_one_chip_lie_side_by_side_and_are_found_by_digest(tmp_path: Path) -> None:
    other = a_measurement(chip_digest="aaaabbbbccccdddd", cycles=2, phases={"stream": 2})
    first, second = (record.write(m, root=tmp_path) for m in (a_measurement(), other))
    assert first != second
    for wanted in (a_measurement(), other):
        found = record.find("tiny", "gemm_16", 7, "rtl", tmp_path, chip_digest=wanted.result.chip_digest)
        assert found == wanted
    os.utime(first, ns=(1, 1))
    assert record.find("tiny", "gemm_16", 7, "rtl", tmp_path) == other  # the one written last
    with pytest.raises(record.NoRecordError):
        record.find("tiny", "gemm_16", 7, "rtl", tmp_path, workload_digest="0" * 16)


@pytest.mark.parametrize("seeds", [("1", "11"), ("2", "2.rtl")])
def test_a_run_whose_name_begins_with_anothers_is_not_taken_for_it(tmp_path: Path, seeds: tuple[str, str]) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / f"gemm_16.{seeds[1]}.rtl.json").write_text("{}")
    with pytest.raises(record.NoRecordError):
        record.find("tiny", "gemm_16", int(seeds[0]), "rtl", tmp_path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cycles", 1101),
        ("chip_digest", "ffff" * 4),
        ("seed", 8),
        ("figures", {"macs": 4097, "share": 0.25}),
        ("counts", {"mac_array.mac": 4095, "accumulator.write": 256}),
        ("toggles", {}),
        ("chip", "tiny2"),
    ],
)
def test_a_record_edited_by_hand_is_refused(tmp_path: Path, field: str, value: object) -> None:
    path = record.write(a_measurement(), tmp_path / "x.json")
    document = json.loads(path.read_text())
    document["result"][field] = value
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"the file was edited; delete it|labels of a record must sum to its 1,101"):
        record.read(path)
    del document["digest"]
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match="cannot be used"):
        record.read(path)


def test_rtl_and_model_of_one_run_must_agree() -> None:
    rtl = a_result()
    model = replace(rtl, witness="model")
    assert record.disagreement(rtl, model) is None
    assert record.disagreement(rtl, replace(model, chip_digest="0" * 16, cycles=3, phases={})) is None
    assert record.disagreement(rtl, replace(model, cycles=3, phases={})) == "1,100 and 3 cycles"
    assert record.disagreement(rtl, replace(model, phases={"stream": 1100})) == "5 and 0 cycles of fill"
    moved = Counts({"mac_array.mac": 4096, "accumulator.write": 255})
    assert record.disagreement(rtl, replace(model, counts=moved)) == "256 and 255 of accumulator.write"


def test_every_committed_record_holds_its_digest_its_labels_and_its_witness() -> None:
    found = record.read_all(COMMITTED)  # `read` checks digest and labels
    assert len(found) > 400
    runs = {(m.result.chip, m.result.workload, m.result.seed, m.result.witness): m.result for m in found}
    pairs = [(run, runs.get((*key[:3], "model"))) for key, run in runs.items() if key[3] == "rtl"]
    assert pairs
    for rtl, model in pairs:
        assert model is None or record.disagreement(rtl, model) is None, rtl.run
        assert rtl.phases, rtl.run


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 8},
        {"witness": "model"},
        {"chip": "npu_16"},
        {"workload": "gemm_32"},
        {"chip_digest": "0" * 16},
        {"workload_digest": "0" * 16},
    ],
)
def test_a_record_of_another_run_in_this_runs_place_is_refused(tmp_path: Path, changes: dict) -> None:
    path = record.write(a_measurement(), root=tmp_path)
    assert record.find("tiny", "gemm_16", 7, "rtl", tmp_path).result.cycles == 1100
    record.write(a_measurement(**changes), path)  # its own digest fits, its name does not
    with pytest.raises(InputError, match="must lie where its run's records lie"):
        record.find("tiny", "gemm_16", 7, "rtl", tmp_path)
    with pytest.raises(InputError, match="must lie where its run's records lie"):
        record.read_all(tmp_path)


def test_the_commit_is_asked_for_without_a_lock_of_the_users_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for words in (["init", "-q"], ["add", "a"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"]):
        (tmp_path / "a").write_text("same")
        subprocess.run(["git", *words], check=True)
    os.utime(tmp_path / "a", (1, 1))  # `git status` would write a fresh index
    index = tmp_path / ".git" / "index"
    before = index.read_bytes(), index.stat().st_mtime_ns
    assert len(record.current_commit()) == 40
    assert (index.read_bytes(), index.stat().st_mtime_ns) == before
