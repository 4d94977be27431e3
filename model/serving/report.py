"""An outcome as one object for scripts, as one screen for people, and as one line for each request."""

import json
from collections.abc import Iterator
from typing import Any

from model.serving.answers import Spread, kept, latency, rate, spread, tpot, ttft
from model.serving.bill import Bill
from model.serving.service import Outcome


def spreads(outcome: Outcome) -> dict[str, Spread]:
    """TTFT, TPOT and latency."""
    tables = outcome.table, outcome.low, outcome.high
    return {
        name: spread(*(of(t) for t in tables)) for name, of in (("ttft", ttft), ("tpot", tpot), ("latency", latency))
    }


def rates(outcome: Outcome) -> tuple[float, float, float]:
    """(low, nominal, high) tokens a second."""
    found = sorted(rate(t) for t in (outcome.table, outcome.low, outcome.high))
    return found[0], rate(outcome.table), found[-1]


def usage(outcome: Outcome) -> dict[str, float]:
    """What the instances did: shares of the time, preemptions, tokens found in the cache."""
    cluster, table = outcome.cluster, outcome.table
    seconds = float(table["last"].max() - table["arrival"].min()) * len(cluster.all)
    total = seconds or 1.0
    instances = cluster.all
    return {
        "busy": sum(i.prefill_seconds + i.decode_seconds for i in instances) / total,
        "prefill": sum(i.prefill_seconds for i in instances) / total,
        "sequences": sum(i.sequence_seconds for i in instances) / total,
        "cache": sum(i.block_seconds / i.pool.total for i in instances) / total,
        "cache_peak": max(i.pool.peak / i.pool.total for i in instances),
        "preemptions": float(sum(i.preemptions for i in instances)),
        "found_tokens": float(sum(i.holdings.found for i in instances)),
        "computed_tokens": float(sum(i.computed for i in instances)),
    }


def plain(outcome: Outcome, bill: Bill | None, target: tuple[float, float] | None) -> dict[str, Any]:
    """One object: figures with their ranges."""
    low, mid, high = rates(outcome)
    found: dict[str, Any] = {f"{name}_ms": s.in_ms() for name, s in spreads(outcome).items()}
    found["tokens_per_s"] = {"nominal": mid, "mean": mid, "range": [low, high]}
    found["requests"] = len(outcome.table["number"])
    found["seconds"] = float(outcome.table["last"].max() - outcome.table["arrival"].min())
    found["usage"] = usage(outcome)
    if target is not None:
        good = [kept(t, *target) for t in (outcome.table, outcome.low, outcome.high)]
        found["target"] = {
            "ttft_s": target[0],
            "tpot_s": target[1],
            "kept": float(good[0].mean()),
            "range": sorted(float(g.mean()) for g in good)[::2],
            "goodput_requests_per_s": float(good[0].sum()) / found["seconds"] if found["seconds"] else 0.0,
        }
    if bill is not None:
        found |= bill.plain()
    found["simulated_requests_per_s"] = len(outcome.table["number"]) / outcome.wall
    found["simulated_tokens_per_s"] = float(outcome.table["answer"].sum()) / outcome.wall
    return found


def lines(outcome: Outcome) -> Iterator[str]:
    """One JSON line for each request: arrival, first and last token, each with its 5 % and 95 % ends: what the
    simulator errs by for one request if the card is described right; what the card's facts leave open is common to all
    requests and in the ranges of their means."""
    table = outcome.table
    ends = {name: outcome.bands.get(name, (table[name], table[name])) for name in ("first", "last")}
    for i, number in enumerate(table["number"].tolist()):
        yield json.dumps(
            {
                "request": number,
                "prompt": int(table["prompt"][i]),
                "answer": int(table["answer"][i]),
                "arrival_s": float(table["arrival"][i]),
                "arrival_range": [float(table["arrival"][i])] * 2,
                "first_token_s": float(table["first"][i]),
                "first_token_range": [float(end[i]) for end in ends["first"]],
                "last_token_s": float(table["last"][i]),
                "last_token_range": [float(end[i]) for end in ends["last"]],
                "preempted": int(table["preempted"][i]),
                "found_tokens": int(table["found"][i]),
            }
        )


def screen(outcome: Outcome, bill: Bill | None, target: tuple[float, float] | None) -> Iterator[str]:
    """One screen."""
    yield f"  {'':<10} {'mean':>9} {'5 %':>9} {'95 %':>9} {'P50':>9} {'P90':>9} {'P95':>9} {'P99':>9}"
    for name, s in spreads(outcome).items():
        unit, scale = ("ms", 1e3) if s.p99 < 10 else ("s", 1.0)
        cells = (s.mean, s.low, s.high, s.p50, s.p90, s.p95, s.p99)
        yield f"  {name.upper() if name != 'latency' else name:<7} {unit:<2} " + " ".join(
            f"{scale * c:>9,.2f}" for c in cells
        )
    low, mid, high = rates(outcome)
    use = usage(outcome)
    yield f"  tokens/s    {mid:,.1f} ({low:,.1f} to {high:,.1f})"
    yield (
        f"  cards       busy {use['busy']:.1%}, of it prompts {use['prefill']:.1%}; {use['sequences']:.1f} sequences, "
        f"cache {use['cache']:.1%} full, at most {use['cache_peak']:.1%}; {use['preemptions']:.0f} put back, "
        f"{use['found_tokens']:,.0f} tokens found in the cache"
    )
    if target is not None:
        good = kept(outcome.table, *target)
        yield (
            f"  target      {good.mean():.2%} of the requests have TTFT <= {target[0]:g} s and "
            f"TPOT <= {target[1] * 1e3:g} ms"
        )
    if bill is not None:
        for name, unit, (a, b, c) in (
            ("energy", "J a token at the wall, idle time included", bill.joules),
            ("power", "kW at the wall", bill.kilowatts),
            ("cost", "KRW a million tokens, electricity", bill.krw),
            ("", "KRW a million tokens, with the cards' capital", bill.krw_with_capital),
            ("carbon", "gCO2e a million tokens", bill.carbon),
        ):
            yield f"  {name:<11} {b:,.3g} ({a:,.3g} to {c:,.3g}) {unit}"
    yield (
        f"  simulated   {len(outcome.table['number']):,} requests in {outcome.wall:.2f} s, "
        f"{len(outcome.table['number']) / outcome.wall:,.0f} requests/s, "
        f"{outcome.table['answer'].sum() / outcome.wall:,.0f} tokens/s"
    )
