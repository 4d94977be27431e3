"""A day of requests on the cards of the site."""

from model.report.page.page import Page
from model.report.page.plots import day as plot
from model.report.page.section_type import Section, Table

PLACE = 35


def section(page: Page) -> Section | None:
    """The day by the hour; every hour in the table."""
    assert page.summary.programme is not None
    day = page.summary.programme.days.get(page.site)
    if day is None:
        return None
    name, capacity = f"day.{day.site}", f"{day.site}.tokens_per_s"
    fullest = page.quantity(f"{name}.fullest_tokens_per_s").value / page.quantity(capacity).value
    rows = tuple(
        (
            str(hour.hour),
            page.given(float(f"{hour.requests_per_s:.3g}"), "requests/s"),
            page.given(float(f"{hour.tokens_per_s:.3g}"), "tokens/s"),
            page.given(float(f"{hour.ttft_p99_s:.2g}"), "s"),
        )
        for hour in day.hours
        if hour.hour < plot.HOURS
    )
    file = f"measurements/served/{day.site}.json"
    return Section(
        key="day",
        title=page.text("What does a day look like?"),
        lead=page.say(
            "{requests} in a day keep the site far from full: in the fullest hour it writes {rate}, {share} of what "
            "its cards can.",
            requests=page.number(f"{name}.requests"),
            rate=page.number(f"{name}.fullest_tokens_per_s", digits=2),
            share=page.link(f"{name}.fullest_tokens_per_s", page.given(round(fullest, 2), "%")),
        )
        if fullest < FULL
        else page.say(
            "{requests} in a day fill the site: in the fullest hour it writes {rate}.",
            requests=page.number(f"{name}.requests"),
            rate=page.number(f"{name}.fullest_tokens_per_s", digits=2),
        ),
        text=(
            page.say(
                "Even then {most} of requests have their first token within {first}.",
                most=page.given(MOST, "%"),
                first=page.number(f"{name}.fullest_ttft_s", digits=2),
            ),
            page.say(
                "A million of these tokens costs {day} with the year's part of the capital; the site draws {wall} on "
                "average.",
                day=page.number(f"{name}.krw_per_million_tokens_with_capital"),
                wall=page.number(f"{name}.wall_kw"),
            ),
        ),
        drawing=plot.draw(page, day),
        tables=(
            Table(
                title=page.text("Every hour of the day"),
                heads=(
                    page.text("hour"),
                    page.text("requests per second"),
                    page.text("tokens per second"),
                    page.text("time to the first token"),
                ),
                rows=rows,
                note=page.text("Record of the serving simulator: {file}", file=file),
            ),
        ),
    )


FULL = 0.8
"""Share of what the cards can do above which an hour is called full."""

MOST = 0.99
"""Share of requests that keep the times shown."""
