"""The messages of the report's page: translated, used, with the same places, and without a typed number."""

import re
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog

from hw.base.error import InputError
from model.report.page import messages
from model.report.page.language import LANGUAGES, SOURCE, language
from tests.test_report_prose import typed

TRANSLATED = [code for code in LANGUAGES if code != SOURCE]

KOREAN_NAMES = r"[123]단계"
"""Digits that are part of a name in Korean: the programme's stages."""

PARTICLE = r"(?<=[A-Za-z0-9])(?=[가-힣])"
"""Where a particle follows a name without a space."""


def complaints(catalogue: Catalog, used: set[str]) -> list[str]:
    """What is wrong with a catalogue, given the messages that are used."""
    known = {message.id: message.string for message in catalogue if message.id}
    found = [f"not translated: {message!r}" for message in sorted(used) if not known.get(message)]
    found += [f"not used: {message!r}" for message in known if message not in used]
    for message, text in known.items():
        if places(message) != places(text):
            found.append(f"other places than {message!r}: {text!r}")
        if typed(re.sub(PARTICLE, " ", re.sub(KOREAN_NAMES, "", text))):
            found.append(f"a typed number: {text!r}")
    return found


def places(text: str) -> set[str]:
    """Names in braces."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_message_is_translated_and_every_translation_used(code: str) -> None:
    assert complaints(messages.catalogue(code), set(messages.extracted())) == []


def test_no_message_holds_a_typed_number() -> None:
    assert [message for message in messages.extracted() if typed(message)] == []


@pytest.mark.parametrize("code", TRANSLATED)
def test_the_other_language_is_in_its_own_letters(code: str) -> None:
    """Only units, names of things and abbreviations stay as they are."""
    same = [m.id for m in messages.catalogue(code) if m.id and m.id == m.string]
    words = [message for message in same if re.search(r"\b[a-z]{3,}\b", re.sub(r"{\w+}", "", message))]
    assert words == []


def test_a_fault_in_a_catalogue_is_found() -> None:
    planted = Catalog(locale="ko")
    planted.add("draws {power}", "씀")
    planted.add("old", "옛것")
    planted.add("new", "")
    planted.add("many", "12 배")
    found = complaints(planted, {"draws {power}", "new", "many"})
    assert [text.split(":")[0] for text in found] == [
        "not translated", "not used", "other places than 'draws {power}'", "a typed number",
    ]  # fmt: skip


def test_messages_of_code_and_templates_are_extracted(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text('page.say("one {x}", x=1)\nN_("two")\nother("three")\n')
    (tmp_path / "b.html.jinja").write_text('<p>{{ text("four") }}</p>')
    assert set(messages.extracted(tmp_path)) == {"one {x}", "two", "four"}


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(InputError, match="must be one of ko, en, not 'fr'"):
        language("fr")
