"""Verbs that print tables print the same as JSON for scripts."""

import json

import pytest

import model.cli
from hw.base.command_line import main


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> object:
    """The JSON that a verb prints; its exit code must be 0."""
    assert main("model", model.cli, list(words)) == 0
    return json.loads(capsys.readouterr().out)


def test_predict(capsys: pytest.CaptureFixture[str]) -> None:
    """Labels sum to the cycles; 4,096 MACs of 16 x 16 x 16; the clock's range gives the time's, the other way round."""
    found = printed(capsys, "predict", "--chip", "tiny", "--workload", "gemm_16", "--json")
    assert isinstance(found, dict)
    assert found["cycles"] == 277 == sum(found["phases"].values())
    assert found["macs"] == 16**3
    low, high = found["time_ms"]["range"]
    assert low <= found["time_ms"]["nominal"] == 277 / found["time_ms"]["clock_ghz"] / 1e6 <= high
    assert [layer["cycles"] for layer in found["layers"]] == [277]


def test_survey(capsys: pytest.CaptureFixture[str], tmp_path: object) -> None:
    """One object a pair; what has no rate has a reason."""
    found = printed(
        capsys, "survey", "--chips", "furiosa_warboy", "tiny", "--workloads", "resnet50", "--json",
        "--output", f"{tmp_path}/survey.csv",
    )  # fmt: skip
    assert isinstance(found, list)
    rate, reason = found
    assert rate["chip"] == "furiosa_warboy"
    assert rate["rate"] > 0
    assert rate["unit"] == "images/s"
    assert not rate["reason"]
    assert (reason["chip"], reason["rate"]) == ("tiny", 0)
    assert reason["reason"]


def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    """The asked figure comes first, every input of every figure is in the list, ranges hold the nominal value."""
    found = printed(capsys, "explain", "gwangju.wall_kw", "--json")
    assert isinstance(found, list)
    names = [figure["name"] for figure in found]
    assert names[0] == "gwangju.wall_kw"
    assert len(names) == len(set(names)) > 10
    for figure in found:
        assert set(figure["inputs"]) <= set(names)
        low, high = figure["range"]
        assert low <= figure["nominal"] <= high


def test_language(capsys: pytest.CaptureFixture[str]) -> None:
    """Llama 3.1 8B: 8,030,261,248 parameters (its model card), 128 KiB of cache a token in FP16."""
    found = printed(capsys, "language", "llama31_8b", "--memory", "48", "--context", "2048", "--json")
    assert isinstance(found, dict)
    assert found["parameters"] == 8_030_261_248
    assert found["cache_bytes_per_token"] == 2 * 32 * 8 * 128 * 2
    room = 48e9 - found["weight_bytes"]
    assert found["largest_batch"] == room // (2048 * found["cache_bytes_per_token"])


def test_records(capsys: pytest.CaptureFixture[str]) -> None:
    """The committed records of a chip, RTL and model side by side."""
    found = printed(capsys, "records", "--chips", "npu_16", "--json")
    assert isinstance(found, list)
    cycles = {row["run"]: row["cycles"] for row in found}
    assert cycles["npu_16/digits.1.rtl"] == cycles["npu_16/digits.1.model"] == 9531
