"""Records of the chip model, for projection and validation: one run of a task on a card, rates against batch.

`cycles` are those of the card's core clock, or nanoseconds for a chip without a core. Figures of a run:
"per_second" (inputs or tokens of one card; of all `cards` for a language model) with "_low" and "_high", "time_ns" with
the same, "batch", "groups", "devices", "cards", "macs" (of one run of everything), and what the time is bound by in
`phases`.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from hw import chips
from hw.spec.device import Device, device
from hw.spec.digest import digest
from hw.spec.error import InputError
from model import workloads
from model.cli.serve import with_pim
from model.device.range import Ranged, ranged
from model.device.run import Extra, Run, multi_stream, offline, single_stream
from model.device.serving import Deployment, serving_format
from model.network import llm
from model.record import Measurement, Origin, Result, current_commit
from model.survey import image_format, network_of

Scenario = Literal["offline", "single_stream", "multi_stream"]

NETWORK_TASKS = ("resnet50", "bert_large", "ssd_mobilenet", "ssd_resnet34")
SCENARIOS: tuple[Scenario, ...] = ("offline", "single_stream", "multi_stream")


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageTask:
    """Requests of `prompt` and `answer` tokens to `model` on `cards` cards, at the batch that gives most tokens.

    `cache` None: in the format of the weights.
    """

    model: str
    cards: int
    prompt: int
    answer: int
    weights: str | None = None
    cache: str | None = None


LANGUAGE_TASKS: Mapping[str, LanguageTask] = {
    # mean lengths of the benchmark's requests, recalled from its reference: no stored source, they carry no range
    "gptj_99": LanguageTask(model="gptj_6b", cards=1, prompt=900, answer=70),
    "llama2_70b_99": LanguageTask(model="llama2_70b", cards=8, prompt=294, answer=294),
    # the vendor's comparison states lengths and FP8 weights, not the format of the cache
    "llama31_8b_128_4096": LanguageTask(model="llama31_8b", cards=1, prompt=128, answer=4096, cache="fp16"),
    "llama31_8b_128_4096_fp8": LanguageTask(model="llama31_8b", cards=1, prompt=128, answer=4096),
}

CURVE_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)
CURVE_CONTEXT = 1024
PIM_MODEL = "llama31_8b"


def network_record(chip_name: str, task: str, scenario: Scenario) -> Measurement:
    """One scenario of a network on one card; `InputError` if it does not run there."""
    chip = chips.load(chip_name)
    spec, network = device(chip), network_of(task)
    number = image_format(spec)
    runs: dict[Scenario, Callable[[Device, Extra | None], Run]] = {
        "offline": lambda d, x: offline(d, network, number, extra=x),
        "single_stream": lambda d, x: single_stream(d, network, number, extra=x),
        "multi_stream": lambda d, x: multi_stream(d, network, number, extra=x),
    }
    run = runs[scenario](spec, None)
    rate = ranged(spec, lambda d, x: runs[scenario](d, x).per_second)
    # queries one at a time use one device of the card, and the other devices further queries
    inputs = run.batch * run.groups * run.devices
    # one run of the nominal batch at the ends of the rate
    span = rate.range
    times = {"time_ns": inputs / span.nominal * 1e9, "time_ns_low": inputs / span.high * 1e9,
             "time_ns_high": inputs / span.low * 1e9}
    clock = spec.clock.nominal if spec.core is not None else 1.0
    layers = [
        {
            "name": layer.name, "cycles": round(layer.time * clock * 1e9), "macs": layer.macs, "bound": layer.bound,
            "bytes": round(layer.bytes), "cut": layer.cut, "parts": layer.parts,
        }
        for layer in run.layers
    ] if scenario == "offline" and spec.core is not None and task == "resnet50" else []
    figures: dict[str, float] = {
        "images" if task != "bert_large" else "sequences": inputs, "batch": run.batch, "groups": run.groups,
        "devices": run.devices, "cards": 1, "macs": network.macs * inputs, "clock_ghz": clock,
        "least_ns": run.least * 1e9, **_span("per_second", rate, 1.0), **times,
    }
    return _measurement(chip_name, f"{task}_{scenario}", workloads.load(task).digest, run.time * clock * 1e9,
                        {name: value * clock * 1e9 for name, value in run.bound.items()}, figures, layers)


def language_record(chip_name: str, name: str) -> Measurement:
    """A language task on its cards at the best batch; `InputError` if it does not fit."""
    task = LANGUAGE_TASKS[name]
    spec = device(chips.load(chip_name))
    deployed = _deployed(spec, task.model, task.cards, task.weights, task.cache)
    batch, rate = deployed.best_throughput(task.prompt, task.answer)
    step = deployed.decode(task.prompt + (task.answer + 1) // 2, batch)

    def value(changed: Device, extra: Extra) -> float:
        return replace(deployed, device=changed, extra=extra).tokens_per_second(task.prompt, task.answer, batch)

    clock = spec.clock.nominal if spec.core is not None else 1.0
    figures = {
        "tokens": batch * task.answer, "answers": batch, "answer": task.answer, "prompt": task.prompt, "batch": batch,
        "cards": task.cards, "devices": spec.devices, "step_ns": step.time * 1e9, "clock_ghz": clock,
        **_span("per_second", ranged(spec, value), 1.0),
    }
    time = batch * task.answer / rate
    return _measurement(chip_name, name, digest(task), time * clock * 1e9,
                        {k: v * clock * 1e9 * task.answer for k, v in step.bound.items()}, figures, [])


def decode_record(chip_name: str, workload: str) -> Measurement:
    """One decode step of a language workload, as `model.survey` runs it, weights in INT8 if the chip multiplies it and
    the cache in FP16."""
    from model.network.workload import NetworkWorkload

    loaded = workloads.load(workload)
    assert isinstance(loaded, NetworkWorkload)
    task = loaded.language
    assert task is not None
    spec = device(chips.load(chip_name))
    weights = "int8" if "int8" in spec.peaks else serving_format(spec)
    deployed = _deployed(spec, task.model, task.cards, weights, "fp16")
    step = deployed.decode(task.tokens, task.batch)

    def value(changed: Device, extra: Extra) -> float:
        return task.batch / replace(deployed, device=changed, extra=extra).decode(task.tokens, task.batch).time

    clock = spec.clock.nominal if spec.core is not None else 1.0
    figures = {
        "tokens": task.batch, "batch": task.batch, "context": task.tokens, "cards": task.cards,
        "devices": spec.devices, "clock_ghz": clock, "time_ns": step.time * 1e9,
        **_span("per_second", ranged(spec, value), 1.0),
    }
    return _measurement(chip_name, workload, loaded.digest, step.time * clock * 1e9,
                        {k: v * clock * 1e9 for k, v in step.bound.items()}, figures, [])


def curve_record(chip_name: str, model: str, pim: str | None = None) -> Measurement:
    """Tokens per second of decode against batch, at `CURVE_CONTEXT` tokens, with and without `pim`.

    Layers are the points: {"name": "batch 8", "cycles": of a step, "macs", "batch", "tokens_per_s"} and with PIM
    {"pim_tokens_per_s", "on_pim"} (share of the step). Figure "pim_wins_to_batch": the largest batch at which PIM
    takes at least 5 % off a step, 0 if none; "weights_on_pim_to_batch": the largest at which a product with weights is
    faster there (products with the cache stay so, each has its own matrix).
    """
    spec = device(chips.load(chip_name))
    plain = _deployed(spec, model, 1, "fp16" if pim else None, "fp16" if pim else None)
    there = with_pim(plain, pim) if pim else None
    if there is not None:
        plain = replace(there, pim=None)
    clock = spec.clock.nominal if spec.core is not None else 1.0
    most, points, wins, weights = plain.largest_batch(CURVE_CONTEXT), [], 0, 0
    for batch in (b for b in CURVE_BATCHES if b <= most):
        step = plain.decode(CURVE_CONTEXT, batch)
        point: dict[str, Any] = {
            "name": f"batch {batch}", "cycles": round(step.time * clock * 1e9), "macs": 0, "batch": batch,
            "tokens_per_s": batch / step.time,
        }
        if there is not None:
            with_units = there.decode(CURVE_CONTEXT, batch)
            point |= {"pim_tokens_per_s": batch / with_units.time, "on_pim": with_units.on_pim / with_units.time}
            if with_units.time < 0.95 * step.time:
                wins = batch
            if with_units.weights_on_pim:
                weights = batch
        points.append(point)
    figures: dict[str, float] = {"context": CURVE_CONTEXT, "largest_batch": most, "clock_ghz": clock}
    if there is not None and there.pim is not None:
        figures |= {"pim_wins_to_batch": wins, "weights_on_pim_to_batch": weights, "pim_packages": there.pim.packages}
    name = f"{model}_batches" + (f"_{pim}" if pim else "")
    task = {"model": model, "context": CURVE_CONTEXT, "weights": plain.weight_format, "cache": plain.cache_format}
    return _measurement(chip_name, name, digest(task | {"pim": pim or ""}),
                        sum(p["cycles"] for p in points), {}, figures, points)


def _deployed(spec: Device, model: str, cards: int, weights: str | None, cache: str | None) -> Deployment:
    number = weights or serving_format(spec)
    deployed = Deployment(
        device=spec, model=llm.load(model), cards=cards, weight_format=number, cache_format=cache or number
    )
    if deployed.serving.cards > deployed.model.heads:
        raise InputError(f"cards must be at most the {deployed.model.heads} heads, not {deployed.serving.cards}")
    return deployed


def _span(name: str, value: Ranged, factor: float) -> dict[str, float]:
    span = value.range
    return {name: span.nominal * factor, f"{name}_low": span.low * factor, f"{name}_high": span.high * factor}


def _measurement(
    chip_name: str, workload: str, workload_digest: str, cycles: float, phases: Mapping[str, float],
    figures: Mapping[str, float], layers: list[dict[str, Any]],
) -> Measurement:
    rounded = {name: float(f"{value:.9g}") if isinstance(value, float) else value for name, value in figures.items()}
    points = [{k: float(f"{v:.9g}") if isinstance(v, float) else v for k, v in layer.items()} for layer in layers]
    return Measurement(
        result=Result(
            chip=chip_name, chip_digest=chips.load(chip_name).digest, workload=workload,
            workload_digest=workload_digest, witness="model", seed=1, cycles=round(cycles),
            phases={name: round(value) for name, value in phases.items() if round(value)}, figures=rounded,
            layers=tuple(points),
        ),
        origin=Origin(
            tools={"python": sys.version.split()[0], "numpy": np.__version__}, commit=current_commit(),
            command="python -m model records",
        ),
    )
