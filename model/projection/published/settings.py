"""Power settings of measured systems as their submissions configure them: a limit per card, or clocks of its parts."""

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hw.base.error import InputError
from hw.spec.fact import Fact

_TABLE = Path(__file__).with_name("power_settings.csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a chip with a clock of its own: its `share` of the chip's peak, its `speed` over its highest clock.

    Parameters
    ----------
    name : str
        As the table names it, such as "GPU" or "DLA".
    """

    name: str
    share: Fact
    speed: Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """`limit` of one card in W, or `parts` with their clocks; exactly one of the two."""

    limit: Fact | None = None
    parts: tuple[Part, ...] = ()


@lru_cache
def settings(path: Path = _TABLE) -> dict[tuple[str, str, str], Setting]:
    """By round, system and task; `InputError` naming the line if a number or its source is missing."""
    rows: dict[tuple[str, str, str], list[tuple[int, dict[str, str]]]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for line, fields in enumerate(csv.DictReader(file), start=2):
            rows.setdefault((fields["round"], fields["system"], fields["model"]), []).append((line, fields))
    return {key: _setting(found) for key, found in rows.items()}


def _setting(rows: list[tuple[int, dict[str, str]]]) -> Setting:
    first = rows[0][1]
    if first["limit_w"]:
        return Setting(limit=_fact(*rows[0], float(first["limit_w"]), "W"))
    try:
        peak = sum(float(fields["peak_tops"]) for _, fields in rows)
        return Setting(
            parts=tuple(
                Part(
                    name=fields["part"],
                    share=_fact(line, fields, float(fields["peak_tops"]) / peak, "1"),
                    speed=_fact(line, fields, float(fields["clock_mhz"]) / float(fields["full_clock_mhz"]), "1"),
                )
                for line, fields in rows
            )
        )
    except ValueError as error:
        raise InputError(f"{_what(*rows[0])}, must give a limit or peak and clocks of every part: {error}") from None


def _fact(line: int, fields: dict[str, str], value: float, unit: str) -> Fact:
    if not (fields["source"] or "").strip():
        raise InputError(f"{_what(line, fields)}, must name its source, not leave it empty")
    return Fact(
        nominal=value,
        unit=unit,
        source=fields["source"],
        confidence=fields["confidence"],  # type: ignore[arg-type]  # checked by Fact
    )


def _what(line: int, fields: dict[str, str]) -> str:
    return f"power setting of {fields['system']}, {fields['model']}, line {line}"
