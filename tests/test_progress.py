"""Progress: silent for what is short, sparse in a log, in place in a terminal."""

import io
import json
import time
from pathlib import Path

import pytest

import model.cli
from hw.base import progress as module
from hw.base.command_line import main
from hw.base.progress import Progress, progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_line_says_how_far_how_long_and_how_long_it_will_be() -> None:
    assert Progress(what="build").line(4.2) == "build, 4 s"
    assert Progress(what="build", expected=50).line(4.2) == "build, 4 s of about 50 s"
    assert Progress(what="build", expected=50).line(70) == "build, 70 s of about 70 s"
    assert Progress(what="records", total=8, done=2).line(10) == "records, 2 of 8, 10 s of about 40 s"


def test_what_ends_at_once_says_nothing() -> None:
    out = Terminal()
    with progress("short", out=out):
        pass
    assert out.getvalue() == ""


def test_a_log_gets_few_lines_and_a_terminal_one_that_is_rewritten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_S", 0.02)
    monkeypatch.setattr(module, "SPARSE_S", (0.05, 0.15))
    log, terminal = io.StringIO(), Terminal()
    with progress("long", out=log), progress("long", out=terminal):
        time.sleep(0.4)
    assert log.getvalue().splitlines() == ["long, 0 s", "long, 0 s"]
    assert terminal.getvalue().startswith("\r\x1b[Klong, 0 s")
    assert terminal.getvalue().endswith("\r\x1b[K")
    assert "\n" not in terminal.getvalue()


@pytest.mark.parametrize("what", ["chips", "workloads", "benches", "models"])
def test_everything_is_listed_in_one_line_each(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main("model", model.cli, ["list", what]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 5
    assert all(len(line.split()) > 1 for line in lines)
    assert main("model", model.cli, ["list", what, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(lines)


def test_records_are_listed_unless_writing_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["records", "--root", str(tmp_path), "--chips", "nvidia_t4"]
    assert main("model", model.cli, words) == 0
    assert "0 records below" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
    assert main("model", model.cli, ["records", "--chips", "nvidia_t4"]) == 0
    said = capsys.readouterr().out
    assert "nvidia_t4/resnet50_offline" in said
