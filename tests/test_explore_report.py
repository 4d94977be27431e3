"""A front in the report: the section from a store, its picture, and what is said if there is none."""

import json
from pathlib import Path

import pytest

from hw.base.command_line import main
from model import cli
from model.report.section_explore import explored, read
from model.report.section_type import Section


class Shows:
    """A summary as far as the section looks at it."""

    def __init__(self, store: Path | None) -> None:
        self.store = store


def sections(store: Path | None) -> list[Section]:
    return explored(Shows(store))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    assert main("", cli, ["explore", "digits_small", "--store", str(folder), "--workers", "1"]) == 0
    return folder


def test_the_section_holds_the_front_its_knee_and_how_sure_it_is(store: Path) -> None:
    told = read(store)
    (section,) = sections(store)
    assert section.title == "Exploration: four small INT8 cores on the digits network"
    head, *rows = section.rows
    assert head[:5] == ("rows", "columns", "memory_words", "seconds (min)", "area_mm2 (min)")
    assert [row[:3] for row in rows] == [tuple(map(str, one["axes"].values())) for one in told["front"]]
    assert [row[-1] for row in rows].count("knee") == 1
    notes = "".join("".join(note) for note in section.notes)
    assert f"{told['points']:,} points" in notes
    assert told["sensitivity"].keys() == {"area_mm2"}
    assert 0 < told["sensitivity"]["area_mm2"] <= 1


def test_built_cores_stand_beside_their_prediction_and_the_gates(store: Path) -> None:
    row = {
        "axes": {"rows": 4}, "layers": 3, "measured": 100, "predicted": 100, "off": 0, "where": [], "seconds": 1.0,
        "gates": {"area_mm2": 0.2, "assumed_area_mm2": 0.1, "pj_per_mac": 3.0, "assumed_pj_per_mac": 2.5},
    }  # fmt: skip
    (store / "front_rtl.json").write_text(json.dumps([row]))
    _, built = sections(store)
    assert built.rows[1] == ("rows 4", "3", "100", "100", "0", "0.2 (0.1)", "3 (2.5)")
    (store / "front_rtl.json").unlink()


def test_the_report_takes_the_section_and_the_picture(store: Path, tmp_path: Path) -> None:
    given = ["report", "--chip", "tiny", "--workload", "gemm_16", "--format", "markdown", "--output", str(tmp_path)]
    assert main("", cli, ["predict", "--chip", "tiny", "--workload", "gemm_16"]) == 0
    assert main("", cli, [*given, "--screen", "--store", str(store)]) == 0
    assert "Exploration: four small INT8 cores" in (tmp_path / "report.md").read_text()


def test_a_store_without_a_front_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sections(None) == []
    assert main("", cli, ["report", "--store", str(tmp_path)]) == 2
    assert "must hold the front of an exploration" in capsys.readouterr().err
