"""Progress: silent for what is short, sparse in a log, in place in a terminal."""

import argparse
import io
import json
import time
from pathlib import Path
from typing import Any

import pytest

import model.cli
from hw.base import progress as module
from hw.base.command_line import main
from hw.base.progress import Progress, progress
from model.cli import _serve_time
from model.serving import checkpoint, simulate


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


QUESTIONS = (
    ("--rate", "30", "--requests", "3000"),
    ("--closed-loop", "64", "--requests", "3000"),
    ("--rates", "20", "30", "--requests", "1500"),
)
"""Loads of `serve` that take a second or two."""


@pytest.mark.parametrize("load", QUESTIONS, ids=lambda load: load[0])
def test_serve_says_how_long_it_has_been_going_on_and_how_long_it_will_be(
    load: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "SPARSE_S", tuple(0.02 * k for k in range(1, 500)))
    for part in (checkpoint, simulate):  # short runs are asked as often as long ones
        monkeypatch.setattr(part, "EVENTS", 500)
    words = ["serve", "--chip", "nvidia_l4", "--model", "qwen3_0_6b", "--format", "fp16", "--answer", "64", *load]
    assert main("model", model.cli, words) == 0
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert lines
    assert all(line.startswith(f"serve   {load[0].removeprefix('--').replace('-', ' ')}, ") for line in lines)
    assert any(" s of about " in line for line in lines)
    assert "of about" not in captured.out


def test_a_question_asked_again_is_expected_to_take_as_long_as_it_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_serve_time, "FIRST_S", -1.0)
    asked = argparse.Namespace(users=True, chips=["a", "b"], json=False)
    with _serve_time.shown(asked, "users") as state:
        assert state.expected is None
        time.sleep(0.12)
    with _serve_time.shown(argparse.Namespace(users=True, chips=["a", "b"], json=True), "users") as state:
        assert state.expected == pytest.approx(0.1, abs=0.1)
    with _serve_time.shown(argparse.Namespace(users=True, chips=["a"], json=False), "users") as state:
        assert state.expected is None
    Path(_serve_time.TIMES).write_text("no JSON")
    with _serve_time.shown(asked, "users") as state:
        assert state.expected is None


def test_the_share_of_the_requests_that_ended_gives_the_time_of_all_runs() -> None:
    now = iter([0.0, 1.0, 2.0, 8.0])
    state = Progress(what="serve")
    told = _serve_time.follow(state, 100, False, clock=lambda: next(now))
    cluster: Any = type("Cluster", (), {"log": []})()
    told(cluster)  # nothing ended: nothing is known
    assert state.expected is None
    cluster.log = [0] * 50
    told(cluster)  # half after 1 s: 2 s, and two more runs as long
    assert state.expected == pytest.approx(3 * 2.0)
    told(cluster)  # half after 2 s
    assert state.expected == pytest.approx(3 * 4.0)
    told(cluster)  # half after 8 s: 16 s, and the two others at once
    assert state.expected == pytest.approx(2 * 16.0)
