"""What the site delivers, and which operator's cards do it."""

from model.report.page.label import OPERATORS, label
from model.report.page.page import Page
from model.report.page.plots import shares
from model.report.page.section_type import Section, Table

PLACE = 10


def section(page: Page) -> Section | None:
    """Shares of the operators; all figures of the sites in the table."""
    assert page.summary.programme is not None
    name = page.site
    site = page.summary.programme.sites[name]
    rows = tuple(
        (
            page.text(OPERATORS.get(operator, operator)),
            page.number(part.cards.name),
            page.number(part.nominal_pf.name, digits=5),
            page.number(part.images.name),
            page.number(part.tokens.name) if part.tokens is not None else "–",
            page.number(part.power.name),
        )
        for operator, part in site.by_operator.items()
    )
    tail = "krw_per_million_{}_with_capital"
    return Section(
        key="deliver",
        title=page.text("What does the site deliver, and whose cards do it?"),
        lead=page.say(
            "{cards} deliver {images}, or {tokens} of a language model.",
            cards=page.number(f"{name}.cards"),
            images=page.number(f"{name}.images_per_s"),
            tokens=page.number(f"{name}.tokens_per_s"),
        ),
        text=(
            page.say(
                "On images that is {pf}, {share} of what the same cards could do at most in the format the images "
                "run in. The nominal number mixes formats and is not what arrives.",
                pf=page.number(f"{name}.delivered_pf"),
                share=page.number(f"{name}.delivered_over_peak", unit="%"),
            ),
            page.say(
                "A million images cost {images}, a million tokens {tokens}, with the year's part of the capital.",
                images=page.number(f"{name}.{tail.format('images')}"),
                tokens=page.number(f"{name}.{tail.format('tokens')}"),
            ),
        ),
        drawing=shares.draw(page),
        tables=(
            Table(
                title=page.text("Cards, work and power of each operator"),
                heads=(
                    page.text("operator"),
                    page.text("number of cards"),
                    page.text("nominal peak"),
                    page.text("images per second"),
                    page.text("tokens per second"),
                    page.text("power of the cards"),
                ),
                rows=rows,
            ),
            both_sites(page),
        ),
    )


def both_sites(page: Page) -> Table:
    """Every figure of all sites beside each other."""
    assert page.summary.programme is not None
    sites = page.summary.programme.sites
    first = next(iter(sites))
    tails = [figure.name.removeprefix(f"{first}.") for figure in sites[first].totals]
    rows = tuple(
        (
            label(page.language, f"{first}.{tail}"),
            *(page.number(f"{site}.{tail}", unit=_unit(tail)) for site in sites),
        )
        for tail in tails
        if page.has(*(f"{site}.{tail}" for site in sites))
    )
    return Table(
        title=page.text("All figures of both sites"),
        heads=(page.text("figure"), *(page.site_name(site) for site in sites)),
        rows=rows,
    )


def _unit(tail: str) -> str | None:
    return "%" if tail.endswith("_over_budget") or tail == "delivered_over_peak" else None
