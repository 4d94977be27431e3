"""The page as one file: both languages, style, script, plots and origins in it, nothing fetched."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from hw.base.palette import BLUE, GREY, INK, LIGHT, PAPER
from model.projection.check import Validation
from model.projection.served import MIX
from model.record import current_commit
from model.report import stated
from model.report.page import first
from model.report.page.language import LANGUAGES, N_, SOURCE, TITLES, language
from model.report.page.origins import origins
from model.report.page.page import Page
from model.report.page.sections import sections
from model.report.summary import Summary

TEMPLATES = Path(__file__).parent / "templates"
COLOURS = {"ink": INK, "grey": GREY, "light": LIGHT, "paper": PAPER, "blue": BLUE}
"""Colours of the style sheet."""

TITLE = N_("K-Cloud: what the sites deliver, draw and cost")

WORDS = {
    "value": N_("value"),
    "kind": N_("weakest input"),
    "name": N_("name"),
    "formula": N_("formula"),
    "source": N_("source"),
    "note": N_("note"),
    "inputs": N_("Inputs"),
    "back": N_("back"),
    "close": N_("close"),
    "unknown": N_("There is no such figure."),
    "found": N_("{count} found"),
    "measured": N_("measured"),
    "published": N_("published"),
    "predicted": N_("predicted"),
    "assumed": N_("assumed"),
}
"""What the script says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The page and its plots.

    Parameters
    ----------
    html : str
        The page as one file.
    plots : dict of str to (str, str)
        Key of a section -> caption and SVG of its plot, in the language messages are written in.
    """

    html: str
    plots: Mapping[str, tuple[str, str]]


def render(summary: Summary, validation: Validation | None = None, *, lang: str = LANGUAGES[0]) -> str:
    """The page as one file; `lang` is the language it opens in."""
    return make(summary, validation, lang=lang).html


def make(summary: Summary, validation: Validation | None = None, *, lang: str = LANGUAGES[0]) -> Made:
    """The page and its plots; `lang` is the language it opens in."""
    day, version = _day(), current_commit()
    order = sorted(LANGUAGES, key=lambda code: code != lang)
    bodies, plots = {}, {}
    for code in order:
        page = Page(summary=summary, language=language(code), validation=validation, day=day, commit=version)
        found = sections(page)
        if code == SOURCE:
            plots = {s.key: (s.title, str(s.drawing.svg)) for s in found if s.drawing is not None}
        bodies[code] = Markup(
            _template("body.html.jinja").render(
                page=page,
                say=page.say,
                text=page.text,
                code=code,
                mix={"network": stated.NETWORK, "format": stated.IMAGES.number_format, **_mix()},
                cards=first.cards(page),
                sections=found,
            )
        )
    html = _template("page.html.jinja").render(
        lang=order[0],
        order=order,
        titles=TITLES,
        bodies=bodies,
        title={code: language(code).text(TITLE) for code in order},
        skip={code: language(code).text("Skip to the answer") for code in order},
        words={code: {key: language(code).text(word) for key, word in WORDS.items()} for code in order},
        labels=LANGUAGES,
        origins=Markup(origins(summary)),
        colours=COLOURS,
    )
    return Made(html=html, plots=plots)


def _day() -> date:
    """Today, or the day of SOURCE_DATE_EPOCH, for pages that must be equal."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    return (datetime.fromtimestamp(int(given), UTC) if given.isdigit() else datetime.now(UTC)).date()


def _mix() -> dict[str, object]:
    """The requests behind the tokens of a site."""
    return {
        "model": MIX.title,
        "prompt": MIX.prompt,
        "answer": MIX.answer,
        "share": MIX.share,
        "ttft": MIX.ttft,
        "tpot": MIX.tpot,
    }


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    return made


def _template(name: str) -> Template:
    return _environment().get_template(name)
