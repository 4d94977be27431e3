"""The simulator beside measured serving: closed loops of Llama 3.1 on H100 SXM (ai-dynamo/aiconfigurator 095f58a,
silicon
sample, Apache-2.0; times to first token and per further token, rounded)."""

import csv
import statistics
from functools import cache
from pathlib import Path

import pytest

from hw import chips
from model.card.device import device
from model.card.engine import ENGINES
from model.card.iteration import Iteration
from model.network import llm
from model.network.split import Split
from model.serving.answers import tpot, ttft
from model.serving.closed import closed
from model.serving.deploy import Deployed, Rules
from model.serving.service import Service

ROWS = list(csv.DictReader((Path(__file__).parent / "support" / "measured_serving.csv").open()))


@cache
def deployed(engine: str, model: str, tensor: int, weights: str, slots: int | None) -> Deployed:
    return Deployed(
        device=device(chips.load("nvidia_h100_sxm")),
        model=llm.load(model),
        split=Split(tensor=tensor),
        weights=weights,
        cache="bf16",
        engine=ENGINES[engine],
        rules=Rules(sequences=slots),
    )


@cache
def machine(engine: str, model: str, tensor: int, weights: str) -> Iteration:
    return deployed(engine, model, tensor, weights, None).iteration()


def errors(row: dict[str, str]) -> tuple[float, float]:
    """(of the mean time to first token, of the mean time per further token), predicted over measured - 1."""
    kind = row["engine"], row["model"], int(row["tensor"]), row["weights"]
    users = int(row["requests"])
    service = Service(groups=((deployed(*kind, users if kind[0] == "trtllm" else None), 1),))
    service.machines[0] = machine(*kind)
    outcome = closed(service, users, int(row["prompt"]), int(row["answer"]), ranges=False)
    first, each = 1e3 * ttft(outcome.table).mean(), 1e3 * tpot(outcome.table).mean()
    return first / float(row["ttft_ms"]) - 1, each / float(row["tpot_ms"]) - 1


def saturated(row: dict[str, str]) -> bool:
    """Rows whose time to first token grows with the answer and not with prompt or cards: the server's way out is full
    (docs/planning.md)."""
    users, tensor = int(row["requests"]), int(row["tensor"])
    return row["engine"] == "trtllm" and (users == 128 or (users == 64 and tensor >= 4))


def test_some_rows_of_every_engine_and_number_of_cards() -> None:
    chosen = [
        r
        for r in ROWS
        if int(r["requests"]) in (16, 32) and (r["prompt"], r["answer"]) in (("2048", "256"), ("1024", "1024"))
    ]
    assert {(r["engine"], r["tensor"]) for r in chosen} >= {
        ("trtllm", "1"),
        ("trtllm", "8"),
        ("vllm", "2"),
        ("vllm", "8"),
    }
    found = [errors(r) for r in chosen]
    assert statistics.mean(abs(each) for _, each in found) < 0.10
    assert statistics.mean(abs(first) for first, _ in found) < 0.20


@pytest.mark.volume
def test_all_rows() -> None:
    found = {i: errors(row) for i, row in enumerate(ROWS)}
    assert len(found) == 222
    assert statistics.mean(abs(each) for _, each in found.values()) < 0.10
    assert statistics.median(abs(first) for first, _ in found.values()) < 0.12
    free = [found[i][0] for i, row in enumerate(ROWS) if not saturated(row)]
    assert len(free) == 171
    assert statistics.mean(abs(first) for first in free) < 0.13
