"""The text of the small language model: prose of Python's own documentation, near-duplicates removed.

Source: `pydoc_data.topics` and the docstrings of the standard library (PSF licence). The text differs between Python
builds, so the one that was used is shipped beside this file (`text.xz`); `collect()` makes it again from the running
interpreter. Alphabet: the 95 printable ASCII characters and the newline, which ends a paragraph.
"""

import ast
import hashlib
import lzma
import re
import sysconfig
from pathlib import Path

from hw.base.error import InputError
from hw.base.file import write_atomically

FOLDER = Path(__file__).parent
TEXT = FOLDER / "text.xz"
ALPHABET = "\n" + "".join(map(chr, range(32, 127)))
"""Character -> its place is its token."""

LEAST_PARAGRAPH = 60
"""Characters below which a paragraph is a heading or a remark, not prose."""
SHINGLE = 5
"""Words of the runs by which near-duplicates are found."""
MOST_SHARED = 0.2
"""Share of a paragraph's runs that may have been seen before."""
BLOCK = 4000
"""Characters of the blocks that are given to training or test, whole paragraphs."""
TEST_EVERY = 10
"""Every tenth block is test text."""


def text() -> str:
    """The shipped text."""
    return lzma.decompress(TEXT.read_bytes()).decode("ascii")


def digest(of: str) -> str:
    """SHA-256 of a text, as hexadecimal digits."""
    return hashlib.sha256(of.encode()).hexdigest()


def split(of: str) -> tuple[str, str]:
    """Training text and test text: whole paragraphs in blocks of about `BLOCK` characters, every tenth for the test."""
    parts: tuple[list[str], list[str]] = ([], [])
    block, size, index = [], 0, 0
    for paragraph in [*of.splitlines(), None]:
        if paragraph is None or size >= BLOCK:
            parts[index % TEST_EVERY == TEST_EVERY - 1].extend(block)
            block, size, index = [], 0, index + 1
        if paragraph is not None:
            block.append(paragraph)
            size += len(paragraph) + 1
    return "\n".join(parts[0]) + "\n", "\n".join(parts[1]) + "\n"


def check_characters(of: str) -> None:
    """Refuse text with a character outside the alphabet."""
    for place, character in enumerate(of):
        if character not in ALPHABET:
            raise InputError(
                f"a prompt must consist of printable ASCII characters and newlines, not {character!r} at place "
                f"{place}; leave it out or replace it"
            )


def collect() -> str:
    """The text made from the running interpreter, deterministic for one build of Python."""
    seen: set[tuple[str, ...]] = set()
    kept = []
    for source in _sources():
        for paragraph in re.split(r"\n[ \t]*\n", source):
            line = " ".join(paragraph.split())
            if not _is_prose(paragraph, line):
                continue
            words = re.findall(r"[a-z]+", line.lower())
            runs = {tuple(words[i : i + SHINGLE]) for i in range(max(1, len(words) - SHINGLE + 1))}
            if len(runs & seen) <= MOST_SHARED * len(runs):
                seen |= runs
                kept.append(line)
    return "\n".join(kept) + "\n"


def write() -> str:
    """Collect the text, write it to `TEXT`, and return its digest."""
    collected = collect()
    write_atomically(TEXT, lzma.compress(collected.encode("ascii"), preset=9 | lzma.PRESET_EXTREME))
    return digest(collected)


def _sources() -> list[str]:
    """Topics, then docstrings, file by file in the order of their names."""
    from pydoc_data import topics

    sources = [topics.topics[name] for name in sorted(topics.topics)]
    library = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(library.rglob("*.py"), key=lambda p: p.relative_to(library).as_posix()):
        inside = path.relative_to(library).parts
        if {"site-packages", "dist-packages", "test", "tests", "idle_test", "pydoc_data"} & set(inside):
            continue
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                found = ast.get_docstring(node)
                if found:
                    sources.append(found)
    return sources


def _is_prose(paragraph: str, line: str) -> bool:
    """Sentences rather than tables, grammars or programs."""
    if len(line) < LEAST_PARAGRAPH or any(c not in ALPHABET for c in line) or ">>>" in line or "::=" in line:
        return False
    if line[-1] not in ".:;!?)" or line.startswith(("for ", "if ", "def ", "class ", "while ", "try:", "with ")):
        return False
    if "---" in line or "===" in line or "***" in line or "+--" in line:
        return False
    letters = sum(c.isalpha() or c == " " for c in line)
    rows = [row for row in paragraph.splitlines() if row.strip()]
    indents = {len(row) - len(row.lstrip()) for row in rows[1:]} or {0}
    return letters >= 0.85 * len(line) and len(indents) <= 2
