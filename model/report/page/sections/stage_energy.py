"""The stages beside each other: energy of a token at the wall."""

from markupsafe import Markup

from model.report import stated
from model.report.page.label import stage_name
from model.report.page.page import Page
from model.report.page.plots import stages
from model.report.page.section_type import Section, Table

PLACE = 70
TAILS = ("tokens_per_s", "card_w", "wall_j_per_token", "krw_per_million_tokens",
         "krw_per_million_tokens_with_capital", "capital_of_card", "gco2e_per_million_tokens")  # fmt: skip


def section(page: Page) -> Section | None:
    """Dots with ranges of all stages; the same cards in numbers in the table."""
    assert page.summary.programme is not None
    found = page.summary.programme.stages
    needed = [f"stage.{name}.wall_j_per_token" for name in NEEDED]
    if not page.has(*needed):
        return None
    one, two, three = (page.number(name) for name in needed[:3])
    many, gpu = (page.number(name) for name in needed[3:])
    text = [
        page.say("With sixteen sequences on the card stage 1 takes {many} and the GPU {gpu}.", many=many, gpu=gpu)
        + (page.say(" Batching saves more than PIM.") if _less(page, needed[3], needed[1]) else ""),
        *_with_capital(page),
        page.say(
            "Stage 3 is a hypothesis: the macros of one published chip, {macros} of them for all weights, on {area}; "
            "accuracy, yield and digital side are left out. Its fast reading keeps few bits and is no INT8.",
            macros=page.number("stage.3_four_phase_batch_1.macro_chips", unit="chips"),
            area=page.number("stage.3_four_phase_batch_1.area_mm2"),
        ),
    ]
    rows = tuple(
        (
            stage_name(page.language, name),
            name.rpartition("_")[2],
            *(page.number(full) if page.has(full := f"stage.{name}.{tail}") else "–" for tail in TAILS),
        )
        for name in sorted(found, key=lambda name: (int(name.rpartition("_")[2]), name.startswith("gpu"), name))
    )
    return Section(
        key="stages",
        title=page.text("How do the stages compare?"),
        lead=page.say(
            "A token for one user takes {one} on the stage 1 card with AiM's memory, {two} with its units in stage "
            "2, {three} if stage 3 comes out as supposed.",
            one=one,
            two=two,
            three=three,
        ),
        text=tuple(text),
        drawing=stages.draw(page),
        tables=(
            Table(
                title=page.text("Every card of the comparison"),
                heads=(
                    page.text("card"),
                    page.text("batch"),
                    page.text("tokens per second"),
                    page.text("power of the card"),
                    page.text("energy of a token at the wall"),
                    page.text("electricity for a million tokens"),
                    page.text("a million tokens with capital"),
                    page.text("capital of a card"),
                    page.text("emissions of a million tokens"),
                ),
                rows=rows,
                note=page.text(
                    "{model}, {context} tokens of context; a card with its share of a server, fans, supplies and the "
                    "PUE of the first site.",
                    model=stated.MODEL,
                    context=page.given(stated.TOKENS.language.context if stated.TOKENS.language else 0),
                ),
            ),
        ),
    )


NEEDED = ("1_beside_aim_batch_1", "2_aim_batch_1", "3_four_phase_batch_1", "1_furiosa_rngd_batch_16", "gpu_batch_16")
"""Cards the sentences name."""


def _less(page: Page, one: str, other: str) -> bool:
    """Whether the whole range of one figure lies below that of another."""
    return page.range(one).p95 < page.range(other).p5


PAID = ("1_beside_aim_batch_1", "2_aim_batch_1", "1_furiosa_rngd_batch_16", "gpu_batch_16")
"""Cards whose won with capital are in the text."""


def _with_capital(page: Page) -> tuple[Markup, ...]:
    """What a million tokens cost with the card's capital, for one user and for many; none without the figures."""
    names = [f"stage.{name}.krw_per_million_tokens_with_capital" for name in PAID]
    if not page.has(*names):
        return ()
    plain, pim, many, gpu = (page.number(name) for name in names)
    return (
        page.say(
            "With its part of the capital a million tokens for one user cost {plain} on the plain card and {pim} with "
            "AiM; with sixteen sequences {many} on RNGD and {gpu} on the GPU. How much more PIM memory costs is "
            "assumed.",
            plain=plain,
            pim=pim,
            many=many,
            gpu=gpu,
        ),
    )
