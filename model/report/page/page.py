"""One page in one language: the summary's numbers as links to their origins, its messages, its plots."""

from dataclasses import dataclass, field
from datetime import date

from markupsafe import Markup, escape

from model.projection.check import Validation
from model.projection.figure import Figure
from model.report.page.language import N_, Language
from model.report.page.number import MODELLED, PRINTED, Quantity, written
from model.report.summary import PERCENTILES, SAMPLES, Range, Summary

KINDS = {
    "measured": "measured",
    "vendor": "published",
    "press": "published",
    "secondary": "published",
    "inferred": "predicted",
    "assumed": "assumed",
}
"""Weakest input of a figure -> what the page calls it."""

SITES = {"gwangju": N_("Gwangju public site"), "private": N_("private site")}
"""Names of the sites."""

SHARE = (PERCENTILES[1] - PERCENTILES[0]) / 100
"""Of the samples, between the ends of a range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a section is made from. Use `say` and `text` for words, `number` for every number.

    Parameters
    ----------
    summary : Summary
        Figures, ranges and records; its programme must be there.
    language : Language
        What the page is written in.
    validation : Validation or None
        Predictions beside published results; None leaves the section out.
    day : date
        Day on which the page was made.
    commit : str
        Commit of the working tree, "unknown" outside of git.
    shown : dict of str to None
        Names of the figures that were linked, in the order of the page.
    """

    summary: Summary
    language: Language
    validation: Validation | None
    day: date
    commit: str
    shown: dict[str, None] = field(default_factory=dict)

    @property
    def site(self) -> str:
        """Name of the first site, the one the story is told of."""
        assert self.summary.programme is not None
        return next(iter(self.summary.programme.sites))

    @property
    def heading(self) -> str:
        """Whose site it is, under the title."""
        return self.site_name(self.site)

    def site_name(self, site: str) -> str:
        """A site in words."""
        return self.text(SITES.get(site, site))

    @property
    def capacity(self) -> float:
        """Nominal capacity of the first site in PF."""
        assert self.summary.programme is not None
        return self.summary.programme.sites[self.site].scenario.capacity.nominal

    @property
    def share(self) -> str:
        """The share of samples between the ends of a range."""
        return written(self.language, Quantity(value=SHARE, low=SHARE, high=SHARE, unit="%"))

    @property
    def samples(self) -> str:
        """How many samples are drawn."""
        return self.language.decimal(SAMPLES, 0)

    def text(self, message: str, **values: object) -> str:
        """A message as plain text, for plots and attributes."""
        return self.language.text(message, **values)

    def say(self, message: str, **values: object) -> Markup:
        """A message as markup: numbers among its values stay links."""
        return self.language.say(message, **values)

    def has(self, *names: str) -> bool:
        """Whether all these figures are projected."""
        return all(name in self.summary.ranges for name in names)

    def range(self, name: str) -> Range:
        """A figure's numbers; `InputError` naming it if it has no origin."""
        return self.summary.range(name)

    def quantity(self, name: str, unit: str | None = None, scale: float = 1.0, digits: int | None = None) -> Quantity:
        """A figure with the middle 90 % of its samples, times `scale` in another `unit`; `digits` at most without a
        range, by default as many as were printed, or three of what was computed."""
        value = self.range(name)
        low, high = sorted((value.p5 * scale, value.p95 * scale))
        return Quantity(
            value=value.middle * scale,
            low=low,
            high=high,
            unit=value.unit if unit is None else unit,
            digits=digits or (PRINTED if _as_printed(self.summary.projection[name]) else MODELLED),
        )

    def plain(self, name: str, *, unit: str | None = None, digits: int | None = None) -> str:
        """A figure as text without a link, for plots."""
        return written(self.language, self.quantity(name, unit, digits=digits))

    def number(self, name: str, *, unit: str | None = None, digits: int | None = None) -> Markup:
        """A figure as a link to its origin: middle, range of 90 %, unit."""
        return self.link(name, self.plain(name, unit=unit, digits=digits))

    def link(self, name: str, text: str) -> Markup:
        """Any text made of a figure as a link to its origin."""
        self.shown.setdefault(name)
        kind = KINDS[self.summary.projection[name].confidence]
        return Markup('<a class="n {}" href="#o={}">{}</a>').format(kind, name, text)

    def given(self, value: float, unit: str = "1", low: float | None = None, high: float | None = None) -> str:
        """A setting or a number of a record, written as figures are."""
        quantity = Quantity(
            value=value, low=value if low is None else low, high=value if high is None else high, unit=unit
        )
        return written(self.language, quantity)


def _as_printed(figure: Figure) -> bool:
    """Whether a figure is a fact or a record's number under another name, not computed."""
    return figure.is_leaf or (
        figure.operation == "*"
        and [f.constant for f in figure.operands] == [None, 1.0]
        and figure.operands[0].is_leaf
        and KINDS[figure.confidence] in ("measured", "published")
    )


def joined(parts: list[Markup], between: str = ", ") -> Markup:
    """Markup one after the other."""
    return Markup(escape(between)).join(parts)
