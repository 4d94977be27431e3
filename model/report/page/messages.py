"""The messages of the page, extracted from its code and templates; run, it brings the catalogues up to date.

    python -m model.report.page.messages

New messages stand in the catalogues with an empty translation, which a test refuses, and those no longer used leave.
"""

from io import SEEK_END, BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from hw.base.file import write_atomically
from model.report.page.language import CATALOGUES, LANGUAGES, SOURCE, TITLES

PAGE = Path(__file__).parent
KEYWORDS = {"say": None, "text": None, "N_": None}
"""Functions whose first argument is a message."""

REFRESH = "New messages: python -m model.report.page.messages"
METHODS = [("**.py", "python"), ("**.jinja", "jinja2")]


def extracted(folder: Path = PAGE) -> dict[str, list[tuple[str, int]]]:
    """Every message of the code and templates in `folder`, with the files and lines it stands in."""
    found: dict[str, list[tuple[str, int]]] = {}
    for name, line, message, _, _ in extract_from_dir(folder, method_map=METHODS, keywords=KEYWORDS):
        if isinstance(message, str):
            found.setdefault(message, []).append((str(name), line))
    return found


def catalogue(code: str) -> Catalog:
    """The committed catalogue of a language."""
    with (CATALOGUES / f"{code}.po").open("rb") as file:
        return read_po(file, locale=code)


def write(code: str, messages: Catalog) -> None:
    """Put a catalogue in its place."""
    text = BytesIO(f"# The page of the report in {TITLES[code]}. {REFRESH}\n\n".encode())
    text.seek(0, SEEK_END)
    write_po(text, messages, width=110, omit_header=True, include_lineno=False, sort_output=True)
    write_atomically(CATALOGUES / f"{code}.po", text.getvalue())


def update(code: str) -> int:
    """Rewrite a catalogue with the messages there are now; how many of them have no translation."""
    before = catalogue(code)
    after = Catalog(locale=code)
    for message, places in extracted().items():
        known = before.get(message)
        files = sorted({(name, 0) for name, _ in places})
        after.add(message, known.string if known is not None else "", locations=files)
    write(code, after)
    return sum(not message.string for message in after if message.id)


if __name__ == "__main__":
    for code in LANGUAGES:
        if code != SOURCE:
            print(f"{code}: {update(code)} messages to translate")
