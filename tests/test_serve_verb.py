"""`serve` as scripts and people use it: one object, one line a request, refusals, a killed run, a site, traces."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hw.base.command_line import main
from model import cli

SMALL = ("--chip", "nvidia_l4", "--model", "qwen3_0_6b", "--format", "fp16")


def serve(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str, str]:
    code = main("model", cli, ["serve", *options])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def parsed(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    code, out, err = serve(capsys, *options, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def test_a_closed_loop_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    found = parsed(capsys, *SMALL, "--engine", "trtllm", "--closed-loop", "4", "--prompt", "128", "--answer", "32")
    for name in ("ttft_ms", "tpot_ms", "latency_ms"):
        figure = found[name]
        low, high = figure["range"]
        assert 0 < low < figure["mean"] < high
        assert figure["p50"] <= figure["p90"] <= figure["p95"] <= figure["p99"]
    low, high = found["tokens_per_s"]["range"]
    assert low < found["tokens_per_s"]["mean"] < high
    assert found["requests"] == 40
    assert found["simulated_requests_per_s"] > 0
    assert found["joules_per_token"]["range"][0] < found["joules_per_token"]["nominal"]
    assert {"krw_per_million_tokens", "gco2e_per_million_tokens", "usage"} <= found.keys()


def test_a_trace_gives_one_line_a_request_with_its_ranges(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    trace, out = tmp_path / "t.csv", tmp_path / "out.jsonl"
    trace.write_text("arrival_s,input_tokens,output_tokens\n" + "".join(f"{i / 10},100,{20 + i}\n" for i in range(20)))
    found = parsed(capsys, *SMALL, "--trace", str(trace), "--requests-out", str(out), "--ttft", "1", "--tpot", "0.05")
    assert found["requests"] == 20
    assert found["target"]["kept"] == 1.0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [r["request"] for r in rows] == list(range(20))
    for i, row in enumerate(rows):
        assert row["arrival_s"] == i / 10
        assert row["arrival_s"] < row["first_token_s"] < row["last_token_s"]
        for name in ("first_token", "last_token"):
            low, high = row[f"{name}_range"]
            assert low <= row[f"{name}_s"] <= high


def timeline(capsys: pytest.CaptureFixture[str], path: Path) -> Path:
    parsed(capsys, *SMALL, "--rate", "5", "--requests", "30", "--answer", "20", "--timeline", str(path))
    return path


def test_the_timeline_loads_with_the_perfetto_package(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TrackEvent

    trace = Trace()
    trace.ParseFromString(timeline(capsys, tmp_path / "run.pftrace").read_bytes())
    tracks = {p.track_descriptor.uuid: p.track_descriptor.name for p in trace.packet if p.HasField("track_descriptor")}
    assert {"sequences", "cache %", "waiting", "request 0", "request 29"} <= set(tracks.values())
    open_slices: dict[int, int] = {}
    before, answers = 0, 0
    for packet in trace.packet:
        if not packet.HasField("track_event"):
            continue
        event = packet.track_event
        assert event.track_uuid in tracks
        assert packet.timestamp >= before
        before = packet.timestamp
        answers += event.name == "answer"
        if event.type == TrackEvent.TYPE_COUNTER:
            assert event.double_counter_value >= 0
        else:
            step = 1 if event.type == TrackEvent.TYPE_SLICE_BEGIN else -1
            open_slices[event.track_uuid] = open_slices.get(event.track_uuid, 0) + step
            assert open_slices[event.track_uuid] in (0, 1)
    assert set(open_slices.values()) == {0}
    assert answers == 30


def test_the_timeline_as_chrome_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    events = json.loads(timeline(capsys, tmp_path / "run.json").read_text())["traceEvents"]
    assert {e["ph"] for e in events} == {"M", "X", "C"}
    spans = [e for e in events if e["ph"] == "X"]
    assert sum(e["cat"] == "request" for e in spans) == 3 * 30
    assert all(e["dur"] >= 0 for e in spans)


def test_plots_are_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    parsed(capsys, *SMALL, "--rate", "5", "--requests", "20", "--answer", "20", "--plots", str(tmp_path))
    assert (tmp_path / "timeline.svg").read_text().startswith("<?xml")


def test_users_at_a_target(capsys: pytest.CaptureFixture[str]) -> None:
    found = parsed(capsys, *SMALL, "--users", "--ttft", "1", "--tpot", "0.02", "--prompt", "200", "--answer", "50")
    users = found["users"]["nominal"]
    low, high = found["users"]["range"]
    assert low <= users <= high
    points = {p["users"]: p["kept"] for p in found["points"]}
    assert points[users] >= 0.99
    assert min(kept for n, kept in points.items() if n > users) < 0.99


def test_screens(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = serve(capsys, *SMALL, "--rate", "2", "--requests", "50", "--shared", "64", "--prefix-cache")
    assert code == 0
    assert "tokens found in the cache" in out
    assert "J a token at the wall, idle time included" in out
    code, out, _ = serve(
        capsys, *SMALL, "--cards", "2", "--replicas", "1", "--decoders", "1", "--rate", "2", "--requests", "9"
    )
    assert code == 0
    assert "1 more that decode" in out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--trace", "none.csv"), "none.csv must be a trace of requests; there is no such file"),
        (("--rate", "0"), "--rate must be above 0, not 0"),
        (("--closed-loop", "0"), "--closed-loop must be at least 1, not 0"),
        (("--rate", "1", "--closed-loop", "2"), "one load must be chosen, not --closed-loop, --rate"),
        (("--users",), "--users must come with a target"),
        (("--json",), "--json must come with --trace, --closed-loop, --rate, --rates, --users, --site, --fewest, one "),
        (("--failures", "12", "--rate", "4"), "--failures must come with --site, --rate does not read it"),
        (("--years", "-1", "--rate", "4"), "--years must come with --site, --rate does not read it"),
        (("--rate", "4", "--beams", "4"), "--beams must come without a load, --rate does not read it"),
        (("--ttft", "1"), "one batch after the other does not read it"),
        (("--site", "gwangju", "--chip", "nvidia_l4"), "--site does not read it"),
        (("--rate", "4", "--requests", "1" + "0" * 40), "--requests must be at most 1000000000"),
        (("--rate", "4", "--replicas", "1" + "0" * 40), "--replicas must be at most 65536"),
        (("--rate", "4", "--block", "1" + "0" * 40), "--block must be at most 1048576"),
        (("--rate", "1", "--cards", "4", "--tensor", "3"), "tensor x pipeline x data must be the 4 devices of 4 cards"),
        (("--users", "--ttft", "0.000001"), "a target must be one that one user keeps"),
        (("--rate", "1", "--prompt", "3000000", "--spread", "0"), "a request must fit the cache"),
        (("--site", "seoul"), "scenario must be a known one, not 'seoul'"),
        (("--site", "gwangju", "--power-cap", "0.01"), "a power cap must leave one instance on"),
    ],
)
def test_refusals_are_one_sentence(capsys: pytest.CaptureFixture[str], options: tuple[str, ...], sentence: str) -> None:
    code, out, err = serve(capsys, *(() if "--site" in options else SMALL), *options)
    assert code == 2
    assert out == ""
    assert sentence in err
    assert "Traceback" not in err


def test_a_site_over_a_day_with_failures_spares_and_a_cap(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    options = ("--site", "gwangju", "--model", "qwen3_0_6b", "--requests", "3000", "--answer", "64", "--failures", "20")
    plain = parsed(capsys, *options, "--plots", str(tmp_path))
    assert plain["requests"] == 3000
    assert plain["failures"] > 0
    assert len(plain["hours"]) == 24
    assert (tmp_path / "fleet.svg").is_file()
    kinds = {k["card"]: k for k in plain["kinds"]}
    assert kinds["furiosa_warboy"]["instances"] == 0
    assert "image networks only" in kinds["furiosa_warboy"]["reason"]
    capped = parsed(capsys, *options, "--power-cap", "3", "--spares", "2")
    assert sum(k["off"] for k in capped["kinds"]) > 0
    assert capped["kilowatts"]["nominal"] < 3
    assert capped["requests"] == 3000


def test_a_killed_run_ends_with_the_same_bytes(tmp_path: Path) -> None:
    """Killed hard in the middle, started again: the file of requests is the same as of a run in one go."""
    root = Path(__file__).parent.parent
    program = "\n".join(
        (
            "import sys",
            "sys.path.insert(0, sys.argv[1])",
            "import model.serving.checkpoint as c",
            "c.SECONDS, c.EVENTS = 0.05, 500",
            "from hw.base.command_line import main",
            "from model import cli",
            "raise SystemExit(main('model', cli, sys.argv[2:]))",
        )
    )

    def start(out: str, requests: str) -> subprocess.Popen[bytes]:
        options = [*SMALL, "--rate", "40", "--requests", requests, "--answer", "64", "--requests-out", out, "--json"]
        return subprocess.Popen(
            [sys.executable, "-c", program, str(root), "serve", *options], cwd=tmp_path, stdout=subprocess.DEVNULL
        )

    assert start("whole.jsonl", "9000").wait(120) == 0
    killed = start("again.jsonl", "9000")
    copies = tmp_path / "build" / "serving"
    until = time.monotonic() + 60
    while killed.poll() is None and not list(copies.glob("*.nominal")) and time.monotonic() < until:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait(20)
    assert killed.returncode == -signal.SIGKILL
    assert list(copies.glob("*.nominal"))
    assert not (tmp_path / "again.jsonl").exists()
    assert start("again.jsonl", "9000").wait(120) == 0
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert not list(copies.glob("*")), os.listdir(copies)
