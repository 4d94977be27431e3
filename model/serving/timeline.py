"""What each instance did when, and the same for the public trace viewers (Chrome's JSON trace format, which Perfetto
reads).

A run is watched once more with the same load; runs of decode steps are one span.
"""

import json
from dataclasses import dataclass
from typing import Any

from model.serving.instance import Instance
from model.serving.service import Outcome, Service

MOST_REQUESTS = 2000
"""Requests drawn as spans of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """An iteration with prompts (`prompt_tokens` above 0) or a run of `steps` decode steps of `sequences` on an
    instance; `cache` is the used share behind it, `waiting` the requests in line.

    Parameters
    ----------
    instance : int
        Place of the instance among all of the cluster, from 0.
    start, end : float
        Seconds of the simulated run.
    """

    instance: int
    start: float
    end: float
    sequences: int
    prompt_tokens: int
    steps: int
    cache: float
    waiting: int


class Watch:
    """Collects spans."""

    def __init__(self, instances: list[Instance]) -> None:
        self.spans: list[Span] = []
        self._numbers = {id(instance): number for number, instance in enumerate(instances)}

    def __call__(self, instance: Instance, start: float, end: float, sequences: int, tokens: int, steps: int) -> None:
        """A span ended."""
        self.spans.append(
            Span(
                instance=self._numbers[id(instance)],
                start=start,
                end=end,
                sequences=sequences,
                prompt_tokens=tokens,
                steps=steps,
                cache=instance.pool.used / instance.pool.total,
                waiting=len(instance.waiting),
            )
        )


def record(service: Service, outcome: Outcome) -> list[Span]:
    """The spans of a run with the arrivals of `outcome`, at nominal times."""
    from model.serving.request import Request
    from model.serving.sources import Stream

    table = outcome.table

    def load() -> Any:
        for i in table["arrival"].argsort(kind="stable").tolist():
            yield Request(
                int(table["number"][i]), float(table["arrival"][i]), int(table["prompt"][i]), int(table["answer"][i])
            )

    cluster = service.cluster(Stream(load))
    watch = Watch(cluster.all)
    for instance in cluster.all:
        instance.watch = watch
    while not cluster.run(events=1 << 20):
        pass
    return watch.spans


def to_chrome(spans: list[Span], outcome: Outcome) -> str:
    """The trace as JSON: one process for each instance with its iterations, counters of sequences and cache, one
    process
    for the first requests."""
    events: list[dict[str, Any]] = []
    for number, instance in enumerate(outcome.cluster.all):
        events.append({"ph": "M", "pid": number + 1, "name": "process_name", "args": {"name": instance.name}})
        events.append({"ph": "M", "pid": number + 1, "tid": 1, "name": "thread_name", "args": {"name": "iterations"}})
    for span in spans:
        pid, start = span.instance + 1, 1e6 * span.start
        kind = "prompts" if span.prompt_tokens else "decode"
        events.append(
            {
                "ph": "X",
                "pid": pid,
                "tid": 1,
                "name": kind,
                "cat": "iteration",
                "ts": start,
                "dur": 1e6 * (span.end - span.start),
                "args": {"sequences": span.sequences, "prompt_tokens": span.prompt_tokens, "steps": span.steps},
            }
        )
        for name, value in (("sequences", span.sequences), ("cache %", 100 * span.cache), ("waiting", span.waiting)):
            events.append({"ph": "C", "pid": pid, "name": name, "ts": 1e6 * span.end, "args": {"value": value}})
    events.append({"ph": "M", "pid": 0, "name": "process_name", "args": {"name": "requests"}})
    table = outcome.table
    for i in range(min(MOST_REQUESTS, len(table["number"]))):
        number = int(table["number"][i])
        parts = (("waiting", "arrival", "scheduled"), ("prompt", "scheduled", "first"), ("answer", "first", "last"))
        for name, begin, end in parts:
            start, stop = float(table[begin][i]), float(table[end][i])
            events.append(
                {"ph": "X", "pid": 0, "tid": number + 1, "name": name, "cat": "request", "ts": 1e6 * start,
                 "dur": 1e6 * (stop - start), "args": {"request": number}}
            )  # fmt: skip
    return json.dumps({"displayTimeUnit": "ms", "traceEvents": events})
