"""Wall power of measured systems from the overhead rules every site uses: the rules' own test."""

from collections.abc import Mapping
from dataclasses import dataclass

from hw.spec.chip import Chip
from hw.spec.fact import Fact
from model.projection import published
from model.projection.figure import Figure, from_fact
from model.projection.overheads import Server, at_the_socket, card_power, host_power
from model.projection.published import Row
from model.projection.published.settings import settings

FITTED = (
    ("XR12_A2x1_TRT_MaxQ", "resnet50", "host share of a processor socket"),
    ("H200-SXM-141GBx8_TRT_MaxQ", "resnet50", "board of eight modules"),
)
"""System, task and rule: the results that fix a constant of `overheads` and so test nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WallCheck:
    """One measured system: its wall power by the rules, as published, and the first over the second, minus 1.

    Parameters
    ----------
    row : Row
        The published result with its power log.
    rule : str
        How the power was predicted, in words.
    predicted : Figure
        Wall power by the overhead rules in W.
    published : Figure
        Mean of the power log in W.
    error : Figure
        Predicted over published, minus 1.
    """

    row: Row
    rule: str
    predicted: Figure
    published: Figure
    error: Figure

    @property
    def all(self) -> tuple[Figure, ...]:
        """Every named figure."""
        return (self.predicted, self.published, self.error)


def wall_checks(chips: Mapping[str, Chip]) -> tuple[WallCheck, ...]:
    """Every offline power log of a chip in `chips`."""
    found = []
    for row in published.rows():
        rule = wall_power(row, chips) if row.system_power_w is not None and row.scenario == "Offline" else None
        if rule is None or row.system_power_w is None:
            continue
        name = f"wall.{row.round}.{row.system}.{row.model}"
        fact = Fact(
            nominal=row.system_power_w,
            unit="W",
            confidence=row.confidence,
            source=f"mean of the power log, MLPerf {row.round}, {row.system}, {row.model}: {row.source}",
        )
        predicted, measured = rule[0].named(f"{name}.predicted", "W"), from_fact(f"{name}.log", fact)
        found.append(
            WallCheck(
                row=row,
                rule=rule[1],
                predicted=predicted,
                published=(measured * 1).named(f"{name}.published", "W"),
                error=(predicted / measured - 1).named(
                    f"{name}.error", "1", "by the rules over the power log, minus 1"
                ),
            )
        )
    return tuple(found)


def wall_power(row: Row, chips: Mapping[str, Chip]) -> tuple[Figure, str] | None:
    """Wall power of the published system `row` and the rule in words; None if chip or system are not described."""
    system = published.systems().get(row.system)
    if row.chip not in chips or "tdp" not in chips[row.chip].facts or system is None:
        return None
    tdp = from_fact(f"{row.chip}.tdp", chips[row.chip].facts["tdp"])
    full, setting = published.unrestricted(row), settings().get((row.round, row.system, row.model))
    owner = f"published.{row.round}.{row.system}"
    prefix = f"{owner}.{row.model}"
    if setting is not None and setting.limit is not None:
        limit = setting.limit.nominal
        card, how = card_power(tdp, limit=from_fact(f"{prefix}.limit", setting.limit)), f"at its limit of {limit:g} W"
    elif setting is not None:
        card = card_power(
            tdp,
            parts=[
                (from_fact(f"{prefix}.{p.name}.share", p.share), from_fact(f"{prefix}.{p.name}.speed", p.speed))
                for p in setting.parts
            ],
        )
        how = "with " + ", ".join(f"{p.name} at {p.speed.nominal:.0%} clock" for p in setting.parts)
    elif full is None:
        card, how = card_power(tdp), "at its TDP: no unrestricted result of this chip is published"
    else:
        limited, free = (
            from_fact(f"published.{r.round}.{r.system}.{r.model}.{r.scenario}", r.fact) for r in (row, full)
        )
        card, how = card_power(tdp, limited / free), f"slowed to {row.value / full.value:.0%} of {full.system}"
    cards = Fact(nominal=row.cards, unit="cards", confidence="measured", source=row.source)
    server = Server(cards=cards, sockets=system.sockets, boards=system.boards)
    host = f", {system.sockets.nominal:.0f} sockets" + (", module board" if system.boards else "")
    fitted = next((f" (fixes: {rule})" for name, model, rule in FITTED if (name, model) == (row.system, row.model)), "")
    return at_the_socket(row.cards * card + host_power(server, owner)), f"{row.cards} x card {how}{host}{fitted}"
