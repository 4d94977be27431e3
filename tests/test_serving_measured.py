"""The simulator beside measured serving: closed loops of Llama 3.1 on H100 SXM (ai-dynamo/aiconfigurator 095f58a,
silicon
sample, Apache-2.0; times to first token and per further token, rounded)."""

import csv
import statistics
from collections.abc import Iterable
from copy import copy
from functools import cache
from math import exp, log
from pathlib import Path

import numpy as np
import pytest

from hw import chips
from model.card.device import device
from model.card.engine import BUILT, ENGINES
from model.card.iteration import Iteration
from model.network import llm
from model.network.split import Split
from model.projection.published.language import LanguageRow, language_rows
from model.serving.answers import latency, rate, tpot, ttft
from model.serving.closed import closed
from model.serving.deploy import Deployed, Rules
from model.serving.request import Request
from model.serving.request_error import learn, learnt
from model.serving.service import Service
from model.serving.simulate import replay

SUPPORT = Path(__file__).parent / "support"
ROWS = list(csv.DictReader((SUPPORT / "measured_serving.csv").open()))


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


@cache
def found() -> tuple[tuple[float, float], ...]:
    """Errors of all rows, in their order: four seconds."""
    return tuple(errors(row) for row in ROWS)


def mean(values: Iterable[float]) -> float:
    return statistics.mean(abs(v) for v in values)


def test_closed_loops_of_every_engine_and_number_of_cards(capsys: pytest.CaptureFixture[str]) -> None:
    groups = {
        "all": ROWS,
        "TensorRT-LLM, 8B": [r for r in ROWS if r["engine"] == "trtllm"],
        "its saturated rows": [r for r in ROWS if saturated(r)],
        "vLLM, 70B": [r for r in ROWS if r["engine"] == "vllm"],
    }
    with capsys.disabled():
        for name, rows in groups.items():
            own = [e for e, row in zip(found(), ROWS, strict=True) if row in rows]
            print(f"\n  {name:<20} {len(own):>3} rows: TTFT {mean(f for f, _ in own):.1%}, "
                  f"TPOT {mean(e for _, e in own):.1%}", end="")  # fmt: skip
    assert len(ROWS) == 222
    assert mean(each for _, each in found()) < 0.075
    assert mean(first for first, _ in found()) < 0.20
    free = [first for (first, _), row in zip(found(), ROWS, strict=True) if not saturated(row)]
    assert len(free) == 171
    assert mean(free) < 0.13


def test_the_error_of_single_requests_is_what_these_rows_teach() -> None:
    for engine, (decode, prefill) in learnt().items():
        own = [
            e for e, row in zip(found(), ROWS, strict=True) if engine in ("all", row["engine"]) and not saturated(row)
        ]
        assert learn(1 / (1 + each) for _, each in own) == pytest.approx(decode, abs=0.006)
        assert learn(1 / (1 + first) for first, _ in own) == pytest.approx(prefill, abs=0.02)


def test_a_run_of_three_hundred_requests(capsys: pytest.CaptureFixture[str]) -> None:
    """vLLM 0.19, Llama 3.1 8B in BF16, on one RTX PRO 6000 (casys-kaist/LLMServingSim 5daddb2, bench/examples, MIT)."""
    rows = list(csv.DictReader((SUPPORT / "measured_requests.csv").open()))
    measured = {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
    requests = [Request(i, float(r["arrival_s"]), int(r["prompt"]), int(r["answer"])) for i, r in enumerate(rows)]
    deployment = Deployed(
        device=device(chips.load("nvidia_rtx_pro_6000")),
        model=llm.load("llama31_8b"),
        weights="bf16",
        cache="bf16",
        engine=ENGINES["vllm"],
        rules=Rules(sequences=128, tokens=2048),
    )
    service = Service(groups=((deployment, 1),))
    outcome = replay(service, lambda: [copy(r) for r in requests], ranges=False, bands=True)
    arrival, first, last = (measured[name] for name in ("arrival_s", "first_s", "last_s"))
    each = (last - first) / (measured["answer"] - 1)
    assert tpot(outcome.table).mean() / each.mean() == pytest.approx(1, abs=0.05)
    for share in (50, 99):
        ratio = np.percentile(latency(outcome.table), share) / np.percentile(last - arrival, share)
        assert ratio == pytest.approx(1, abs=0.1)
    assert ttft(outcome.table).mean() / (first - arrival).mean() == pytest.approx(1, abs=0.1)
    # ranges learnt on another card
    held = {}
    for name, times in (("first", first), ("last", last)):
        low, high = outcome.bands[name]
        held[name] = float(((low <= times) & (times <= high)).mean())
        width = np.median((high - low) / 2 / (outcome.table[name] - arrival))
        with capsys.disabled():
            print(f"\n  {name} token: {held[name]:.0%} of the requests within their ranges, half of which is "
                  f"{width:.0%}", end="")  # fmt: skip
    assert all(0.85 <= share <= 0.97 for share in held.values())  # 96 % both; 85 to 95 % were wanted


def offline(row: LanguageRow) -> float:
    """Tokens a second, over the published, of all requests that are there at the start (TensorRT-LLM 0.15)."""
    assert row.total is not None
    deployment = Deployed(
        device=device(chips.load(row.chip)),
        model=llm.load(row.model),
        split=Split(tensor=row.tensor),
        weights=row.weights,
        cache=row.cache,
        engine=BUILT,
        streaming=False,
    )
    service = Service(groups=((deployment, 1),))
    load = [Request(i, 0.0, row.prompt, row.answer) for i in range(row.total)]
    return rate(replay(service, lambda: load, ranges=False).table) / row.value


def offline_rows() -> list[LanguageRow]:
    return [row for row in language_rows() if row.version == "0.15"]


def test_some_instances_at_their_highest_rate() -> None:
    chosen = [r for r in offline_rows() if (r.prompt, r.answer) in ((2048, 2048), (500, 2000))]
    assert len(chosen) >= 10
    assert 0.8 < statistics.median(offline(row) for row in chosen) < 1.25


@pytest.mark.volume
def test_all_instances_at_their_highest_rate(capsys: pytest.CaptureFixture[str]) -> None:
    """78 published rates of TensorRT-LLM v0.15 (performance overview), every request simulated."""
    ratios = {row: offline(row) for row in offline_rows()}
    assert len(ratios) == 78
    with capsys.disabled():
        for row, ratio in ratios.items():
            print(f"\n  {row.model} {row.weights} x {row.tensor} {row.prompt} + {row.answer}: "
                  f"{row.value:,.0f} tokens/s, simulated {ratio - 1:+.1%}", end="")  # fmt: skip
        off = [exp(abs(log(r))) for r in ratios.values()]
        bias = statistics.median(ratios.values()) - 1
        print(f"\n  median factor {statistics.median(off):.3f}, mean absolute error "
              f"{mean(r - 1 for r in ratios.values()):.1%}, bias {bias:+.1%}")  # fmt: skip
    assert statistics.median(off) < 1.2
