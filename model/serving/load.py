"""Requests from a trace file: CSV with a line of names, or one JSON object a line.

Columns are known by the names of public traces: vLLM's and LLMServingSim's (arrival_time_ns, input_toks), Azure's
(TIMESTAMP, ContextTokens, GeneratedTokens), BurstGPT's (Timestamp, Request tokens), Mooncake's (timestamp in
milliseconds beside input_length). Others are passed over.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hw.base import json_text
from hw.base.error import InputError
from model.serving.request import Request

ARRIVAL = {
    "arrival_s": 1.0,
    "arrival": 1.0,
    "arrival_time": 1.0,
    "arrived_at": 1.0,
    "arrival_ms": 1e-3,
    "arrival_time_ms": 1e-3,
    "arrival_ns": 1e-9,
    "arrival_time_ns": 1e-9,
    "timestamp": 1.0,
    "time": 1.0,
}
"""Name of the time of arrival -> its unit in seconds."""
PROMPT = (
    "input_tokens",
    "prompt_tokens",
    "input_toks",
    "prompt_len",
    "prompt",
    "input_length",
    "contexttokens",
    "request tokens",
    "num_prefill_tokens",
    "input_len",
)
ANSWER = (
    "output_tokens",
    "answer_tokens",
    "output_toks",
    "output_len",
    "answer",
    "output_length",
    "generatedtokens",
    "response tokens",
    "num_decode_tokens",
    "completion_tokens",
)
SESSION = ("session", "session_id", "conversation", "conversation_id", "chat_id")
PREFIX = ("prefix", "prefix_id")
PREFIX_TOKENS = ("prefix_tokens", "prefix_len")
PRIORITY = ("priority",)
CLIENT = ("client", "user", "tenant")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which column of a trace holds what: names as the file writes them, "" for what it has not.

    Parameters
    ----------
    arrival : str
        Time of arrival, a number or a date.
    unit : float
        Seconds of one unit of `arrival`.
    prompt, answer : str
        Tokens in and tokens out.
    session : str
        Name of the conversation.
    prefix, prefix_tokens : str
        Name of the beginning that prompts share, and its tokens.
    priority : str
        An integer; larger goes first where the order looks at it.
    client : str
        Whom the fair order counts tokens for.
    """

    arrival: str
    unit: float
    prompt: str
    answer: str
    session: str
    prefix: str
    prefix_tokens: str
    priority: str
    client: str


class Trace:
    """The requests of a file, read anew by each iteration; the file is checked as it is read."""

    def __init__(self, path: Path | str, *, limit: int | None = None) -> None:
        self.path = Path(path)
        self.limit = limit
        if not self.path.is_file():
            raise InputError(f"{self.path} must be a trace of requests; there is no such file, check the path")

    def __iter__(self) -> Iterator[Request]:
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                start = file.read(1)
                file.seek(0)
                lines = _json_lines(file, self.path) if start in "{[" and start else _csv_lines(file, self.path)
                yield from _requests(lines, self.path, self.limit)
        except (UnicodeDecodeError, csv.Error):
            raise InputError(
                f"{self.path} must be text in UTF-8, lines of CSV or JSON; it is another kind of file, convert it"
            ) from None
        except OSError as error:
            raise InputError(f"{self.path} must be readable ({error.strerror}); change its permissions") from None


def _csv_lines(file: Iterable[str], path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(file)
    if not reader.fieldnames:
        raise InputError(f"{path} must begin with a line of column names; it is empty")
    for row in reader:
        if None in row or None in row.values():
            raise InputError(
                f"line {reader.line_num} of {path} must have {len(reader.fieldnames)} fields, as the first line"
            )
        yield reader.line_num, row


def _json_lines(file: Iterable[str], path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = json_text.loads(line)
        except InputError as error:
            raise InputError(f"line {number} of {path}: {error}") from None
        except ValueError:
            raise InputError(f"line {number} of {path} must be one whole JSON object") from None
        if not isinstance(row, dict):
            raise InputError(f"line {number} of {path} must be a JSON object, not {type(row).__name__}")
        yield number, row


def _columns(row: dict[str, Any], path: Path) -> Columns:
    known = {str(name).strip().lower(): name for name in row}

    def of(names: Iterable[str], what: str = "") -> str:
        for name in names:
            if name in known:
                return known[name]
        if what:
            raise InputError(
                f"{path} must have a column of {what} ({', '.join(names)}), not only {', '.join(map(str, row))}"
            )
        return ""

    arrival = of(ARRIVAL, "arrival times")
    unit = ARRIVAL[str(arrival).strip().lower()]
    prompt = of(PROMPT, "tokens in")
    if str(prompt).lower() == "input_length" and str(arrival).lower() == "timestamp":
        unit = 1e-3
    return Columns(
        arrival=arrival,
        unit=unit,
        prompt=prompt,
        answer=of(ANSWER, "tokens out"),
        session=of(SESSION),
        prefix=of(PREFIX),
        prefix_tokens=of(PREFIX_TOKENS),
        priority=of(PRIORITY),
        client=of(CLIENT),
    )


def _requests(lines: Iterator[tuple[int, dict[str, Any]]], path: Path, limit: int | None) -> Iterator[Request]:
    columns: Columns | None = None
    first: float | None = None
    before, found = 0.0, 0
    for line, row in lines:
        if limit is not None and found >= limit:
            return
        columns = columns or _columns(row, path)
        place = f"line {line} of {path}"
        stamp = row.get(columns.arrival)
        now = _time(stamp, place) * columns.unit
        if isinstance(stamp, str) and not _number(stamp):  # a date: counted from the first
            first = now if first is None else first
            now -= first
        if now < before:
            raise InputError(
                f"{place} must not arrive before the line above ({before:.10g} s), not at {now:.10g} s; sort the file"
            )
        before = now
        prefix = row.get(columns.prefix) if columns.prefix else None
        length = _whole(row.get(columns.prefix_tokens), columns.prefix_tokens, place, 0) if columns.prefix_tokens else 0
        yield Request(
            found,
            now,
            _whole(row.get(columns.prompt), columns.prompt, place, 1),
            _whole(row.get(columns.answer), columns.answer, place, 1),
            prefix=prefix or None,
            prefix_tokens=length,
            session=row.get(columns.session) or None if columns.session else None,
            client=row.get(columns.client) or None if columns.client else None,
            priority=_whole(row.get(columns.priority), columns.priority, place, -(10**9)) if columns.priority else 0,
        )
        found += 1
    if not found:
        raise InputError(f"{path} must hold at least one request; it holds none")


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _time(value: Any, place: str) -> float:
    if isinstance(value, str) and value.strip() and not _number(value):
        try:
            return datetime.fromisoformat(value.strip()[:26]).timestamp()
        except ValueError:
            raise InputError(f"the time of {place} must be a number or a date, not {value!r}") from None
    if value is None or value == "" or isinstance(value, bool):
        raise InputError(f"the time of {place} must be a number or a date; it is empty")
    now = float(value)
    if not 0 <= now < float("inf"):
        raise InputError(f"the time of {place} must be at least 0, not {value}")
    return now


def _whole(value: Any, name: str, place: str, least: int) -> int:
    if value is None or value == "":
        raise InputError(f"{name} of {place} must be an integer of at least {least}; it is empty")
    try:
        number = float(value)
        whole = int(number)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name} of {place} must be an integer of at least {least}, not {value!r}") from None
    if whole != number or whole < least or isinstance(value, bool):
        raise InputError(f"{name} of {place} must be an integer of at least {least}, not {value!r}")
    return whole


Load = Callable[[], Iterable[Request]]
