"""No number is typed into the prose of a report: sentences, headings and captions take theirs from figures, facts,
settings."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hw import chips
from model.projection import scenarios
from model.projection.rules import RULES
from model.projection.scenario import Scenario
from model.report.section_answer import answer_sections
from model.report.summary import summarise

ROOT = Path(__file__).resolve().parent.parent

NAMES = {
    r"\bH100( SXM)?\b": "name of a chip",
    r"\bX(330|220)\b": "names of chips",
    r"\bDolphin 5\b": "name of a chip",
    r"\b(INT|FP|BF)(4|8|16|32)\b": "names of number formats",
    r"\bHBM[23]\b|\bGDDR6\b": "names of DRAM standards",
    r"\b[Ss]tages? [123]( to 3)?\b": "names of the programme's stages",
    r"\b45 nm\b": "name of the cells' process",
    r"10\^12|\bmm2\b|CO2e?": "units",
}
"""Digits that are part of a name -> why they may stand in a sentence."""

WORDS = re.compile(
    r"\b(two|three|four|five|six|seven|eight|nine|ten|eleven|twelve) (cards|GPUs|H100|racks|samples)\b|a rack"
)
"""Counts of things, spelled out."""


def prose(folder: Path) -> Iterator[tuple[str, str]]:
    """(file and line, text) of every constant string with a space in it: docstrings, style sheets and markup left
    out."""
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text())
        skipped = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
                skipped |= {id(part) for part in ast.walk(node.format_spec)}
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
                markup = "<" in node.value or "{ font" in node.value or "data:image" in node.value
                if (" " in node.value or "%" in node.value) and not markup:
                    yield f"{path.relative_to(folder)}:{node.lineno}", node.value


def typed(text: str) -> bool:
    """Whether a digit, or a count in words, is left of a sentence without its names."""
    if WORDS.search(text):
        return True
    for name in NAMES:
        text = re.sub(name, "", text)
    return re.search(r"\d", text) is not None


def test_no_number_is_typed_into_the_prose_of_the_report() -> None:
    found = [f"{where}: {text!r}" for where, text in prose(ROOT / "model" / "report") if typed(text)]
    assert not found, "\n".join(found)


def test_no_number_is_typed_into_the_notes_of_a_counting_rule() -> None:
    assert not [rule.note for rule in RULES.values() if typed(rule.note)]


@pytest.mark.parametrize("text", ["16 sequences a card", "10,000 samples", "in a rack or two", "against ten H100"])
def test_a_typed_number_is_found(text: str, tmp_path: Path) -> None:
    (tmp_path / "section.py").write_text(f'def notes():\n    return ({text!r}, "H100 in INT8")\n')
    assert [one for _, one in prose(tmp_path) if typed(one)] == [text]


def test_every_name_in_the_list_is_used() -> None:
    texts = [text for _, text in prose(ROOT / "model" / "report")]
    assert not [name for name in NAMES if not any(re.search(name, text) for text in texts)]


def test_changed_shares_change_the_sentence_about_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault this guards against: the table followed the shares, the sentence above it did not."""
    as_it_is, load = _counting_sentence(), scenarios.load

    def changed(name: str) -> Scenario:
        site = load(name)
        first, second, *rest = site.shares
        moved = replace(first.capacity, nominal=first.capacity.nominal - 1.0)
        taken = replace(second.capacity, nominal=second.capacity.nominal + 1.0)
        return replace(site, shares=(replace(first, capacity=moved), replace(second, capacity=taken), *rest))

    monkeypatch.setattr(scenarios, "load", changed)
    assert _counting_sentence() != as_it_is


def _counting_sentence() -> str:
    """The sentence about the counting rule, held to the figures of the cards it names."""
    found = {name: chips.load(name) for name in chips.names()}
    summary = summarise("npu_16", found["npu_16"], "digits", 1, found)
    assert summary.programme is not None
    notes = ["".join(note) for section in answer_sections(summary, full=True) for note in section.notes]
    said = next(note for note in notes if note.startswith("Nobody says how the PF were counted"))
    for part in next(iter(summary.programme.counted.values()))["mixed"].site.by_operator.values():
        assert f"{summary.value(part.cards.name):g} {part.cards.note.split(',')[0]} in " in said
    return said
