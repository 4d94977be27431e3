"""The fewest cards of each chip that serve a load at a target, as the serving simulator wrote them: named figures.

The record is measurements/served/sites/fewest.json: the command, what it asked for, and the rows that it printed with
--json.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hw.base import json_text
from hw.base.error import InputError
from hw.spec.fact import Fact
from model.projection.figure import Figure, from_fact
from model.projection.served_day import FOLDER

FILE = "fewest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fewest:
    """One chip on one language model.

    Parameters
    ----------
    chip, model : str
        Names of both.
    cards : Figure or None
        The fewest cards; None if no number of them keeps the target.
    wall_kw : Figure or None
        Their power at the wall in kW with its range.
    cost : Figure or None
        KRW of a million tokens with capital, with its range.
    reason : str
        Why no number of cards does; "" if one does.
    """

    chip: str
    model: str
    cards: Figure | None = None
    wall_kw: Figure | None = None
    cost: Figure | None = None
    reason: str = ""

    @property
    def shown(self) -> tuple[Figure, ...]:
        """Every named figure."""
        return tuple(figure for figure in (self.cards, self.wall_kw, self.cost) if figure is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What was asked of all of them.

    Parameters
    ----------
    rate : float
        Requests a second.
    ttft, tpot : float
        Target in seconds: first token, each further one.
    prompt, answer : int
        Tokens of a request on average.
    share : float
        Of the requests that must keep the target.
    """

    rate: float
    ttft: float
    tpot: float
    prompt: int
    answer: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The load and what each chip needs for it.

    Parameters
    ----------
    load : Load
        Requests and target.
    found : tuple of Fewest
        In the order of the record.
    """

    load: Load
    found: tuple[Fewest, ...] = field(default=())


def fleet(root: Path) -> Fleet | None:
    """The record below `root`, None without one; `InputError` naming the file if a number lacks."""
    path = root / FOLDER / FILE
    if not path.is_file():
        return None
    try:
        read = json_text.loads(path.read_text(encoding="utf-8"))
        load = Load(**read["asked"])
        return Fleet(load=load, found=tuple(_fewest(row, load) for row in read["rows"]))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} must be what serve --fewest prints, not lack {error}; run its command again"
        ) from None


def _fewest(row: Mapping[str, Any], load: Load) -> Fewest:
    chip, model = row["chip"], row["model"]
    if row["reason"]:
        return Fewest(chip=chip, model=model, reason=row["reason"])
    source = (
        f"serving simulator, {load.rate:g} requests a second of {load.prompt:,} + {load.answer:,} tokens, "
        f"{load.share:.0%} within {load.ttft:g} s and {1e3 * load.tpot:g} ms a token: record {FOLDER}/{FILE}"
    )

    def figure(tail: str, unit: str, value: float, ends: list[float] | None = None) -> Figure:
        fact = Fact(
            nominal=value,
            low=None if ends is None else min(value, *ends),
            high=None if ends is None else max(value, *ends),
            unit=unit,
            confidence="inferred",
            source=source,
        )
        name = f"fewest.{model}.{chip}.{tail}"
        return (from_fact(f"{name}.recorded", fact) * 1).named(name, unit, "the fewest cards for the load")

    power, cost = row["kilowatts"], row["krw_per_million_tokens_with_capital"]
    return Fewest(
        chip=chip,
        model=model,
        cards=figure("cards", "cards", float(row["cards"])),
        wall_kw=figure("wall_kw", "kW", power["nominal"], power["range"]),
        cost=figure("krw_per_million_tokens_with_capital", "KRW", cost["nominal"], cost["range"]),
    )
