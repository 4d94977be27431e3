"""The stated clock of a core beside what its gates reach: said wherever cycles become seconds."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hw import chips
from hw.base.command_line import main
from hw.gates import core_clock, scaling
from hw.gates.core_clocks import CLOCKS
from hw.spec.fact import Fact
from model import cli
from model.report.section_card import _notes
from model.report.summary import summarise

NPU = chips.load("npu_16")
SAID = "GHz is stated (assumed), and the gates of this machine reach"
UNKNOWN = "and no clock of this machine was measured at the gates here"
NO_GATES = "no gates of this chip are here"


def clocked(ghz: float) -> Any:
    return replace(NPU, clock=Fact(nominal=ghz, unit="GHz", confidence="assumed", source="a test"))


def test_delays_shrink_with_the_node_by_the_published_equation() -> None:
    factors = {node: scaling.delay_factor(node) for node in (45, 28, 22, 16, 14, 7, 5, 4)}
    assert factors[45].nominal == pytest.approx(1.0)
    # 24.8 V^2 - 47.52 V + 28.87 at 0.8 V over the cubic of 45 nm at 1.0 V, 12.5
    assert factors[16].nominal == pytest.approx((24.8 * 0.64 - 47.52 * 0.8 + 28.87) / 12.5)
    assert all(f.low <= f.nominal <= f.high for f in factors.values())
    assert factors[45].nominal > factors[28].nominal > factors[16].nominal > factors[7].nominal > factors[4].nominal
    assert [node for node, f in factors.items() if f.extrapolated] == [5, 4]


def test_a_clock_above_the_gates_is_said_with_what_they_would_reach_elsewhere() -> None:
    found = core_clock.reached(NPU)
    assert found is not None
    assert 0.1 < found.ghz < 0.3
    note = core_clock.note(NPU)
    assert note.startswith(f"1 {SAID} {found.ghz:.3f} GHz in 45 nm ({found.slowest})")
    assert f"{found.ghz / scaling.delay_factor(16).nominal:.2f} at 16 nm" in note
    assert f"{1 / found.ghz:.1f} times as fast as these gates" in note


def test_a_clock_that_the_gates_reach_is_said_without_a_warning() -> None:
    found = core_clock.reached(NPU)
    assert found is not None
    within = core_clock.note(clocked(found.ghz))
    assert SAID in within
    assert "times as fast" not in within
    assert "times as fast" in core_clock.note(clocked(1.01 * found.ghz))
    assert core_clock.note(replace(NPU, clock=None)).startswith(
        "no clock is stated, and the gates of this machine reach"
    )


def test_a_machine_that_was_not_mapped_says_that_it_has_no_clock_at_the_gates() -> None:
    assert NPU.core is not None
    other = replace(NPU, machine=replace(NPU.core, activation_words=8192))
    assert core_clock.reached(other) is None
    assert core_clock.note(other).startswith(f"1 GHz is stated (assumed), {UNKNOWN}")
    assert core_clock.short(other) == "clock stated 1 GHz, none measured at the gates"
    for name, chip in chips.load_all()[0].items():
        assert core_clock.note(chip), name
        assert NO_GATES in core_clock.note(chip) or chip.machine is not None, name
    facts_alone = chips.load("nvidia_l4")
    assert core_clock.note(facts_alone).startswith(NO_GATES)
    assert core_clock.short(facts_alone) == ""


def test_a_pim_device_is_clocked_by_its_dram() -> None:
    clock = chips.load("aim").stated_clock
    assert clock is not None
    assert clock.nominal == pytest.approx(2.0)  # a period of 0.5 ns
    assert core_clock.note(chips.load("aim")).startswith("2 GHz is stated (inferred), and ")


def test_what_is_kept_is_what_is_read(tmp_path: Path) -> None:
    text = core_clock.source(CLOCKS)
    kept: dict[str, Any] = {}
    exec(text, kept)
    assert kept["CLOCKS"] == CLOCKS
    assert text == Path(core_clock.__file__).with_name("core_clocks.py").read_text()


@pytest.mark.parametrize(
    "words",
    [
        ("predict", "--chip", "npu_16", "--workload", "digits"),
        ("device", "--chip", "npu_16", "--workload", "resnet50", "--scenario", "single_stream"),
        ("serve", "--chip", "npu_16", "--model", "qwen3_0_6b", "--prompt", "16", "--answer", "4", "--batch", "1"),
        ("serve", "--chip", "npu_16", "--model", "qwen3_0_6b", "--prompt", "16", "--answer", "2", "--rate", "0.001",
         "--requests", "2"),
        ("serve", "--chip", "npu_16", "--fewest", "qwen3_0_6b", "--prompt", "16", "--answer", "2", "--rate", "0.001",
         "--requests", "2", "--ttft", "1e6", "--tpot", "1e6"),
    ],
    ids=lambda words: " ".join(words[:2]),
)  # fmt: skip
def test_every_verb_that_gives_seconds_says_so(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main("model", cli, list(words)) == 0
    assert SAID in capsys.readouterr().out


def test_fewest_cards_and_a_site_say_that_the_clock_of_their_cards_was_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    few = ["serve", "--fewest", "qwen3_0_6b", "--chips", "furiosa_rngd", "nvidia_l4", "npu_16", "--rate", "0.001"]
    few += ["--requests", "2", "--prompt", "16", "--answer", "2", "--ttft", "1e6", "--tpot", "1e6"]
    assert main("model", cli, few) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("clock ")]
    assert [text in line for text, line in zip((UNKNOWN, NO_GATES, SAID), said, strict=True)] == [True] * 3
    assert main("model", cli, ["serve", "--site", "gwangju", "--requests", "50"]) == 0
    assert UNKNOWN in capsys.readouterr().out
    assert main("model", cli, ["serve", "--site", "gwangju", "--requests", "50", "--json"]) == 0
    notes = json.loads(capsys.readouterr().out)["clock_at_gates"]
    assert notes
    assert all("the gates" in note or NO_GATES in note for note in notes.values())


SMALL = ["--requests", "3", "--prompt", "16", "--answer", "2"]


@pytest.mark.parametrize(
    "words",
    [
        ["--fewest", "qwen3_0_6b", "--chips", "nvidia_l4", "--rate", "0.001", *SMALL, "--ttft", "1e6", "--tpot", "1e6"],
        ["--chip", "nvidia_l4", "--model", "qwen3_0_6b", "--rates", "0.001", *SMALL],
        ["--chip", "nvidia_l4", "--model", "qwen3_0_6b", "--rate", "0.001", *SMALL],
        ["--site", "gwangju", "--requests", "50", "--years", "2"],
    ],
    ids=lambda words: words[0] + words[-2],
)
def test_the_json_of_every_question_to_serve_says_so(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main("model", cli, ["serve", *words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    for row in found if isinstance(found, list) else [found]:
        assert row["clock_at_gates"]
        assert all("the gates" in note or NO_GATES in note for note in row["clock_at_gates"].values())


def test_the_list_and_json_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main("model", cli, ["list", "chips"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "clock stated 1 GHz, gates reach 0." in lines["npu_16"]
    assert "none measured at the gates" in lines["furiosa_rngd"]
    assert "clock" not in lines["nvidia_l4"].partition("[facts alone")[2]
    assert main("model", cli, ["predict", "--chip", "npu_16", "--workload", "digits", "--json"]) == 0
    assert SAID in json.loads(capsys.readouterr().out)["time_ms"]["clock_at_gates"]


def test_the_report_says_so() -> None:
    notes = _notes(summarise("npu_16", NPU, "digits", 1, chips.load_all()[0]))
    assert any(SAID in "".join(sentence) for sentence in notes)
