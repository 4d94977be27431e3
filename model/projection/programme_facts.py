"""What is published of the programme as a whole, and where two publications do not agree: both are shown."""

from hw.spec.fact import Fact
from model.projection.figure import Figure, from_fact
from model.projection.scenario import Scenario

BUDGET = Fact(
    nominal=826.2,
    unit="billion KRW",
    confidence="press",
    source="Kukinews, 2023-06-26, on the start of stage 1 of the K-Cloud project: whole programme, 2023 to 2030",
)

STAGE_1 = Fact(
    nominal=100.0,
    unit="billion KRW",
    confidence="press",
    source="Kukinews, 2023-06-26, the same article: stage 1, 2023 to 2025, about; tentative",
)

SAPEON_ANNOUNCED = Fact(
    nominal=20.0,
    unit="PF",
    confidence="press",
    source="Kukinews, 2023-06-26, the same article: SAPEON announces about 20 PF for both sites",
    note="the shares of Aju News, 2023-07-05, 11 PF a site, make 22",
)

ONLY_FLOATING_POINT = (
    "one announcement calls ATOM the only domestic data-centre chip with floating point, while X330's 367 are FP8 "
    "operations in the note that gives them"
)
"""A conflict without a number: if the first holds, X330's share is counted in integers."""


def programme_figures(scenarios: list[Scenario]) -> list[Figure]:
    """The programme's money, and SAPEON's part of all sites as announced and as the shares make it."""
    budget, first = from_fact("programme.budget", BUDGET), from_fact("programme.stage_1", STAGE_1)
    shares = [
        from_fact(f"programme.share_{number}", share.capacity)
        for number, scenario in enumerate(scenarios, start=1)
        for share in scenario.shares
        if share.operator == "nhn"
    ]
    found = [
        (budget * 1).named("programme.total_budget", "billion KRW", "2023 to 2030"),
        (first * 1).named("programme.stage_1_budget", "billion KRW", "2023 to 2025"),
        (first / budget).named("programme.stage_1_share", "1", "stage 1 over the whole programme"),
        (from_fact("programme.sapeon", SAPEON_ANNOUNCED) * 1).named(
            "programme.sapeon_announced", "PF", "as announced, both sites"
        ),
    ]
    if shares:
        total = shares[0]
        for share in shares[1:]:
            total = total + share
        found.append((total * 1).named("programme.sapeon_by_shares", "PF", "as the shares of the sites make"))
    return found
