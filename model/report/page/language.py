"""What the page says, by language: messages of a gettext catalogue, numbers, money and dates as the language writes
them."""

import gettext
from dataclasses import dataclass
from datetime import date
from functools import cache
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from markupsafe import Markup

from hw.base.error import InputError
from model.report.page.particle import resolved

CATALOGUES = Path(__file__).parent / "catalogues"
SOURCE = "en"
"""The language messages are written in; it needs no catalogue."""

LANGUAGES = ("ko", SOURCE)
"""Korean first."""

TITLES = {"ko": "한국어", "en": "English"}
"""What each language calls itself, for the switch."""

DASH = {"ko": "~", "en": "–"}
"""Between the ends of a range."""


def N_(text: str) -> str:
    """Marks a message for the catalogues where it stands; it is translated where it is used."""
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language of the page.

    Parameters
    ----------
    code : str
        One of `LANGUAGES`.
    messages : gettext.NullTranslations
        The catalogue; that of the source language gives every message back.
    """

    code: str
    messages: gettext.NullTranslations

    def text(self, message: str, **values: object) -> str:
        """The message in this language, with its {places} filled as plain text."""
        translated = self.messages.gettext(message) if message else ""
        filled = translated.format(**values) if values else translated
        return resolved(filled) if self.code == "ko" else filled

    def say(self, message: str, **values: object) -> Markup:
        """The same as markup: what is not markup among the values is escaped."""
        translated = self.messages.gettext(message) if message else ""
        filled = Markup(translated).format(**values)
        return Markup(resolved(str(filled))) if self.code == "ko" else filled

    def decimal(self, value: float, decimals: int) -> str:
        """A number with so many decimals; fewer than none rounds to tens, hundreds and so on."""
        rounded = round(value, decimals) + 0.0
        places = max(0, decimals)
        return format_decimal(rounded, format=f"#,##0.{'0' * places}" if places else "#,##0", locale=self.locale)

    def date(self, day: date) -> str:
        """A day in full."""
        return format_date(day, format="long", locale=self.locale)

    @property
    def locale(self) -> Locale:
        """Babel's rules of the language in Korea."""
        return Locale.parse("ko_KR" if self.code == "ko" else "en_GB")

    @property
    def dash(self) -> str:
        """Between the ends of a range."""
        return DASH[self.code]


@cache
def language(code: str) -> Language:
    """The language called `code`; `InputError` naming the known ones.

    The catalogue is compiled when it is read, so that what runs is what is committed.
    """
    if code not in LANGUAGES:
        raise InputError(f"a language of the report must be one of {', '.join(LANGUAGES)}, not {code!r}; name one")
    if code == SOURCE:
        return Language(code=code, messages=gettext.NullTranslations())
    with (CATALOGUES / f"{code}.po").open("rb") as file:
        catalogue = read_po(file, locale=code)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Language(code=code, messages=gettext.GNUTranslations(compiled))
