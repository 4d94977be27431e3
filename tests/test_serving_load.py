"""Loads: traces of public formats and what is wrong with others, drawn arrivals and lengths."""

import statistics
from itertools import pairwise
from pathlib import Path

import pytest

from hw.base.error import InputError
from model.serving.draw import DAY, Drawn
from model.serving.load import Trace
from model.serving.request import Request


def read(path: Path, text: str) -> list[Request]:
    path.write_text(text)
    return list(Trace(path))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("ours.csv", "arrival_s,input_tokens,output_tokens\n0,5,6\n1.5,7,8\n", [(0, 5, 6), (1.5, 7, 8)]),
        (
            "azure.csv",
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,4808,10\n"
            "2023-11-16 18:15:50.9951690,3180,8\n",
            [(0, 4808, 10), (4.314579, 3180, 8)],
        ),
        (
            "burstgpt.csv",
            "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
            "5,ChatGPT,472,18,490,Conversation log\n",
            [(5, 472, 18)],
        ),
        (
            "llmservingsim.jsonl",
            '{"input_toks": 12, "output_toks": 3, "arrival_time_ns": 2500000000, "input_tok_ids": [1]}\n',
            [(2.5, 12, 3)],
        ),
        (
            "mooncake.jsonl",
            '{"timestamp": 3000, "input_length": 6755, "output_length": 500, "hash_ids": [0, 1]}\n\n',
            [(3, 6755, 500)],
        ),
        ("marked.csv", "\ufeffarrived_at,num_prefill_tokens,num_decode_tokens\n0.25,9,1\n", [(0.25, 9, 1)]),
    ],
)
def test_public_formats_are_read(tmp_path: Path, name: str, text: str, expected: list[tuple[float, int, int]]) -> None:
    found = [(r.arrival, r.prompt, r.answer) for r in read(tmp_path / name, text)]
    assert found == [pytest.approx(row) for row in expected]


def test_sessions_prefixes_clients_and_priorities_are_read(tmp_path: Path) -> None:
    head = "arrival,prompt,answer,session,prefix,prefix_tokens,user,priority\n"
    one, two = read(tmp_path / "t.csv", head + "0,50,6,s,p,32,u,2\n0,50,6,,,0,,-1\n")
    assert (one.session, one.prefix, one.prefix_tokens, one.client, one.priority) == ("s", "p", 32, "u", 2)
    assert (two.session, two.prefix, two.prefix_tokens, two.client, two.priority) == (None, None, 0, None, -1)


HEAD = "arrival_s,input_tokens,output_tokens\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must begin with a line of column names; it is empty"),
        (HEAD, "must hold at least one request; it holds none"),
        (
            "arrival_s,output_tokens\n0,1\n",
            r"must have a column of tokens in \(.*\), not only arrival_s, output_tokens",
        ),
        (
            HEAD + "2,5,5\n1,5,5\n",
            r"line 3 of .* must not arrive before the line above \(2 s\), not at 1 s; sort the file",
        ),
        (HEAD + "0,5,5\n1,-5,5\n", "input_tokens of line 3 of .* must be an integer of at least 1, not '-5'"),
        (HEAD + "0,5,0\n", "output_tokens of line 2 of .* must be an integer of at least 1, not '0'"),
        (HEAD + "0,,5\n", "input_tokens of line 2 of .* must be an integer of at least 1; it is empty"),
        (HEAD + "0,five,5\n", "input_tokens of line 2 of .* must be an integer of at least 1, not 'five'"),
        (HEAD + "0,5.5,5\n", "input_tokens of line 2 of .* must be an integer of at least 1, not '5.5'"),
        (HEAD + ",5,5\n", "the time of line 2 of .* must be a number or a date; it is empty"),
        (HEAD + "-1,5,5\n", "the time of line 2 of .* must be at least 0, not -1"),
        (HEAD + "nan,5,5\n", "the time of line 2 of .* must be at least 0, not nan"),
        (HEAD + "soon,5,5\n", "the time of line 2 of .* must be a number or a date, not 'soon'"),
        (HEAD + "0,5\n", "line 2 of .* must have 3 fields, as the first line"),
        ('{"arrival": 0, "prompt": 5, "answer": 5}\n{"arrival"\n', "line 2 of .* must be one whole JSON object"),
        ('{"arrival": 0, "prompt": 5, "answer": true}\n', "answer of line 1 of .* must be an integer"),
    ],
)
def test_wrong_traces_are_refused_with_the_line(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read(tmp_path / "t", text)


def test_a_trace_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        Trace(tmp_path / "none.csv")


@pytest.mark.parametrize(("arrivals", "variation"), [("even", 0.0), ("poisson", 1.0), ("gamma", 2.0)])
def test_drawn_gaps_have_their_mean_and_variation(arrivals: str, variation: float) -> None:
    times = [r.arrival for r in Drawn(count=20_000, rate=5, arrivals=arrivals, burst=2.0)]
    gaps = [b - a for a, b in pairwise(times)]
    assert statistics.mean(gaps) == pytest.approx(0.2, rel=0.05)
    assert statistics.pstdev(gaps) / statistics.mean(gaps) == pytest.approx(variation, abs=0.06)


def test_drawn_lengths_have_their_mean_and_the_seed_decides() -> None:
    one, same, other = (list(Drawn(count=5000, rate=5, prompt=1000, answer=200, seed=s)) for s in (1, 1, 2))
    assert statistics.mean(r.prompt for r in one) == pytest.approx(1000, rel=0.05)
    assert statistics.mean(r.answer for r in one) == pytest.approx(200, rel=0.05)
    assert [(r.arrival, r.prompt) for r in one] == [(r.arrival, r.prompt) for r in same]
    assert [r.prompt for r in one] != [r.prompt for r in other]
    faster = list(Drawn(count=5000, rate=50, prompt=1000, answer=200))
    assert [r.prompt for r in faster] == [r.prompt for r in one]
    assert {r.prompt for r in Drawn(count=9, rate=5, prompt=77, spread=0)} == {77}


def test_a_day_has_its_peak_and_its_night() -> None:
    count = 24_000
    hours = [0] * 24
    for request in Drawn(count=count, rate=count / 86400, day=DAY):
        hours[min(23, int(request.arrival // 3600))] += 1
    mean = sum(DAY) / 24
    assert [h / (count / 24) for h in hours] == [pytest.approx(rate / mean, rel=0.2) for rate in DAY]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"rate": 0}, "rate of drawn requests must be above 0, not 0"),
        ({"count": 0}, "at least 1 request must be drawn, not 0"),
        ({"spread": -1}, "spread of drawn lengths must be from 0 to 5, not -1"),
        ({"arrivals": "weekly"}, "arrivals must be one of poisson, gamma, even, not 'weekly'"),
        ({"day": [1.0] * 23}, "a day curve must have 24 rates"),
    ],
)
def test_impossible_draws_are_refused(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Drawn(**({"count": 10, "rate": 1.0} | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00\x01", b"arrival_s,input_tokens\n0,\xff\n", b"\x89PNG\r\n\x1a\n\x00"]
)
def test_another_kind_of_file_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"t\.csv must be text in UTF-8, lines of CSV or JSON"):
        list(Trace(tmp_path / "t.csv"))
