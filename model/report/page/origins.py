"""The origins of all numbers as data for the page's script: formula, inputs, range, record or source of each.

Compact, since there are thousands: {name: [labels, values, confidence, formula or source, note, inputs]}; labels and
values are one for each language, labels 0 where the page has no word for the figure.
"""

import json
from typing import Any

from model.energy.price import Interval
from model.projection.figure import Figure
from model.projection.projection import walk
from model.report.page.label import known_label
from model.report.page.language import LANGUAGES, Language, language
from model.report.page.number import MODELLED, PRINTED, Quantity, written
from model.report.page.page import KINDS
from model.report.summary import Summary

RUN = "run."
"""What the names of the run's own figures begin with: they have a report of their own."""


def origins(summary: Summary) -> str:
    """The data as JSON that can stand in a script element."""
    figures = [figure for figure in summary.projection.figures if not figure.name.startswith(RUN)]
    nodes: dict[str, Figure] = {}
    for figure in walk(figures):
        if figure.name:
            nodes.setdefault(figure.name, figure)
    intervals = dict(zip(nodes, summary.projection.intervals(nodes.values()), strict=True))
    entries = {name: _entry(summary, figure, intervals[name]) for name, figure in nodes.items()}
    return json.dumps(entries, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")


def _entry(summary: Summary, figure: Figure, interval: Interval) -> list[Any]:
    labels = [known_label(language(code), figure.name) for code in LANGUAGES]
    entry: list[Any] = [
        labels if any(labels) else 0,
        [_value(language(code), summary, figure, interval) for code in LANGUAGES],
        KINDS[figure.confidence],
        figure.formula,
        "" if figure.is_leaf else figure.note,
        [one.name for one in figure.inputs],
    ]
    return entry


def _value(of: Language, summary: Summary, figure: Figure, interval: Interval) -> str:
    """The middle with 5 % and 95 % where samples were drawn, with the ends of an input where it is one."""
    known = summary.ranges.get(figure.name)
    low, middle, high = (
        (known.p5, known.middle, known.p95) if known is not None else (interval.low, interval.nominal, interval.high)
    )
    digits = PRINTED if figure.is_leaf else MODELLED
    return written(of, Quantity(value=middle, low=low, high=high, unit=figure.unit, digits=digits))
