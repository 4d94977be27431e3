"""A day of requests on the cards of a site, as the serving simulator wrote it: its hours, and its totals as figures.

The record is the output of `kcloud-cosim serve --site SITE --json`, committed as measurements/served/sites/SITE.json.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hw.base import json_text
from hw.base.error import InputError
from hw.spec.fact import Fact
from model.projection.figure import Figure, from_fact

FOLDER = "served/sites"
"""Below `measurements`, a level deeper than the records of runs, which are of another form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """One hour of the day.

    Parameters
    ----------
    hour : int
        From 0, midnight.
    requests_per_s, tokens_per_s : float
        Requests that arrived and tokens that were written, a second on average.
    ttft_p99_s : float
        Time to the first token in seconds that 99 % of the hour's requests kept.
    """

    hour: int
    requests_per_s: float
    tokens_per_s: float
    ttft_p99_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedDay:
    """A day at one site.

    Parameters
    ----------
    site : str
        Name of the site.
    hours : tuple of Hour
        In order; those in which nothing arrived are left out.
    shown : tuple of Figure
        Requests, tokens a second in the mean and in the fullest hour, power, and cost of a million tokens.
    """

    site: str
    hours: tuple[Hour, ...]
    shown: tuple[Figure, ...]


def served_day(site: str, root: Path) -> ServedDay | None:
    """The day of `site` below the records `root`, None without a record; `InputError` naming the file if a number
    lacks."""
    path = root / FOLDER / f"{site}.json"
    if not path.is_file():
        return None
    command = f"kcloud-cosim serve --site {site} --json > {path}"
    try:
        read = json_text.loads(path.read_text(encoding="utf-8"))
        hours = tuple(Hour(**{field: row[field] for field in Hour.__slots__}) for row in read["hours"])
        return ServedDay(site=site, hours=hours, shown=_figures(site, read, hours, path.name))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} must be a day of the serving simulator, not lack {error}; run {command}") from None


def _figures(site: str, read: dict[str, Any], hours: tuple[Hour, ...], file: str) -> tuple[Figure, ...]:
    source = f"serving simulator, {read['requests']:,} requests in a day, hours as assumed: record {FOLDER}/{file}"
    fullest = max(hours, key=lambda hour: hour.tokens_per_s)
    # low and high of the record: the card model at the ends of its range
    quantities = (
        ("requests", "requests", float(read["requests"]), None),
        ("tokens_per_s", "tokens/s", read["tokens_per_s"]["nominal"], None),
        ("fullest_tokens_per_s", "tokens/s", fullest.tokens_per_s, None),
        ("fullest_ttft_s", "s", fullest.ttft_p99_s, None),
        ("wall_kw", "kW", *_ends(read["kilowatts"])),
        ("krw_per_million_tokens_with_capital", "KRW", *_ends(read["krw_per_million_tokens_with_capital"])),
    )
    found = []
    for tail, unit, value, ends in quantities:
        fact = Fact(
            nominal=value,
            low=None if ends is None else min(value, *ends),
            high=None if ends is None else max(value, *ends),
            unit=unit,
            confidence="inferred",
            source=source,
        )
        name = f"day.{site}.{tail}"
        found.append(
            (from_fact(f"{name}.recorded", fact) * 1).named(name, unit, "a day of requests, serving simulator")
        )
    return tuple(found)


def _ends(quantity: dict[str, Any]) -> tuple[float, list[float]]:
    return quantity["nominal"], quantity["range"]
