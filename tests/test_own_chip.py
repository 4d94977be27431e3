"""A chip of the user's own: anywhere, Python or JSON; unfinished files disturb nobody; messages name file and line."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import model.cli
from hw import chips
from hw.base.command_line import main
from hw.base.digest import plain
from hw.base.error import InputError
from hw.spec.chip import Chip
from hw.spec.from_json import chip_of
from model.report.load import left_out, load_programme

ROOT = Path(__file__).parents[1]
OWN = '''"""8 x 8 INT8 core."""

from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from hw.spec.fact import Fact
from hw.spec.mac_array import MacArraySpec

CHIP = Chip(
    title="8 x 8 INT8 core",
    machine=CoreSpec(
        array=MacArraySpec(rows=8, columns=8),
        activation_words=4096,
        weight_words=4096,
        accumulator_rows=256,
        output_words=4096,
    ),
    clock=Fact(nominal=1.0, unit="GHz", confidence="assumed", source="design target"),
)
'''


WORDS = {"activation_words": 64, "weight_words": 64, "accumulator_rows": 64, "output_words": 64}


@pytest.fixture(autouse=True)
def _nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KCLOUD_OWN_FILES", "")


def own(folder: Path, name: str = "my_npu.py", text: str = OWN) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def described(chip: Chip) -> dict[str, Any]:
    """The chip as its JSON file would hold it."""
    held = plain(chip)
    machine = held.pop("machine")
    return held | ({} if chip.machine is None else {chip.machine.part: machine})


def test_a_chip_lies_anywhere_and_is_known_by_its_stem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "far").mkdir()
    own(tmp_path / "far")
    for given in ("far/my_npu.py", str(tmp_path / "far" / "my_npu.py")):
        assert main("model", model.cli, ["predict", "--chip", given, "--workload", "gemm_16"]) == 0
        assert "8 x 8 INT8 core" in capsys.readouterr().out
    assert "my_npu" in chips.names()
    # processes that are started know it too
    code = "from hw import chips; print(chips.load('my_npu').title)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "8 x 8 INT8 core\n"


def test_a_chip_in_json_is_the_same_chip(tmp_path: Path) -> None:
    python = chips.load(str(own(tmp_path)))
    path = own(tmp_path, "other.json", json.dumps(described(python)))
    assert chips.load(str(path)) == python
    assert chips.load(str(path)).digest == python.digest


@pytest.mark.parametrize("name", [n for n in chips.names() if not n.startswith("wip")])
def test_every_chip_survives_json(name: str) -> None:
    chip = chips.load(name)
    assert chip_of(json.loads(json.dumps(described(chip))), name).digest == chip.digest


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"titel": "x"}, "must not have a field 'titel'; did you mean 'title'"),
        ({"core": {**WORDS, "array": {"rowss": 8, "columns": 8}}}, "did you mean 'rows'"),
        ({"core": {"array": {"rows": 8, "columns": 8}}}, "core must have the field 'activation_words'"),
        ({"core": 5}, "core must be an object"),
        ({"cores": "two"}, 'cores must be a whole number, not "two"'),
        ({"title": None}, "title must be text, not null"),
        ({"clock": 1.0}, "clock must be an object with the fields of a Fact"),
        (
            {"clock": {"nominal": -1, "unit": "GHz", "confidence": "assumed", "source": "x"}},
            "clock must be above 0 GHz",
        ),
        ({"clock": {"nominal": 1, "unit": "GHz", "confidence": "sure", "source": "x"}}, "confidence must be one of"),
        ({"facts": {"tpd": {"nominal": 1, "unit": "W", "confidence": "assumed", "source": "x"}}}, "tpd"),
        ({"facts": [1]}, "facts must be an object"),
        ([], "must be an object"),
    ],
)
def test_what_is_wrong_in_json_is_one_sentence(tmp_path: Path, change: object, reason: str) -> None:
    held = {"title": "t", **change} if isinstance(change, dict) else change
    with pytest.raises(InputError, match=reason):
        chips.load(str(own(tmp_path, "a.json", json.dumps(held))))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (OWN.replace("rows=8", "rowss=8"), r"keyword argument 'rowss'; did you mean 'rows'\?.*\(line 1\d of a\.py\)"),
        (OWN.replace("rows=8", "rows=0"), r"rows must be .*\(line 1\d of a\.py\)"),
        (OWN.replace("CHIP =", "CHIPS ="), "must export CHIP"),
        ("CHIP = Chip(", "must be Python"),
        ("CHIP = 5", "must be a Chip, not 5"),
        ("1 / 0", r"not end with ZeroDivisionError: division by zero \(line 1 of a\.py\)"),
        ("import nothing_of_this_name", "ModuleNotFoundError"),
        ("import sys; sys.exit(0)", "must describe something, not end the program"),
        (
            OWN.replace(
                'clock=Fact(nominal=1.0, unit="GHz", confidence="assumed", source="design target")', "clock=1.0"
            ),
            "clock must be a Fact",
        ),
        (OWN.replace("title=", "facts=[1], title="), "."),
        (OWN.replace('title="8 x 8 INT8 core"', "title=None"), "title must be"),
        (OWN.replace("nominal=1.0", 'nominal="1"'), "."),
        (OWN.replace("nominal=1.0", "nominal=float('inf')"), "."),
        (OWN.replace("nominal=1.0", "nominal=-1.0"), "above 0"),
        (OWN.replace("clock=", "machine=3, clock=").replace("machine=CoreSpec(", "x=("), "."),
        (OWN.replace("output_words=4096", "output_words=4096, dma=5"), "dma must be"),
        (OWN.replace("rows=8", 'activation_format=["int8"], rows=8'), "."),
    ],
)
def test_what_is_wrong_in_a_chip_file_is_one_sentence(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        chips.load(str(own(tmp_path, "a.py", text)))


def test_unfinished_files_stop_nobody_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in (("wip", "CHIP = Chip("), ("ends", "raise SystemExit(0)"), ("three", "CHIP = 3")):
        chips.option(str(own(tmp_path, f"{name}.py", text)))
    found, broken = chips.load_all()
    assert "npu_16" in found
    assert sum("left out" in sentence for sentence in broken) == 3
    assert main("model", model.cli, ["explain", "gwangju.wall_kw"]) == 0
    assert len(capsys.readouterr().err.splitlines()) == 3
    assert main("model", model.cli, ["predict", "--chip", "wip", "--workload", "gemm_16"]) == 2


def test_a_product_without_records_does_not_stop_the_projection(tmp_path: Path) -> None:
    warboy = chips.load("furiosa_warboy")
    known, _ = chips.load_all()
    assert left_out({"brand_new": warboy}) == ["brand_new"]
    assert load_programme({**known, "brand_new": warboy}).projection["gwangju.wall_kw"].nominal > 0


@pytest.mark.parametrize("given", ["gone.py", "folder/", "a b.py", "./x.toml", "9.py", "./"])
def test_paths_that_are_no_chip(
    tmp_path: Path, given: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    for name in ("a b.py", "x.toml", "9.py"):
        own(tmp_path, name)
    with pytest.raises(SystemExit) as stop:
        main("model", model.cli, ["predict", "--chip", given if "/" in given or "." in given else f"./{given}"])
    assert stop.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_hint_comes_before_the_long_list() -> None:
    with pytest.raises(
        InputError, match=r"chip must be a known one, not 'npu16'; did you mean 'npu_16'\? known are aim"
    ):
        chips.load("npu16")
    assert os.environ["KCLOUD_OWN_FILES"] == ""


def test_the_chip_of_the_readme_works_in_every_verb_that_takes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    path = own(tmp_path, "my_npu.py", next(block for block in blocks if "CHIP = Chip(" in block))
    for words in (
        ["predict", "--workload", "gemm_16"],
        ["cycles", "--gemm", "64,64,64"],
        ["device", "--workload", "resnet50", "--scenario", "single_stream"],
        ["serve", "--model", "llama31_8b", "--format", "int8", "--batch", "1"],
    ):
        assert main("model", model.cli, [words[0], "--chip", str(path), *words[1:]]) == 0, words
        assert capsys.readouterr().out
