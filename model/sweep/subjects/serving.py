"""A deployment of a language model under a load, by the serving simulator: times to tokens, throughput, energy, cost.

A point is one service (card, cards of an instance, split, format, replicas) at one rate of requests; every request is
simulated, as `kcloud-cosim serve --rate` does, with the same draws for all designs.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from hw import chips
from hw.base.catalog import nearest
from hw.base.error import InputError
from hw.spec.number import FORMATS
from model.card.device import device
from model.card.engine import ENGINES
from model.card.serving import serving_format
from model.network import llm
from model.network.split import Split
from model.serving.answers import kept
from model.serving.bill import bill
from model.serving.deploy import Deployed, Rules, planned
from model.serving.draw import Drawn
from model.serving.policies import names
from model.serving.report import rates, spreads
from model.serving.service import Service
from model.serving.simulate import replay
from model.sweep.space import Space

OWN: Mapping[str, str] = {
    "chip": "card, a file in hw/chips",
    "cards": "cards of one instance",
    "pipeline": "stages the layers are cut into; the rest of the cards is tensor parallel",
    "replicas": "instances",
    "format": "format of the weights, or 'serving' for the one the card serves in",
    "rate": "requests a second of the whole service",
    "batching": "policy of an iteration, a file in model/serving/policies",
    "eviction": "policy of a full cache, a file in model/serving/policies",
    "tokens": "most tokens of an iteration",
    "sequences": "most requests that run on an instance",
}

RESULTS: Mapping[str, str] = {
    "ttft_s": "s to the first token, mean",
    "ttft_s_low": "s, 5 % end of the card model's range",
    "ttft_s_high": "s, 95 % end",
    "ttft_p99_s": "s that 99 % of the requests stay below",
    "tpot_s": "s a token after the first, mean",
    "tpot_s_low": "s, 5 % end",
    "tpot_s_high": "s, 95 % end",
    "tpot_p99_s": "s that 99 % of the requests stay below",
    "tokens_per_s": "answer tokens a second",
    "tokens_per_s_low": "tokens a second, 5 % end",
    "tokens_per_s_high": "tokens a second, 95 % end",
    "kept": "share of the requests that keep both targets, 0 to 1",
    "cards_used": "cards of all instances",
    "joules_per_token": "J at the wall for a token of the answers, idle time included; NaN without a published TDP",
    "krw_per_million_tokens": "KRW of electricity and of the time the cards were kept",
    "gco2e_per_million_tokens": "gCO2e of the electricity",
}

INDEPENDENT: Mapping[str, tuple[str, str]] = {
    name: (f"{name}_low", f"{name}_high") for name in ("ttft_s", "tpot_s", "tokens_per_s")
}
"""Objective -> ends of its range; the model's error of one card is drawn once for all designs with it (`GROUP`)."""

GROUP = "chip"
CHUNK = 4
"""Points of a file: each is a simulation of some tenths of a second to seconds."""

_BASE = {"model", "prompt", "answer", "requests", "ttft_s", "tpot_s"}


def check(space: Space) -> None:
    """Raises `InputError` if an axis, a card or a model is unknown, or the base lacks something."""
    for name in space.axes:
        if name not in OWN:
            raise InputError(f"axis {name!r} must be one of {', '.join(OWN)}; {nearest(name, list(OWN))}correct it")
    for name in ("chip", "rate"):
        if name not in space.axes and name not in space.base:
            raise InputError(f"a space of services must state {name!r}, as an axis or in its base; add it")
    for name in sorted(_BASE - space.base.keys()):
        raise InputError(f"the base of a space of services must state {name!r}; add it")
    if space.base.get("engine", "vllm") not in ENGINES:
        raise InputError(f"engine must be one of {', '.join(ENGINES)}, not {space.base['engine']!r}; correct it")
    llm.load(str(space.base["model"]))
    for name in space.distinct.get("chip", [space.base.get("chip")]):
        chips.load(str(name))
    for policy in ("batching", "eviction"):
        for name in space.distinct.get(policy, ()):
            if name not in names(policy):
                raise InputError(f"{policy} must be one of {', '.join(names(policy))}, not {name!r}; correct it")
    for name in space.distinct.get("format", ()):
        if name not in ("serving", *FORMATS):
            raise InputError(f"format must be 'serving' or one of {', '.join(FORMATS)}, not {name!r}; correct it")


def evaluate(space: Space, columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Results of the points; NaN where the model does not fit or cannot be cut so."""
    length = len(next(iter(columns.values())))
    found = {name: np.full(length, np.nan) for name in RESULTS}
    for index in range(length):
        values = {**space.base, **{name: column[index].item() for name, column in columns.items()}}
        for name, value in (_point(values) or {}).items():
            found[name][index] = value
    return found


@lru_cache(maxsize=16)
def _device(name: str):
    return device(chips.load(name))


def service_of(values: Mapping[str, Any]) -> Service:
    """The service of a point; `InputError` if the model does not fit it or the devices do not divide so."""
    chip, spec, model = chips.load(values["chip"]), _device(values["chip"]), llm.load(values["model"])
    stages, devices = int(values.get("pipeline", 1)), int(values.get("cards", 1)) * spec.devices
    if devices % stages:
        raise InputError(f"the {devices} devices of an instance must divide into {stages} stages; choose another")
    weights = values.get("format", "serving")
    weights = serving_format(spec) if weights == "serving" else weights
    deployed = Deployed(
        device=spec,
        model=model,
        split=Split(tensor=devices // stages, pipeline=stages),
        weights=weights,
        cache=weights if weights in ("bf16", "fp16", "fp32") else "fp16",
        engine=ENGINES[values.get("engine", "vllm")],
        rules=Rules(
            batching=values.get("batching"),
            eviction=values.get("eviction"),
            tokens=values.get("tokens"),
            sequences=values.get("sequences") or planned(ENGINES[values.get("engine", "vllm")]).sequences,
        ),
        chip=chip,
    )
    return Service(groups=((deployed, int(values.get("replicas", 1))),))


def _point(values: Mapping[str, Any]) -> dict[str, float] | None:
    drawn = Drawn(
        count=int(values["requests"]),
        rate=float(values["rate"]),
        prompt=float(values["prompt"]),
        answer=float(values["answer"]),
        seed=int(values.get("seed", 1)),
    )
    try:
        service = service_of(values)
        outcome = replay(service, lambda: drawn)
    except InputError:
        return None
    found, (low, middle, high), table = spreads(outcome), rates(outcome), outcome.table
    deployed, replicas = service.groups[0]
    cards = deployed.cards * replicas
    row = {f"{name}_s{end}": getattr(found[name], field) for name in ("ttft", "tpot")
           for end, field in (("", "mean"), ("_low", "low"), ("_high", "high"))}  # fmt: skip
    row |= {f"{name}_p99_s": found[name].p99 for name in ("ttft", "tpot")}
    row |= {"tokens_per_s": middle, "tokens_per_s_low": low, "tokens_per_s_high": high, "cards_used": cards}
    row["kept"] = float(kept(table, float(values["ttft_s"]), float(values["tpot_s"])).mean())
    lanes = replicas * deployed.lanes
    seconds = float(table["last"].max() - table["arrival"].min())
    assert deployed.chip is not None
    cost = bill(
        outcome.cluster, [deployed.chip] * lanes, [deployed.cards / deployed.lanes] * lanes,
        int(table["answer"].sum()), seconds, str(values.get("site", "gwangju")),
    )  # fmt: skip
    if cost is not None:
        row |= {
            "joules_per_token": cost.joules[1],
            "krw_per_million_tokens": cost.krw_with_capital[1],
            "gco2e_per_million_tokens": cost.carbon[1],
        }
    return row


def binds(space: Space, results: Mapping[str, float]) -> str:
    """The target that is nearer to its limit."""
    token, first = results["tpot_p99_s"] / space.base["tpot_s"], results["ttft_p99_s"] / space.base["ttft_s"]
    return "TPOT" if token >= first else "TTFT"
