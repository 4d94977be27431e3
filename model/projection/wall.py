"""Wall power of measured systems from the overhead rules every site uses: the rules' own test."""

from collections.abc import Mapping

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
        card = card_power(tdp, parts=[
            (from_fact(f"{prefix}.{p.name}.share", p.share), from_fact(f"{prefix}.{p.name}.speed", p.speed))
            for p in setting.parts
        ])
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
