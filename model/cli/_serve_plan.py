"""Questions of a planner for `serve` that need several runs: the fewest cards, many rates, years that grow."""

import argparse
import json
from typing import Any

from hw import chips
from hw.base.error import InputError
from hw.base.progress import Progress
from model.cli import _serve_run
from model.serving.answers import tpot, ttft
from model.serving.fewest import fewest
from model.serving.report import rates
from model.serving.service import Service
from model.serving.simulate import replay


def fewest_cards(arguments: argparse.Namespace, state: Progress) -> int:
    """`--fewest MODEL ... [--chips NAME ...] --rate R`; 0."""
    target = _serve_run.target_of(arguments)
    if target is None or arguments.rate is None:
        raise InputError("--fewest must come with --rate and a target: --ttft, --tpot or both")
    load = _serve_run.drawn_of(arguments, arguments.requests or 1500, arguments.rate)
    pairs = [(model, chip) for model in arguments.fewest for chip in arguments.chips or [arguments.chip]]
    rows, state.total = [], len(pairs)
    for name, chip in pairs:
        model = _serve_run.model_of(name)
        rows.append(
            fewest(chip, model, load, target, share=arguments.share, engine=arguments.engine, weights=arguments.format)
        )
        state.step()
    if arguments.json:
        notes = {chip: _serve_run.clocks_at_gates([chips.load(chip)]) for _, chip in pairs}
        print(json.dumps([row.plain() | notes[row.chip] for row in rows], indent=1))
        return 0
    print(
        f"fewest cards for {load.rate:g} requests a second of {load.prompt:g} + {load.answer:g} tokens, "
        f"{arguments.share:.0%} with TTFT <= {target[0]:g} s and TPOT <= {1e3 * target[1]:g} ms"
    )
    heads = ("cards", "instances", "kept", "tokens/s", "J/token", "KRW/M tokens", "gCO2e/M")
    print(f"  {'model':<22} {'chip':<22} {'weights':<9}" + " ".join(f"{h:>12}" for h in heads))
    for row in rows:
        if row.reason:
            print(f"  {row.model:<22} {row.chip:<22} {row.reason}")
            continue
        b = row.bill
        money = f"{b.joules[1]:>12.3g} {b.krw_with_capital[1]:>12,.0f} {b.carbon[1]:>12,.0f}" if b is not None else ""
        print(
            f"  {row.model:<22} {row.chip:<22} {row.weights:<9}{row.cards:>12} {f'{row.replicas} x {row.size}':>12} "
            f"{row.kept:>12.2%} {row.tokens_per_s:>12,.0f} {money}"
        )
    print(*_serve_run.clock_lines(chips.load(chip) for chip in dict.fromkeys(chip for _, chip in pairs)), sep="\n")
    return 0


def many_rates(arguments: argparse.Namespace, state: Progress) -> int:
    """`--rates R ...`: one line a rate, with a PIM memory and without where `--pim` is given; 0."""
    shown: list[dict[str, Any]] = []
    variants = _variants(arguments)
    state.total = len(arguments.rates) * len(variants)
    for rate in arguments.rates:
        if not 0 < rate < float("inf"):
            raise InputError(f"--rates must be above 0, not {rate:g}")
        load = _serve_run.drawn_of(arguments, arguments.requests or max(200, round(120 * rate)), rate)
        for label, service in variants:
            outcome = replay(service, lambda load=load: load)
            state.step()
            cost = _serve_run.bill_of(service, outcome)
            low, mid, high = rates(outcome)
            each = [float(tpot(t).mean()) for t in (outcome.low, outcome.table, outcome.high)]
            shown.append(
                {
                    "rate": rate,
                    "what": label,
                    "ttft_ms": 1e3 * float(ttft(outcome.table).mean()),
                    "tpot_ms": 1e3 * each[1],
                    "tpot_range_ms": [1e3 * min(each), 1e3 * max(each)],
                    "tokens_per_s": mid,
                    "tokens_per_s_range": [low, high],
                    "joules_per_token": cost.joules[1] if cost is not None else None,
                }
            )
    if arguments.json:
        notes = {label: _serve_run.clocks_at_gates(_serve_run.serving(service)) for label, service in variants}
        print(json.dumps([row | notes[row["what"]] for row in shown], indent=1))
        return 0
    for label, service in variants:
        print(f"{label}: {_serve_run.heading(service)}")
    print(
        f"  {'requests/s':>10} {'':<24} {'TTFT ms':>9} {'TPOT ms':>9} {'(5 to 95 %)':>16} {'tokens/s':>10} "
        f"{'J/token':>9}"
    )
    for row in shown:
        span = "{:.1f} to {:.1f}".format(*row["tpot_range_ms"])
        joules = f"{row['joules_per_token']:.3g}" if row["joules_per_token"] is not None else "-"
        print(
            f"  {row['rate']:>10g} {row['what']:<24} {row['ttft_ms']:>9,.1f} {row['tpot_ms']:>9,.2f} {span:>16} "
            f"{row['tokens_per_s']:>10,.0f} {joules:>9}"
        )
    _serve_run.clocks(variants[0][1])
    return 0


def _variants(arguments: argparse.Namespace) -> list[tuple[str, Service]]:
    """What is compared: the cards as they are in the narrowest format; with `--pim`, in the units' format without and
    with them."""
    if arguments.pim is None:
        return [("as it is", _serve_run.service_of(arguments))]
    plain, best = argparse.Namespace(**vars(arguments)), argparse.Namespace(**vars(arguments))
    plain.pim = best.pim = None
    best.format = best.cache = None
    return [
        (f"with {arguments.pim}", _serve_run.service_of(arguments)),
        ("without, same format", _serve_run.service_of(plain)),
        ("without, best format", _serve_run.service_of(best)),
    ]
