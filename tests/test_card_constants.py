"""Every constant of the card model is listed with its source, and none serves a single chip."""

import ast
from pathlib import Path

from hw import chips
from model.card.constants import GROUPS, NUMBERS, PLACES, constants

CARD = Path(__file__).resolve().parent.parent / "model" / "card"

DATA = {
    "engine.ENGINES",
    "engine.BUILT",
    "language_record.LANGUAGE_TASKS",
    "constants.PLACES",
    "constants.NUMBERS",
    "constants.GROUPS",
}
"""Tables of the serving engines, whose facts are listed one by one, and of the benchmark's tasks; the list itself."""


def defined() -> set[str]:
    """Module-level names of model/card in capital letters whose values hold a number."""
    found = set()
    for path in sorted(CARD.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
            value = getattr(node, "value", None)
            if not isinstance(target, ast.Name) or value is None or target.id.startswith("_"):
                continue
            numbers = [
                n
                for n in ast.walk(value)
                if isinstance(n, ast.Constant) and isinstance(n.value, int | float) and not isinstance(n.value, bool)
            ]
            if target.id.isupper() and numbers:
                found.add(f"{path.stem}.{target.id}")
    return found


def private() -> list[str]:
    """The same with a leading underscore: numbers that nobody could list."""
    found = []
    for path in sorted(CARD.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name = node.targets[0].id
                if name.startswith("_") and isinstance(node.value, ast.Constant):
                    found.append(f"{path.stem}.{name}")
    return found


def test_every_constant_is_listed_and_every_listed_one_exists() -> None:
    assert defined() - DATA == set(PLACES) | set(NUMBERS)
    assert private() == []


def test_every_constant_has_a_source_and_serves_several_chips() -> None:
    listed = constants()
    assert len(listed) > 60
    for one in listed:
        assert len(one.source) > 5, one.name
        assert one.unit, one.name
        assert one.serves in GROUPS
        assert one.chips > 1, f"{one.name} is a factor of a chip"


def test_no_rule_of_the_card_model_names_a_card() -> None:
    cards = {name for name in chips.names() if "peak_int8" in chips.load(name).facts}
    for path in sorted(CARD.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
        assert not texts & cards, path.name


def test_a_guess_that_could_be_otherwise_has_a_range() -> None:
    guessed = [one for one in constants() if one.name in PLACES and "(" not in one.value]
    assert {one.name for one in guessed} == {"array_side.LAST_LEVEL"}  # of chips that nobody publishes anything of
