"""The cards of a site over a day, for `serve --site`."""

import argparse
import json
from pathlib import Path
from typing import Any

from hw.base.digest import digest
from model.cli import _serve_run
from model.serving import site
from model.serving.bill import Bill
from model.serving.draw import DAY, Drawn
from model.serving.hours import Busy, by_hour
from model.serving.report import lines, plain, screen
from model.serving.simulate import replay

REQUESTS = 1_000_000
SECONDS = 86400.0


def run(arguments: argparse.Namespace) -> int:
    """Print it; 0."""
    model = _serve_run.model_of(arguments.model)
    count = arguments.requests or REQUESTS
    found = site.kinds(
        arguments.site,
        model,
        tokens=arguments.prompt + arguments.answer,
        engine=arguments.engine,
        spares=arguments.spares,
        cap_kw=arguments.power_cap,
    )
    broken = site.failures(found, arguments.failures, SECONDS, arguments.seed)
    service = site.service(found, broken, arguments.router)
    load = Drawn(
        count=count,
        rate=count / SECONDS,
        prompt=arguments.prompt,
        answer=arguments.answer,
        spread=arguments.spread,
        arrivals=arguments.arrivals,
        burst=arguments.burst,
        day=DAY,
        prefix_tokens=arguments.shared,
        seed=arguments.seed,
    )
    busy = Busy(24)
    copy = _serve_run.COPIES / f"{digest(_serve_run.told(arguments))}.copy"
    outcome = replay(
        service, lambda: load, copy=copy, progress=None if arguments.json else _serve_run.progress, watch=busy
    )
    busy = outcome.cluster.all[0].watch  # a restored run has its own
    instances = sum(k.instances for k in found)
    rows = by_hour(outcome.table, busy, instances)
    cost = _serve_run.bill_of(service, outcome)
    target = _serve_run.target_of(arguments)
    if arguments.requests_out:
        from hw.base.file import write_atomically

        write_atomically(Path(arguments.requests_out), "\n".join(lines(outcome)) + "\n")
    if arguments.plots:
        from model.serving.plots import fleet

        names = {
            "requests_per_s": "requests/s",
            "tokens_per_s": "tokens/s",
            "ttft_p99_s": "TTFT 99 %, s",
            "busy": "busy",
        }
        series = {label: [row[name] for row in rows] for name, label in names.items()}
        fleet([row["hour"] for row in rows], series, Path(arguments.plots) / "fleet.svg")
    if arguments.json:
        whole: dict[str, Any] = plain(outcome, cost, target)
        whole["kinds"] = [
            {"operator": k.operator, "card": k.card, "cards": k.cards, "instances": k.instances, "off": k.off,
             "spares": k.spares, "reason": k.reason} for k in found
        ]  # fmt: skip
        whole["hours"] = rows
        whole["failures"] = len(broken)
        print(json.dumps(whole, indent=1))
        return 0
    lengths = f"{load.prompt:g} + {load.answer:g} tokens on average"
    print(f"{arguments.site}: {model.name}, {count:,} requests in a day, {lengths}")
    for kind in found:
        if kind.deployed is None or not kind.instances + kind.off:
            print(f"  {kind.operator:<6} {kind.cards:>4} {kind.card}: do not serve; {kind.reason}")
        else:
            off = f", {kind.off} kept off by the cap" if kind.off else ""
            spare = f", {kind.spares} spare cards" if kind.spares else ""
            print(
                f"  {kind.operator:<6} {kind.cards:>4} {kind.card}: {kind.instances} instances of "
                f"{kind.deployed.cards:g}, weights {kind.deployed.weights}{off}{spare}"
            )
    print(f"  {len(broken)} failures")
    print(*screen(outcome, cost, target), sep="\n")
    print(*_hours(rows), sep="\n")
    print(*_year(cost, int(outcome.table["answer"].sum())), sep="\n")
    return 0


def _hours(rows: list[dict[str, Any]]) -> list[str]:
    text = [f"  {'hour':>6} {'requests/s':>11} {'tokens/s':>10} {'TTFT P99 ms':>12} {'TPOT P99 ms':>12} {'busy':>7}"]
    for row in rows:
        text.append(
            f"  {row['hour']:>6} {row['requests_per_s']:>11.2f} {row['tokens_per_s']:>10,.0f} "
            f"{1e3 * row['ttft_p99_s']:>12,.1f} {row['tpot_p99_ms']:>12,.1f} {row['busy']:>7.1%}"
        )
    return text


def _year(cost: Bill | None, tokens: int) -> list[str]:
    if cost is None:
        return []
    millions = 365 * tokens / 1e6

    def three(values: tuple[float, float, float], scale: float, digits: int) -> str:
        low, mid, high = (scale * v for v in values)
        return f"{mid:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"

    return [
        f"  a year of such days: {three(cost.kilowatts, 365 * 24 / 1e3, 0)} MWh, electricity "
        f"{three(cost.krw, millions / 1e6, 1)} million KRW, with the cards' capital "
        f"{three(cost.krw_with_capital, millions / 1e6, 0)}, {three(cost.carbon, millions / 1e6, 1)} tCO2e"
    ]
