"""The cards of a site over a day, for `serve --site`."""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hw.base.digest import digest
from hw.base.error import InputError
from hw.base.file import write_atomically
from hw.base.progress import Progress
from hw.spec.chip import Chip
from model.cli import _serve_run
from model.cli._serve_time import follow
from model.serving import site
from model.serving.answers import kept
from model.serving.bill import Bill
from model.serving.draw import DAY, Drawn
from model.serving.hours import Busy, by_hour
from model.serving.report import lines, plain, screen, usage
from model.serving.service import Outcome
from model.serving.simulate import replay

REQUESTS = 1_000_000
SECONDS = 86400.0


def run(arguments: argparse.Namespace, state: Progress) -> int:
    """Print it; 0."""
    if arguments.years < 1 or not 0 < arguments.growth < 100:
        raise InputError(
            f"--years must be at least 1 and --growth above 0, not {arguments.years}, {arguments.growth:g}"
        )
    model = _serve_run.model_of(arguments.model)
    found = site.kinds(
        arguments.site,
        model,
        tokens=arguments.prompt + arguments.answer,
        engine=arguments.engine,
        spares=arguments.spares,
        cap_kw=arguments.power_cap,
    )
    if arguments.years > 1:
        return _many_years(arguments, found, state)
    day = _day(arguments, found, arguments.requests or REQUESTS, state)
    target = _serve_run.target_of(arguments)
    if arguments.requests_out:
        write_atomically(Path(arguments.requests_out), "\n".join(lines(day.outcome)) + "\n")
    if arguments.plots:
        from model.serving.plots import fleet

        names = {
            "requests_per_s": "requests/s",
            "tokens_per_s": "tokens/s",
            "ttft_p99_s": "TTFT 99 %, s",
            "busy": "busy",
        }
        series = {label: [row[name] for row in day.hours] for name, label in names.items()}
        fleet([row["hour"] for row in day.hours], series, Path(arguments.plots) / "fleet.svg")
    if arguments.json:
        whole: dict[str, Any] = plain(day.outcome, day.cost, target)
        kind = ("operator", "card", "cards", "instances", "off", "spares", "reason")
        whole["kinds"] = [{name: getattr(k, name) for name in kind} for k in found]
        whole["hours"] = day.hours
        whole["failures"] = day.failures
        whole |= _serve_run.clocks_at_gates(_serving(found))
        print(json.dumps(whole, indent=1))
        return 0
    lengths = f"{arguments.prompt:g} + {arguments.answer:g} tokens on average"
    print(f"{arguments.site}: {model.name}, {len(day.outcome.log):,} requests in a day, {lengths}")
    print(*_cards(found), sep="\n")
    print(f"  {day.failures} failures")
    print(*screen(day.outcome, day.cost, target), sep="\n")
    print(*_hours(day.hours), sep="\n")
    print(*_year(day.cost, day.tokens), sep="\n")
    print(*_serve_run.clock_lines(_serving(found)), sep="\n")
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A simulated day.

    Parameters
    ----------
    outcome : Outcome
        The run of all requests: instances and the table of requests.
    cost : Bill or None
        Energy, money and carbon; None if the chip of a card is not known or has no published TDP.
    hours : list of dict
        One row for each hour in which requests arrived, as `by_hour` makes it.
    failures : int
        Failures of cards drawn for the day.
    """

    outcome: Outcome
    cost: Bill | None
    hours: list[dict[str, Any]]
    failures: int

    @property
    def tokens(self) -> int:
        """Of all answers."""
        return int(self.outcome.table["answer"].sum())


def _day(arguments: argparse.Namespace, found: list[site.Kind], count: int, state: Progress) -> Day:
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
    copy = _serve_run.COPIES / f"{digest(_serve_run.told(arguments) | {'count': count})}.copy"
    progress = follow(state, count, bool(arguments.requests_out)) if not state.total else None
    outcome = replay(
        service, lambda: load, bands=bool(arguments.requests_out), copy=copy, progress=progress, watch=Busy(24)
    )
    busy = outcome.cluster.all[0].watch  # of a restored run its own
    rows = by_hour(outcome.table, busy, sum(k.instances for k in found))
    return Day(outcome=outcome, cost=_serve_run.bill_of(service, outcome), hours=rows, failures=len(broken))


def _many_years(arguments: argparse.Namespace, found: list[site.Kind], state: Progress) -> int:
    """One line a year, each of 365 days like the one simulated."""
    target = _serve_run.target_of(arguments) or (float("inf"), float("inf"))
    rows: list[dict[str, Any]] = []
    state.total = arguments.years
    for year in range(1, arguments.years + 1):
        count = round((arguments.requests or REQUESTS) * arguments.growth ** (year - 1))
        day = _day(arguments, found, count, state)
        state.step()
        if day.cost is None:
            raise InputError("a year's cost must have the power of every card; one has no published TDP")
        yearly = 365 * day.tokens / 1e12
        rows.append(
            {
                "year": year,
                "requests_a_day": count,
                "kept": float(kept(day.outcome.table, *target).mean()),
                "busy": usage(day.outcome)["busy"],
                "mwh": 365 * 24 / 1e3 * day.cost.kilowatts[1],
                "mkrw_electricity": yearly * day.cost.krw[1],
                "mkrw_with_capital": yearly * day.cost.krw_with_capital[1],
                "tco2e": yearly * day.cost.carbon[1],
                "krw_per_million_tokens_with_capital": day.cost.krw_with_capital[1],
            }
        )
    if arguments.json:
        notes = _serve_run.clocks_at_gates(_serving(found))
        print(json.dumps([row | notes for row in rows], indent=1))
        return 0
    print(*_cards(found), sep="\n")
    names = list(rows[0])
    print("  " + " ".join(f"{name.replace('_', ' ')[:18]:>18}" for name in names))
    for row in rows:
        print("  " + " ".join(f"{row[n]:>18.2%}" if n in ("kept", "busy") else f"{row[n]:>18,.4g}" for n in names))
    print(*_serve_run.clock_lines(_serving(found)), sep="\n")
    return 0


def _serving(found: list[site.Kind]) -> list[Chip]:
    """The chips of the cards that serve."""
    deployed = (kind.deployed for kind in found if kind.deployed is not None and kind.instances + kind.off)
    return [each.chip for each in deployed if each.chip is not None]


def _cards(found: list[site.Kind]) -> list[str]:
    text = []
    for kind in found:
        if kind.deployed is None or not kind.instances + kind.off:
            text.append(f"  {kind.operator:<6} {kind.cards:>4} {kind.card}: do not serve; {kind.reason}")
            continue
        off = f", {kind.off} kept off by the cap" if kind.off else ""
        spare = f", {kind.spares} spare cards" if kind.spares else ""
        text.append(
            f"  {kind.operator:<6} {kind.cards:>4} {kind.card}: {kind.instances} instances of "
            f"{kind.deployed.cards:g}, weights {kind.deployed.weights}{off}{spare}"
        )
    return text


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
