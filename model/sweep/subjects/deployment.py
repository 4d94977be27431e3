"""A mix of language-model requests on cards bought for a budget: what a choice of card, split and format delivers.

A point is one task of the mix (a model with its prompt and answer lengths) on one kind of instance; a design is the
same
kind of instance for all tasks. Of each instance the most requests in flight are taken that keep both targets. The
budget
buys instances of every task in the proportion in which its requests come:

    requests/s = budget / sum over tasks of share x capital of an instance / requests/s of an instance
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from hw import chips
from hw.base.catalog import nearest
from hw.base.error import InputError
from model.card.device import device
from model.card.engine import ENGINES
from model.card.iteration import Iteration, prefill
from model.card.serving import serving_format
from model.card.throughput import most_requests, steady
from model.network import llm
from model.network.language import LanguageModel
from model.network.split import Split
from model.projection import scenarios
from model.projection.overheads import FAN_SHARE, SOCKET_POWER, SUPPLY_EFFICIENCY
from model.serving.bill import HOURS_PER_YEAR, card_joules, ends, prices
from model.sweep.space import Space

OWN: Mapping[str, str] = {
    "task": "name of a task of the base's mix",
    "chip": "card, a file in hw/chips",
    "cards": "cards of one instance",
    "pipeline": "stages the layers are cut into; the rest of the cards is tensor parallel",
    "format": "format of the weights, or 'serving' for the one the card serves in",
}

RESULTS: Mapping[str, str] = {
    "requests_per_s": "requests a second: of an instance; of a design, all that the budget buys",
    "tokens_per_s": "answer tokens a second, nominal",
    "tokens_per_s_low": "tokens a second, 5 % end of the card model's range",
    "tokens_per_s_high": "tokens a second, 95 % end",
    "ttft_s": "s to the first token, mean: the running iteration and the prompt",
    "tpot_s": "s a token after the first, mean",
    "in_flight": "requests in flight on one instance",
    "capital_krw": "KRW of cards and their part of the servers; of a design, what is spent",
    "wall_kw": "kW at the wall, busy",
    "cards_bought": "cards",
    "krw_per_million_tokens": "KRW of electricity and of the year's part of the capital, busy all year",
    "gco2e_per_million_tokens": "gCO2e of electricity",
}

INDEPENDENT: Mapping[str, tuple[str, str]] = {"tokens_per_s": ("tokens_per_s_low", "tokens_per_s_high")}
"""Objective -> ends of its range; the model's error of one card is drawn once for all designs with it (`GROUP`)."""

GROUP = "chip"

CHUNK = 48
"""Points of a file: each takes some tens of milliseconds."""
_BASE = {"mix", "budget_krw", "site", "engine", "ttft_s", "tpot_s"}


def check(space: Space) -> None:
    """Raises `InputError` if an axis, a card or a task is unknown, or the base lacks something."""
    for name in space.axes:
        if name not in OWN:
            raise InputError(f"axis {name!r} must be one of {', '.join(OWN)}; {nearest(name, list(OWN))}correct it")
    for name in ("task", "chip", "cards"):
        if name not in space.axes:
            raise InputError(f"a space of deployments must have the axis {name!r}; add it")
    for name in sorted(_BASE - space.base.keys()):
        raise InputError(f"the base of a space of deployments must state {name!r}; add it")
    if space.base["engine"] not in ENGINES:
        raise InputError(f"engine must be one of {', '.join(ENGINES)}, not {space.base['engine']!r}; correct it")
    scenarios.load(str(space.base["site"]))
    mix = space.base["mix"]
    for name in space.distinct["task"]:
        if name not in mix:
            raise InputError(f"task must be one of the mix ({', '.join(mix)}), not {name!r}; correct it")
    for name, task in mix.items():
        for field in ("model", "prompt", "answer", "share"):
            if field not in task:
                raise InputError(f"task {name!r} of the mix must state {field!r}; add it")
        llm.load(str(task["model"]))
    for name in space.distinct["chip"]:
        chips.load(str(name))


@lru_cache(maxsize=64)
def _model(name: str) -> LanguageModel:
    return llm.load(name)


@lru_cache(maxsize=64)
def _device(name: str):
    return device(chips.load(name))


def evaluate(space: Space, columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Results of the points; NaN where the model does not fit, cannot be cut so, or misses a target at one request."""
    length = len(columns["task"])
    found = {name: np.full(length, np.nan) for name in RESULTS}
    for index in range(length):
        values = {name: column[index].item() for name, column in columns.items()}
        row = _point(space, values)
        for name, value in (row or {}).items():
            found[name][index] = value
    return found


def _point(space: Space, values: Mapping[str, Any]) -> dict[str, float] | None:
    task, chip = space.base["mix"][values["task"]], chips.load(values["chip"])
    spec, model = _device(values["chip"]), _model(task["model"])
    stages, cards = int(values.get("pipeline", 1)), int(values["cards"])
    devices = cards * spec.devices
    if devices % stages or "tdp" not in chip.facts:
        return None
    weights = values.get("format", "serving")
    try:
        iteration = Iteration(
            spec,
            model,
            split=Split(tensor=devices // stages, pipeline=stages),
            weights=serving_format(spec) if weights == "serving" else weights,
            engine=ENGINES[space.base["engine"]],
        )
        best = _most(iteration, task["prompt"], task["answer"], space.base["ttft_s"], space.base["tpot_s"])
        low, high = iteration.factor("offline")
    except InputError:
        return None
    if best is None:
        return None
    requests, token, first = best
    rate = requests / (first + (task["answer"] - 1) * token)
    paid, used = prices(chip, str(space.base["site"])), ends(chip.facts["tdp"])[1]
    busy = card_joules(chip, 1.0, min(1.0, rate * iteration.seconds(prefill(task["prompt"]))), 1.0)[1]
    card = min(busy, used)
    host = paid.sockets_per_card[1] * SOCKET_POWER.nominal
    wall = cards * (card + host) * (1 + FAN_SHARE.nominal) / SUPPLY_EFFICIENCY.nominal * paid.pue[1] / 1e3
    capital = cards * paid.capital_per_card_year[1] * scenarios.load(str(space.base["site"])).prices.lifetime.nominal
    tokens = rate * task["answer"]
    hourly = wall * paid.tariff[1] + cards * paid.capital_per_card_year[1] / HOURS_PER_YEAR
    return {
        "requests_per_s": rate,
        "tokens_per_s": tokens,
        "tokens_per_s_low": tokens / high,
        "tokens_per_s_high": tokens / low,
        "ttft_s": first,
        "tpot_s": token,
        "in_flight": requests,
        "capital_krw": capital,
        "wall_kw": wall,
        "cards_bought": cards,
        "krw_per_million_tokens": hourly / 3600 / tokens * 1e6,
        "gco2e_per_million_tokens": wall * paid.carbon[1] / 3600 / tokens * 1e6,
    }


def _most(
    iteration: Iteration, prompt: int, answer: int, ttft_s: float, tpot_s: float
) -> tuple[int, float, float] | None:
    """(requests in flight, seconds a token, seconds to the first) at the most requests that keep both targets."""
    alone = iteration.seconds(prefill(prompt))

    def times(requests: int) -> tuple[float, float]:
        token = steady(iteration, prompt, answer, requests).token
        return token, token / 2 + alone

    def keeps(requests: int) -> bool:
        token, first = times(requests)
        return token <= tpot_s and first <= ttft_s

    low, high = 0, most_requests(iteration, prompt, answer)
    if keeps(high):
        return high, *times(high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if keeps(middle) else (low, middle)
    return (low, *times(low)) if low else None


def totals(space: Space, columns: Mapping[str, np.ndarray], which: np.ndarray, designs: int) -> dict[str, np.ndarray]:
    """What the budget buys of each design, over the tasks of the mix; `columns` holds the axes too."""
    mix, budget = space.base["mix"], float(space.base["budget_krw"])
    share = np.array([float(mix[name]["share"]) for name in columns["task"].tolist()])
    share = share / sum(float(task["share"]) for task in mix.values())
    answer = np.array([float(mix[name]["answer"]) for name in columns["task"].tolist()])

    def added(values: np.ndarray) -> np.ndarray:
        sums = np.zeros(designs)
        np.add.at(sums, which, values)
        return sums

    def worst(values: np.ndarray) -> np.ndarray:
        most = np.full(designs, -np.inf)
        with np.errstate(invalid="ignore"):  # a task that does not fit is NaN, and so is its design
            np.maximum.at(most, which, values)
        return most

    instances = share / columns["requests_per_s"]  # of each task, for one request a second of the mix
    rate = budget / added(instances * columns["capital_krw"])
    tokens = rate * added(share * answer)
    spread = {
        end: added(share * answer * columns[f"tokens_per_s_{end}"] / columns["tokens_per_s"]) for end in ("low", "high")
    }
    weighed = added(share * answer)
    return {
        "requests_per_s": rate,
        "tokens_per_s": tokens,
        "tokens_per_s_low": tokens * spread["low"] / weighed,
        "tokens_per_s_high": tokens * spread["high"] / weighed,
        "ttft_s": worst(columns["ttft_s"]),
        "tpot_s": worst(columns["tpot_s"]),
        "in_flight": worst(columns["in_flight"]),
        "capital_krw": np.full(designs, budget) + 0 * rate,
        "wall_kw": rate * added(instances * columns["wall_kw"]),
        "cards_bought": rate * added(instances * columns["cards_bought"]),
        "krw_per_million_tokens": added(share * answer * columns["krw_per_million_tokens"]) / weighed,
        "gco2e_per_million_tokens": added(share * answer * columns["gco2e_per_million_tokens"]) / weighed,
    }


def binds(space: Space, results: Mapping[str, float]) -> str:
    """The target that is nearer to its limit."""
    token, first = results["tpot_s"] / space.base["tpot_s"], results["ttft_s"] / space.base["ttft_s"]
    return "TPOT" if token >= first else "TTFT"
