"""The ten questions of docs/planning.md: each has one command, which runs and prints what is written there."""

import re
from pathlib import Path

import pytest

from hw.base.command_line import main
from model import cli
from model.projection.served import MIX, WORKLOAD, served_rate
from model.record import paths_of, read

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"## (\d+)\. [^\n]*\n.*?```\n\$ \./kcloud-cosim ([^\n]*)\n(.*?)```", re.DOTALL)
QUESTIONS = BLOCK.findall((ROOT / "docs" / "planning.md").read_text())


def kept(text: str) -> list[str]:
    """What does not depend on how fast this machine is."""
    lines = [re.sub(r", in [0-9.]+ s$", "", line.rstrip()) for line in text.splitlines()]
    # the clock that gates reach is kept and shown apart from these answers (tests/test_core_clock.py)
    return [line for line in lines if line and not line.startswith(("  simulated", "clock "))]


def test_ten_questions_have_one_command_each() -> None:
    assert [number for number, *_ in QUESTIONS] == [str(n) for n in range(1, 11)]
    assert all(command.startswith("serve ") and output.strip() for _, command, output in QUESTIONS)


QUICK = ("1", "3", "7", "9")
"""Questions whose command takes a second or two."""


@pytest.mark.parametrize(
    ("number", "command", "output"),
    [pytest.param(*q, marks=[] if q[0] in QUICK else pytest.mark.volume, id=f"question-{q[0]}") for q in QUESTIONS],
)
def test_the_output_is_the_commands(
    number: str,
    command: str,
    output: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main("model", cli, command.split()) == 0
    assert kept(capsys.readouterr().out) == kept(output)


def test_the_sites_tokens_are_those_of_served_requests() -> None:
    """Cards of both shares that serve, by their records: tokens at the stated target, prompts included."""
    total = 0.0
    for card, cards in (("sapeon_x330_compact", 30), ("rebellions_atom", 139)):
        (path,) = paths_of(card, WORKLOAD, 1, "model", ROOT / "measurements")
        record = read(path)
        figures = record.result.figures
        assert (figures["prompt"], figures["answer"]) == (MIX.prompt, MIX.answer)
        assert figures["kept"] >= MIX.share
        assert figures["ttft_p99_ns"] <= MIX.ttft * 1e9
        assert figures["per_second_low"] <= figures["per_second"] <= figures["per_second_high"]
        rate = served_rate(record, f"card.{card}.tokens_per_s")
        assert "prompts included" in rate.note
        total += cards * rate.nominal
    assert 40_000 < total < 70_000
    assert not paths_of("furiosa_warboy", WORKLOAD, 1, "model", ROOT / "measurements")
