"""Records of the chip model for language models: requests at the best batch, one decode step, rates against batch.

Figures and units as `model.card.record`; "per_second" counts tokens of all `cards`, "parallel" is over how many of
them the model is cut.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from hw import chips
from hw.base.digest import digest
from hw.base.error import InputError
from model import workloads
from model.card.device import Device, device
from model.card.engine import BUILT, ENGINES, Engine
from model.card.iteration import Iteration
from model.card.layer_time import BOUNDS
from model.card.machine import Extra
from model.card.range import ranged
from model.card.record import measurement, span
from model.card.serving import Deployment, compute_format, serving_format
from model.card.throughput import Steady, best_steady, most_requests, splits, steady
from model.card.with_pim import with_pim
from model.network import llm
from model.network.workload import NetworkWorkload
from model.record import Measurement

LanguageScenario = Literal["offline", "server", "single_stream"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageTask:
    """Requests of `prompt` and `answer` tokens to `model` on `cards` cards, at the batch that gives most tokens.

    The model is cut over the cards by tensor, pipeline and expert parallelism and copied, as gives most. `cache` None:
    in the format of the weights. `beams` sequences are followed for each request. `longest`: seconds a request of the
    server scenario may take.

    Parameters
    ----------
    weights : str or None
        Number format of the weights; None: the first of FP8, INT8 and FP16 that the chip multiplies.
    """

    model: str
    cards: int
    prompt: int
    answer: int
    weights: str | None = None
    cache: str | None = None
    beams: int = 1
    longest: float | None = None


LANGUAGE_TASKS: Mapping[str, LanguageTask] = {
    # mean lengths of the benchmark's requests, recalled from its reference: no stored source, they carry no range
    # 4 beams, 20 s a request: mlcommons/inference_policies, inference_rules.adoc (pull request 275)
    "gptj_99": LanguageTask(model="gptj_6b", cards=1, prompt=900, answer=70, beams=4, longest=20.0),
    # the server's limit is 200 ms a token
    "llama2_70b_99": LanguageTask(model="llama2_70b", cards=8, prompt=294, answer=294, longest=0.2 * 294),
    # the vendor's comparison states lengths, FP8 weights; its GPU results come from TensorRT-LLM, whose cache is then
    # FP8 too (perf-overview.md of v0.14); of RNGD's cache nothing is stated: the same default, 16 bits beside it
    "llama31_8b_128_4096": LanguageTask(model="llama31_8b", cards=1, prompt=128, answer=4096),
    "llama31_8b_128_4096_fp16_cache": LanguageTask(model="llama31_8b", cards=1, prompt=128, answer=4096, cache="fp16"),
}

CURVE_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)
CURVE_CONTEXT = 1024
PIM_MODEL = "llama31_8b"


def language_record(chip_name: str, name: str, scenario: LanguageScenario = "offline") -> Measurement:
    """A language task on its cards in the steady state that gives most; `InputError` if it does not fit.

    Server: the most requests in flight that end within the task's limit. Single stream: one request at a time on one
    card; its figures also hold "time_ns" of a request with its range.
    """
    task = LANGUAGE_TASKS[name]
    spec = device(chips.load(chip_name))
    if scenario == "single_stream":
        task = replace(task, cards=1)
    iteration, found, copies = _best(spec, task, scenario)

    def value(changed: Device, extra: Extra) -> float:
        other = iteration.at(changed, extra)
        try:
            if scenario == "offline":
                most = most_requests(other, task.prompt, task.answer, task.beams)
                return copies * max(
                    steady(other, task.prompt, task.answer, n, task.beams).per_second
                    for n in {most, found.requests}
                    if n <= most
                )
            return copies * steady(other, task.prompt, task.answer, found.requests, task.beams).per_second
        except InputError:  # less memory than the weights need: the smallest batch is the end of the range
            return copies * steady(other, task.prompt, task.answer, 1, task.beams).per_second

    clock = spec.cycle_clock
    rates = span("per_second", ranged(spec, value, iteration.engine), 1.0)
    split = iteration.split
    parts = {b: 0.0 for b in BOUNDS}
    for share, mixture in found.mixtures:
        for bound, seconds in iteration.parts(mixture).items():
            parts[bound] += share * seconds
    requests = copies * found.requests
    figures = {
        "tokens": requests * task.answer,
        "answers": requests,
        "answer": task.answer,
        "prompt": task.prompt,
        "batch": found.requests,
        "beams": task.beams,
        "cards": task.cards,
        "parallel": split.devices / spec.devices,
        "tensor": split.tensor,
        "pipeline": split.pipeline,
        "expert": split.expert,
        "devices": spec.devices,
        "step_ns": found.token * 1e9,
        "clock_ghz": clock,
        **rates,
    }
    if scenario == "single_stream":
        figures |= {
            f"time_ns{end}": 1e9 * task.answer / rates[f"per_second{other}"]
            for end, other in (("", ""), ("_low", "_high"), ("_high", "_low"))
        }
    time = found.token * task.answer
    workload = name if scenario == "offline" else f"{name}_{scenario}"
    return measurement(
        chip_name,
        workload,
        digest(task),
        time * clock * 1e9,
        {k: v * clock * 1e9 * task.answer for k, v in parts.items()},
        figures,
        [],
    )


def serving_engine(spec: Device) -> Engine:
    """The engine a chip's published results are served by: TensorRT-LLM on multiprocessors, else none is known."""
    return BUILT if spec.units else ENGINES["none"]


def _best(spec: Device, task: LanguageTask, scenario: LanguageScenario) -> tuple[Iteration, Steady, int]:
    """The split and the number of requests that give most on all cards, and how many instances there are of it."""
    found: tuple[Iteration, Steady, int] | None = None
    reason: InputError | None = None
    model = llm.load(task.model)
    number = task.weights or serving_format(spec)
    compute_format(spec, number)
    for split, copies in splits(model, task.cards * spec.devices):
        if split.devices % spec.devices:
            continue
        try:
            iteration = Iteration(
                spec, model, split=split, weights=number, cache=task.cache or number, engine=serving_engine(spec)
            )
            if scenario == "single_stream":
                most_requests(iteration, task.prompt, task.answer, task.beams)
                best = steady(iteration, task.prompt, task.answer, 1, task.beams)
            else:
                longest = task.longest if scenario == "server" else None
                best = best_steady(iteration, task.prompt, task.answer, task.beams, longest)
        except InputError as error:
            reason = reason or error
            continue
        if found is None or copies * best.per_second > found[2] * found[1].per_second:
            found = iteration, best, copies
    if found is None:
        assert reason is not None  # one split at least was tried
        raise reason
    return found


def decode_record(chip_name: str, workload: str) -> Measurement:
    """One decode step of a language workload, as `model.card.survey` runs it, weights in INT8 if the chip
    multiplies it and
    the cache in FP16."""
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

    clock = spec.cycle_clock
    figures = {
        "tokens": task.batch,
        "batch": task.batch,
        "context": task.tokens,
        "cards": task.cards,
        "devices": spec.devices,
        "clock_ghz": clock,
        "time_ns": step.time * 1e9,
        **span("per_second", ranged(spec, value), 1.0),
    }
    return measurement(
        chip_name,
        workload,
        loaded.digest,
        step.time * clock * 1e9,
        {k: v * clock * 1e9 for k, v in step.bound.items()},
        figures,
        [],
    )


def curve_record(chip_name: str, model: str, pim: str | None = None) -> Measurement:
    """Tokens per second of decode against batch, at `CURVE_CONTEXT` tokens, with and without `pim`.

    Layers are the points: {"name": "batch 8", "cycles": of a step, "macs", "batch", "tokens_per_s"} and with PIM
    {"pim_tokens_per_s", "on_pim"} (share of the step), and, of memory and products by nominal prices, "mj_per_token"
    without its units, "pim_mj_per_token" with them by time and "pim_cheapest_mj_per_token" by energy. Figure
    "pim_wins_to_batch": the largest batch at which PIM takes at least 5 % off a step, 0 if none; "pim_saves_to_batch":
    the largest at which it takes at least 5 % off the energy; "weights_on_pim_to_batch": the largest at which a product
    with weights is faster there (products with the cache stay so, each has its own matrix).
    """
    spec = device(chips.load(chip_name))
    plain = _deployed(spec, model, 1, "fp16" if pim else None, "fp16" if pim else None)
    there = with_pim(plain, pim) if pim else None
    if there is not None:
        plain = replace(there, choose="never")
    clock = spec.cycle_clock
    most, points, wins, saves, weights = plain.largest_batch(CURVE_CONTEXT), [], 0, 0, 0
    for batch in (b for b in CURVE_BATCHES if b <= most):
        step = plain.decode(CURVE_CONTEXT, batch)
        point: dict[str, Any] = {
            "name": f"batch {batch}",
            "cycles": round(step.time * clock * 1e9),
            "macs": 0,
            "batch": batch,
            "tokens_per_s": batch / step.time,
        }
        if there is not None:
            with_units = there.decode(CURVE_CONTEXT, batch)
            point |= {"pim_tokens_per_s": batch / with_units.time, "on_pim": with_units.on_pim / with_units.time}
            cheapest = replace(there, choose="energy").decode(CURVE_CONTEXT, batch)
            if step.energy is not None and with_units.energy is not None and cheapest.energy is not None:
                point |= {
                    "mj_per_token": 1e3 * step.energy.nominal / batch,
                    "pim_mj_per_token": 1e3 * with_units.energy.nominal / batch,
                    "pim_cheapest_mj_per_token": 1e3 * cheapest.energy.nominal / batch,
                }
                if cheapest.energy.nominal < 0.95 * step.energy.nominal:
                    saves = batch
            if with_units.time < 0.95 * step.time:
                wins = batch
            if with_units.weights_on_pim:
                weights = batch
        points.append(point)
    figures: dict[str, float] = {"context": CURVE_CONTEXT, "largest_batch": most, "clock_ghz": clock}
    if there is not None and there.pim is not None:
        figures |= {
            "pim_wins_to_batch": wins,
            "pim_saves_to_batch": saves,
            "weights_on_pim_to_batch": weights,
            "pim_packages": there.pim.packages,
        }
    name = f"{model}_batches" + (f"_{pim}" if pim else "")
    task = {"model": model, "context": CURVE_CONTEXT, "weights": plain.weight_format, "cache": plain.cache_format}
    return measurement(
        chip_name, name, digest(task | {"pim": pim or ""}), sum(p["cycles"] for p in points), {}, figures, points
    )


def _deployed(spec: Device, model: str, cards: int, weights: str | None, cache: str | None) -> Deployment:
    number = weights or serving_format(spec)
    deployed = Deployment(
        device=spec, model=llm.load(model), cards=cards, weight_format=number, cache_format=cache or number
    )
    if deployed.serving.cards > deployed.model.heads:
        raise InputError(f"cards must be at most the {deployed.model.heads} heads, not {deployed.serving.cards}")
    return deployed
