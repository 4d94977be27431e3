"""What the sites cost: capital against the grant, electricity, by year."""

from model.report.page.label import label
from model.report.page.page import Page
from model.report.page.plots import money
from model.report.page.section_type import Section, Table

PLACE = 40
TAILS = ("capital_cards", "capital_hosts", "capital_facility", "capital", "capital_over_budget", "budget_left",
         "closing_card_price", "capital_per_year", "mkrw_per_year", "electricity_over_budget")  # fmt: skip


def section(page: Page) -> Section | None:
    """Money by year; the closure of the grants in the table."""
    assert page.summary.programme is not None
    sites = page.summary.programme.sites
    name = page.site
    rows = tuple(
        (
            label(page.language, f"{name}.{tail}"),
            *(page.number(f"{site}.{tail}", unit="%" if "over" in tail else None) for site in sites),
        )
        for tail in TAILS
    )
    return Section(
        key="cost",
        title=page.text("What does it cost?"),
        lead=page.say(
            "{capital} of capital for the first site, {share} of its grant; electricity is {money} a year.",
            capital=page.number(f"{name}.capital"),
            share=page.number(f"{name}.capital_over_budget", unit="%"),
            money=page.number(f"{name}.mkrw_per_year"),
        ),
        text=(
            page.say(
                "{cards} of it are cards. No price of X330, Warboy or RNGD is published; one assumption with a wide "
                "range stands for all of them, and a card could cost {closing} before the grant is spent.",
                cards=page.number(f"{name}.capital_cards"),
                closing=page.number(f"{name}.closing_card_price"),
            ),
            page.say(
                "The rest of the grant, {left}, is left for people, software and operation, which nobody breaks down.",
                left=page.number(f"{name}.budget_left"),
            ),
        ),
        drawing=money.draw(page),
        tables=(
            Table(
                title=page.text("Capital, grant and electricity of both sites"),
                heads=(page.text("figure"), *(page.site_name(site) for site in sites)),
                rows=rows,
            ),
        ),
    )
