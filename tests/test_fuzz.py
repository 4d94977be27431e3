"""A few hundred drawn cases end in one sentence or a result; a planted fault is found."""

import random
import signal
from pathlib import Path

import pytest

from hw.base import command_line
from tests.support import fuzz, fuzz_files


@pytest.fixture(autouse=True)
def _handler():
    before = signal.getsignal(signal.SIGVTALRM)
    yield
    signal.signal(signal.SIGVTALRM, before)


def test_drawn_cases_end_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for index in range(150):
        folder = tmp_path / str(index)
        folder.mkdir()
        monkeypatch.chdir(folder)
        found.append(fuzz.run_one(11, index, folder))
    assert [f for f in found if f is not None] == []


@pytest.mark.parametrize(
    ("fault", "place"),
    [
        (lambda *words: 1 / 0, "ZeroDivisionError"),
        (lambda *words: 3, "exit code 3"),
        (lambda *words: 2, "0 lines instead of one sentence"),
    ],
)
def test_a_fault_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault, place: str) -> None:
    monkeypatch.setattr(command_line, "main", fault)
    found = fuzz.run_one(1, 1, tmp_path)
    assert found is not None
    assert found.place.startswith(place)


def test_a_case_without_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forever(*words: object) -> int:
        while True:
            pass

    monkeypatch.setattr(command_line, "main", forever)
    monkeypatch.setattr(fuzz, "LIMIT_S", 0.2)
    found = fuzz.run_one(1, 1, tmp_path)
    assert found is not None
    assert found.place.startswith("no end within")


def test_every_kind_of_file_is_drawn_and_equal_seeds_draw_equal_cases(tmp_path: Path) -> None:
    for kind in ("onnx", "npy", "config", "chip", "python", "hex", "text"):
        first = fuzz_files.write(random.Random(5), tmp_path, kind).read_bytes()
        assert fuzz_files.write(random.Random(5), tmp_path, kind).read_bytes() == first
    assert {fuzz.draw(random.Random(i), tmp_path)[0] for i in range(60)} >= set(fuzz.VERBS)
