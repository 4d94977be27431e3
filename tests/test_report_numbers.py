"""Numbers of the page: digits that the range carries, one notation, units, words for large numbers; one palette."""

import ast
import re
from pathlib import Path

import pytest

from hw.base import palette
from model.report.page.language import language
from model.report.page.number import Quantity, written

ROOT = Path(__file__).resolve().parent.parent


def of(value: float, low: float, high: float, unit: str) -> tuple[str, str]:
    quantity = Quantity(value=value, low=low, high=high, unit=unit)
    return written(language("en"), quantity), written(language("ko"), quantity)


@pytest.mark.parametrize(
    ("value", "low", "high", "unit", "english", "korean"),
    [
        (46.96, 38.44, 68.80, "kW", "47 (38–69) kW", "47 (38~69) kW"),
        (1_832_839, 1_724_171, 2_079_212, "images/s", "1.83 (1.72–2.08) million images/s", "183 (172~208)만 장/초"),
        (3096.4, 2633.0, 5513.4, "million KRW", "3.1 (2.6–5.5) billion KRW", "31 (26~55)억 원"),
        (826.2, 826.2, 826.2, "billion KRW", "826.2 billion KRW", "8,262억 원"),
        (0.0406, 0.0364, 0.0609, "J/token", "0.041 (0.036–0.061) J/token", "0.041 (0.036~0.061) J/토큰"),
        (805.9, 477.6, 1942.6, "KRW", "810 (480–1,940) KRW", "810 (480~1,940)원"),
        (0.45, 0.441, 0.555, "%", "45.0 (44.1–55.5)%", "45.0 (44.1~55.5)%"),
        (1, 1, 1, "cards", "1 card", "1장"),
        (239, 239, 239, "cards", "239 cards", "239장"),
        (-5.0, -17.5, 12.0, "W", "-5 (-18–12) W", "-5 (-18~12) W"),
    ],
)
def test_a_number_has_its_digits_its_range_and_its_unit(
    value: float, low: float, high: float, unit: str, english: str, korean: str
) -> None:
    assert of(value, low, high, unit) == (english, korean)


def test_no_plot_of_the_project_has_a_colour_of_its_own() -> None:
    """Colours are taken from one palette, safe for colour blindness."""
    found = []
    for room in ("hw", "model", "tb"):
        for path in sorted((ROOT / room).rglob("*.py")):
            if path.name == "palette.py" or "matplotlib" not in path.read_text():
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                own = isinstance(node, ast.Constant) and isinstance(node.value, str)
                if own and re.fullmatch(r"#[0-9a-fA-F]{3,8}|tab:\w+|C\d", node.value):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.value}")
    assert found == []


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_palette_can_be_read_and_told_apart_in_grey() -> None:
    """Text has contrast on paper; parts of a whole that come after each other differ in lightness or by hatching."""
    for colour in (palette.INK, palette.GREY):
        assert (luminance(palette.PAPER) + 0.05) / (luminance(colour) + 0.05) >= 4.5
    assert len(set(palette.SAFE)) == len(palette.SAFE) == len(palette.HATCHES) == len(set(palette.HATCHES))
