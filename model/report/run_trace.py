"""The run's timeline as a Chrome trace, for Perfetto and chrome://tracing: RTL and model as two processes.

A cycle is one microsecond of the trace, so that the viewer's numbers read as cycles. Format: Trace Event Format, with
complete events ("ph": "X"; `ts`, `dur` in microseconds) and metadata events ("M") that name processes and threads.
"""

import json
from typing import Any

from model.record import Result
from model.report.summary import Summary

FILE = "trace.json"


def render(summary: Summary) -> str | None:
    """The trace of the run's records; None if they have no labels.

    Each witness has a thread of layers in time (if the layers' cycles add up to the run's), and one of causes: the
    sums of its labels, largest first, not in time.
    """
    events: list[dict[str, Any]] = []
    for number, (name, measurement) in enumerate((("RTL, measured", summary.rtl), ("model, predicted", summary.model))):
        if measurement is not None and measurement.result.phases:
            events += _of(measurement.result, number + 1, name)
    if not events:
        return None
    about = {"run": f"{summary.chip_name} {summary.workload} seed {summary.seed}", "unit": "a microsecond is a cycle"}
    return json.dumps({"displayTimeUnit": "ms", "otherData": about, "traceEvents": events}) + "\n"


def _of(result: Result, process: int, name: str) -> list[dict[str, Any]]:
    events = [_named("process_name", process, 0, name), _named("thread_name", process, 2, "cycles by cause (sums)")]
    layers = [(str(layer["name"]), int(layer["cycles"]), layer) for layer in result.layers]
    if layers and sum(cycles for _, cycles, _ in layers) == result.cycles:
        events.append(_named("thread_name", process, 1, "layers"))
        events += _row(process, 1, layers)
    causes = sorted(result.phases.items(), key=lambda item: -item[1])
    return events + _row(process, 2, [(label, cycles, {}) for label, cycles in causes if cycles])


def _row(process: int, thread: int, parts: list[tuple[str, int, Any]]) -> list[dict[str, Any]]:
    """One slice after the other from cycle 0 on."""
    found, at = [], 0
    for name, cycles, more in parts:
        arguments = {key: value for key, value in dict(more).items() if key not in ("name", "cycles")}
        found.append(
            {"ph": "X", "pid": process, "tid": thread, "name": name, "ts": at, "dur": cycles, "args": arguments}
        )
        at += cycles
    return found


def _named(what: str, process: int, thread: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "pid": process, "tid": thread, "name": what, "args": {"name": name}}
