"""Records of the chip model, for projection and validation: one run of a network on a card.

`cycles` are those of the card's core clock, or nanoseconds for a chip without a core. Figures of a run:
"per_second" (inputs of one card) with "_low" and "_high", "time_ns" with the same, "batch", "groups", "devices",
"cards", "macs" (of one run of everything), and what the time is bound by in `phases`. The server scenario has
"limit_ns", "tail_ns" and "mean_batch" instead of bounds. Language models: `model.card.language_record`.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np

from hw import chips
from hw.base.error import InputError
from model import workloads
from model.card.device import Device, device
from model.card.machine import Extra
from model.card.range import Ranged, ranged
from model.card.run import Run, multi_stream, offline, single_stream
from model.card.server import LIMITS_S, server
from model.card.survey import image_format, network_of
from model.record import Measurement, Origin, Result, current_commit

Scenario = Literal["offline", "single_stream", "multi_stream", "server"]

NETWORK_TASKS = ("resnet50", "bert_large", "bert_large_177", "ssd_mobilenet", "ssd_resnet34")
"""Those every card is recorded on."""

SCENARIOS: tuple[Scenario, ...] = ("offline", "single_stream", "multi_stream", "server")


def network_record(chip_name: str, task: str, scenario: Scenario) -> Measurement:
    """One scenario of a network on one card; `InputError` if it does not run there."""
    if scenario == "server":
        return _server_record(chip_name, task)
    chip = chips.load(chip_name)
    spec, network = device(chip), network_of(task)
    number = image_format(spec)
    runs: dict[Scenario, Callable[[Device, Extra | None], Run]] = {
        "offline": lambda d, x: offline(d, network, number, extra=x),
        "single_stream": lambda d, x: single_stream(d, network, number, extra=x),
        "multi_stream": lambda d, x: multi_stream(d, network, number, extra=x),
    }
    run = runs[scenario](spec, None)
    rate = ranged(spec, lambda d, x: runs[scenario](d, x).per_second, detects=network.detects)
    # queries one at a time use one device of the card, and the other devices further queries
    inputs = run.batch * run.groups * run.devices
    # one run of the nominal batch at the ends of the rate
    r = rate.range
    times = {
        "time_ns": inputs / r.nominal * 1e9,
        "time_ns_low": inputs / r.high * 1e9,
        "time_ns_high": inputs / r.low * 1e9,
    }
    clock = spec.cycle_clock
    layers = (
        [
            {
                "name": layer.name,
                "cycles": round(layer.time * clock * 1e9),
                "macs": layer.macs,
                "bound": layer.bound,
                "bytes": round(layer.bytes),
                "cut": layer.cut,
                "parts": layer.parts,
            }
            for layer in run.layers
        ]
        if scenario == "offline" and spec.counted and task == "resnet50"
        else []
    )
    figures: dict[str, float] = {
        "sequences" if task.startswith("bert") else "images": inputs,
        "batch": run.batch,
        "groups": run.groups,
        "devices": run.devices,
        "cards": 1,
        "macs": network.macs * inputs,
        "clock_ghz": clock,
        "least_ns": run.least * 1e9,
        **span("per_second", rate, 1.0),
        **times,
    }
    return measurement(
        chip_name,
        f"{task}_{scenario}",
        workloads.load(task).digest,
        run.time * clock * 1e9,
        {name: value * clock * 1e9 for name, value in run.bound.items()},
        figures,
        layers,
    )


def _server_record(chip_name: str, task: str) -> Measurement:
    spec, network = device(chips.load(chip_name)), network_of(task)
    if task not in LIMITS_S:
        raise InputError(
            f"the server scenario must have a latency limit; MLPerf has none for {task}, it has for "
            f"{', '.join(LIMITS_S)}"
        )
    number, limit = image_format(spec), LIMITS_S[task]
    found = server(spec, network, number, limit=limit)
    rate = ranged(
        spec, lambda d, x: server(d, network, number, limit=limit, extra=x).per_second, detects=network.detects
    )
    clock = spec.cycle_clock
    figures: dict[str, float] = {
        "queries": 1,
        "batch": found.batch,
        "mean_batch": found.mean_batch,
        "groups": found.groups,
        "devices": spec.devices,
        "cards": 1,
        "macs": network.macs,
        "clock_ghz": clock,
        "limit_ns": limit * 1e9,
        "tail_ns": found.tail * 1e9,
        "offline_per_second": found.offline,
        **span("per_second", rate, 1.0),
    }
    return measurement(
        chip_name, f"{task}_server", workloads.load(task).digest, clock * 1e9 / found.per_second, {}, figures, []
    )


def span(name: str, value: Ranged, factor: float) -> dict[str, float]:
    """`name`, `name`_low and `name`_high."""
    r = value.range
    return {name: r.nominal * factor, f"{name}_low": r.low * factor, f"{name}_high": r.high * factor}


def whole(parts: Mapping[str, float], cycles: int) -> dict[str, int]:
    """`parts` of a time as whole cycles that sum to `cycles`.

    What rounding leaves goes to the longest part; what no part tells, such as a pipeline that waits, is "other".
    """
    rounded = {name: round(value) for name, value in parts.items() if round(value)}
    rest = cycles - sum(rounded.values())
    if rounded and rest > len(parts):
        rounded["other"] = rest
    elif rounded:
        rounded[max(rounded, key=lambda name: rounded[name])] += rest
    return rounded


def measurement(
    chip_name: str,
    workload: str,
    workload_digest: str,
    cycles: float,
    phases: Mapping[str, float],
    figures: Mapping[str, float],
    layers: list[dict[str, Any]],
) -> Measurement:
    rounded = {name: float(f"{value:.9g}") if isinstance(value, float) else value for name, value in figures.items()}
    points = [{k: float(f"{v:.9g}") if isinstance(v, float) else v for k, v in layer.items()} for layer in layers]
    return Measurement(
        result=Result(
            chip=chip_name,
            chip_digest=chips.load(chip_name).digest,
            workload=workload,
            workload_digest=workload_digest,
            witness="model",
            seed=1,
            cycles=round(cycles),
            phases=whole(phases, round(cycles)),
            figures=rounded,
            layers=tuple(points),
        ),
        origin=Origin(
            tools={"python": sys.version.split()[0], "numpy": np.__version__},
            commit=current_commit(),
            command="kcloud-cosim records",
        ),
    )
