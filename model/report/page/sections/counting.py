"""Where the nominal capacity comes from: which rule of counting gives it, and what moves under the others."""

from model.report.page.label import rule_name
from model.report.page.page import Page
from model.report.page.plots import counting
from model.report.page.section_type import Section, Table

PLACE = 20


def section(page: Page) -> Section | None:
    """Rules as dots with ranges; what was announced and does not agree."""
    assert page.summary.programme is not None
    counted = page.summary.programme.counted.get(page.site)
    if not counted:
        return None
    best = next(iter(counted.values()))
    start = f"{page.site}.any_rule"
    parts = best.site.by_operator
    text = [
        page.say(
            "Nobody says how the PF were counted. Whole cards come out if each operator counts in its own format: "
            "{nhn} of X330 in FP8, {kt} of ATOM in FP16 and {naver} of Warboy in INT8 make {pf}.",
            nhn=page.number(parts["nhn"].cards.name),
            kt=page.number(parts["kt"].cards.name),
            naver=page.number(parts["naver"].cards.name),
            pf=page.number(f"{best.site.name}.nominal_pf", digits=5),
        ),
        page.say(
            "Under any of the rules the same PF are {cards}, {images} and {wall}: the rule moves the answer more "
            "than most inputs.",
            cards=page.number(f"{start}.cards"),
            images=page.number(f"{start}.images_per_s"),
            wall=page.number(f"{start}.wall_kw"),
        ),
    ]
    if page.has("programme.sapeon_by_shares", "programme.sapeon_announced"):
        text.append(
            page.say(
                "Announcements disagree: SAPEON names {announced} for both sites, the shares make {shares}. One "
                "calls ATOM the only domestic data-centre chip with floating point, while X330's peak is given in FP8.",
                announced=page.number("programme.sapeon_announced"),
                shares=page.number("programme.sapeon_by_shares"),
            )
        )
    rows = tuple(
        (
            rule_name(one.rule),
            page.number(f"{one.site.name}.cards"),
            page.number(f"{one.site.name}.nominal_pf", digits=5),
            page.number(f"{one.site.name}.images_per_s"),
            page.number(f"{one.site.name}.tokens_per_s") if page.has(f"{one.site.name}.tokens_per_s") else "–",
            page.number(f"{one.site.name}.wall_kw"),
            page.number(f"{one.site.name}.capital"),
        )
        for one in counted.values()
    )
    return Section(
        key="counting",
        title=page.text("Where does {capacity} come from?", capacity=page.given(page.capacity, "PF")),
        lead=page.say(
            "Most likely from three peaks in three formats: {nhn} + {kt} + {naver}.",
            nhn=page.number(parts["nhn"].nominal_pf.name, digits=5),
            kt=page.number(parts["kt"].nominal_pf.name, digits=5),
            naver=page.number(parts["naver"].nominal_pf.name, digits=5),
        ),
        text=tuple(text),
        drawing=counting.draw(page),
        tables=(
            Table(
                title=page.text("Every rule of counting"),
                heads=(
                    page.text("rule"),
                    page.text("number of cards"),
                    page.text("nominal peak"),
                    page.text("images per second"),
                    page.text("tokens per second"),
                    page.text("power at the wall"),
                    page.text("capital"),
                ),
                rows=rows,
            ),
        ),
    )
