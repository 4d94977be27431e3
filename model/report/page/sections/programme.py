"""The programme by year: budget, stages, sites, goals."""

from model.projection import stages
from model.report.page.page import Page
from model.report.page.plots import timeline
from model.report.page.section_type import Section, Table

PLACE = 50


def section(page: Page) -> Section | None:
    """The timeline; what each stage is to be."""
    if not page.has("programme.total_budget", "programme.stage_1_budget", "programme.stage_1_share"):
        return None
    found = [stages.load(name) for name in stages.names()]
    first, last = found[0], found[-1]
    rows = tuple(
        (
            page.text("stage {number}", number=stage.number),
            f"{stage.years[0]}{page.language.dash}{stage.years[1]}",
            page.text(timeline.TITLES[stage.number]),
            page.text("hypothesis") if stage.basis == "hypothesis" else page.text("model"),
            page.given(stage.domestic_share.nominal, "%") if stage.domestic_share is not None else "–",
            stage.domestic_share.source if stage.domestic_share is not None else "",
        )
        for stage in found
    )
    return Section(
        key="programme",
        title=page.text("What is the programme?"),
        lead=page.say(
            "{total} from {first} to {last}, in three stages: domestic NPUs, DRAM PIM, non-volatile PIM.",
            total=page.number("programme.total_budget"),
            first=first.years[0],
            last=last.years[1],
        ),
        text=(
            page.say(
                "Stage 1 is about {money}, {share} of the whole. Its two sites of {capacity} each "
                "are what this page computes.",
                money=page.number("programme.stage_1_budget"),
                share=page.number("programme.stage_1_share", unit="%"),
                capacity=page.given(page.capacity, "PF"),
            ),
            page.say(
                "No numeric goal is published for stage 2 or stage 3. Stage 2 is modelled as the stage 1 card with its "
                "memory replaced by one with processing in it; stage 3 as weights in analogue cells of another "
                "maker's chip, a hypothesis."
            ),
        ),
        drawing=timeline.draw(page),
        tables=(
            Table(
                title=page.text("The stages"),
                heads=(
                    page.text("stage"),
                    page.text("years"),
                    page.text("what it is"),
                    page.text("basis"),
                    page.text("domestic share aimed at"),
                    page.text("source"),
                ),
                rows=rows,
            ),
        ),
    )
