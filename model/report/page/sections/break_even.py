"""Does PIM pay: tokens per joule against overseas GPUs of the same nominal peak."""

from model.projection.breakeven import BreakEven
from model.report import stated
from model.report.page.page import Page
from model.report.page.plots import breakeven
from model.report.page.plots.decode import MEMORIES
from model.report.page.section_type import Section, Table

PLACE = 80


def section(page: Page) -> Section | None:
    """Dots against the batch; every comparison in the table."""
    assert page.summary.programme is not None
    found = page.summary.programme.breakeven
    at = {(one.pim, one.batch): one for one in found}
    if not {("aim", 1), ("hbm_pim", 1), ("aim", 4)} <= at.keys():
        return None
    over = page.number(at["aim", 1].over.name, unit="times")
    rows = tuple(
        (
            page.text(MEMORIES[one.pim]),
            str(one.batch),
            str(one.gpu_batch),
            page.number(one.must.name),
            page.number(one.reached.name),
            page.number(one.over.name, unit="times"),
            page.number(one.fleet.name, unit="times"),
        )
        for one in sorted(found, key=lambda one: (one.pim, one.batch))
    )
    wins = [one for one in found if page.range(one.over.name).p5 > 1]
    undecided = [one for one in found if page.range(one.over.name).p5 <= 1 <= page.range(one.over.name).p95]
    text = [
        page.say(
            "{cards} of RNGD have the nominal peak of {count} H100, {pf} in {format}, and here serve as many sequences "
            "of {model}.",
            cards=page.number("breakeven.cards"),
            count=stated.GPU_COUNT,
            pf=page.number("breakeven.gpus.nominal_pf"),
            format=stated.GPU_FORMAT,
            model=stated.MODEL,
        ),
        page.say(
            "With one sequence a card HBM-PIM reaches {hbm} the tokens of a joule, with four AiM {later}.",
            hbm=page.number(at["hbm_pim", 1].over.name, unit="times"),
            later=page.number(at["aim", 4].over.name, unit="times"),
        ),
    ]
    if undecided:
        text.append(page.say("Open, because the range holds one: {which}.", which=_which(page, undecided)))
    lead = page.say("At no batch. With one sequence a card AiM makes {over} the tokens of a joule.", over=over)
    if wins:
        lead = page.say(
            "Only at {which}; with one sequence a card AiM makes {over} the tokens of a joule.",
            which=_which(page, wins),
            over=over,
        )
    return Section(
        key="breakeven",
        title=page.text("Does PIM beat overseas GPUs?"),
        lead=lead,
        text=tuple(text),
        drawing=breakeven.draw(page),
        tables=(
            Table(
                title=page.text("Every batch against the GPUs"),
                heads=(
                    page.text("memory"),
                    page.text("batch of a PIM card"),
                    page.text("batch of a GPU"),
                    page.text("GPUs"),
                    page.text("PIM cards"),
                    page.text("PIM over GPUs"),
                    page.text("rate of all cards over all GPUs"),
                ),
                rows=rows,
            ),
        ),
    )


def _which(page: Page, found: list[BreakEven]) -> str:
    """Memories with their batches, in words."""
    memories = dict.fromkeys(one.pim for one in found)
    return "; ".join(
        page.text(
            "{memory} at batch {batches}",
            memory=page.text(MEMORIES[pim]),
            batches=", ".join(str(one.batch) for one in found if one.pim == pim),
        )
        for pim in memories
    )
