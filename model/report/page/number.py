"""Numbers for people: as many digits as their range carries, one notation for a range, a unit beside each."""

from dataclasses import dataclass, replace
from math import floor, log10

from model.report.page.language import N_, SOURCE, Language

PRINTED, MODELLED = 5, 3
"""Digits of a number without a range, at most: as it was printed or measured, and as a model says it."""

COUNTED = ("images/s", "tokens/s", "KRW", "cards", "events", "requests")
"""Units whose large numbers are written with a word, such as million."""

MONEY = {"million KRW": 1e6, "billion KRW": 1e9, "KRW": 1.0}
"""Units of money -> won."""

WORDS = {
    "ko": ((1e12, "조 "), (1e8, "억 "), (1e4, "만 ")),
    "en": ((1e12, "trillion "), (1e9, "billion "), (1e6, "million ")),
}
"""Words for large numbers, the largest first."""

UNITS = {
    "images/s": N_("images/s"),
    "tokens/s": N_("tokens/s"),
    "KRW": N_("KRW"),
    "USD": N_("USD"),
    "cards": N_("cards"),
    "servers": N_("servers"),
    "tCO2e": N_("tCO2e"),
    "gCO2e": N_("gCO2e"),
    "J/token": N_("J/token"),
    "tokens/J": N_("tokens/J"),
    "tokens/kJ": N_("tokens/kJ"),
    "images/kJ": N_("images/kJ"),
    "years": N_("years"),
    "sequences": N_("sequences"),
    "times": N_("times"),
    "chips": N_("chips"),
    "operations": N_("operations"),
    "cycles": N_("cycles"),
    "images": N_("images"),
    "requests": N_("requests"),
    "requests/s": N_("requests/s"),
    "KRW/kWh": N_("KRW/kWh"),
    "KRW/USD": N_("KRW/USD"),
    "million KRW/kW": N_("million KRW/kW"),
    "weights": N_("weights"),
    "bits": N_("bits"),
    "sockets": N_("sockets"),
}
"""Units that are words; symbols such as kW stand as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number with the middle 90 % of its samples.

    Parameters
    ----------
    value : float
        The middle: inside its range.
    low, high : float
        Ends of the range; both `value` where it has none.
    unit : str
        Of all three; "1" for a ratio, "%" for a share that is written in hundredths.
    digits : int
        Significant digits at most where there is no range.
    """

    value: float
    low: float
    high: float
    unit: str
    digits: int = PRINTED

    @property
    def ranged(self) -> bool:
        """Whether there is a range to write."""
        return self.low < self.high


def decimals(quantity: Quantity) -> int:
    """How many decimals the range carries: its half width keeps two digits; without a range, `quantity.digits`."""
    value, half = abs(quantity.value), (quantity.high - quantity.low) / 2
    most = quantity.digits - 1 - floor(log10(value)) if value else 0
    if half > 0:
        return min(1 - floor(log10(half)), max(PRINTED - 1 - floor(log10(value)) if value else 1, 0))
    if value == round(value) and value < 1e6:
        return 0
    while most > 0 and round(value, most) == round(value, most - 1):
        most -= 1
    return most


def scaled(language: Language, quantity: Quantity) -> tuple[Quantity, str]:
    """The quantity over the word for its size, and the unit with that word."""
    unit = quantity.unit
    if unit == "%":
        return _times(quantity, 100.0), "%"
    factor = MONEY.get(unit, 1.0)
    name = "KRW" if unit in MONEY else unit
    if unit in MONEY or unit in COUNTED:
        whole = _times(quantity, factor)
        for size, word in WORDS[language.code]:
            # the word for the size of the middle; money below a hundred million won stays in ten thousands
            if abs(whole.value) >= size:
                return _times(whole, 1 / size), word + unit_text(language, name)
        return whole, unit_text(language, name)
    return quantity, unit_text(language, unit)


def unit_text(language: Language, unit: str) -> str:
    """The unit as the language writes it; "" for a ratio."""
    return "" if unit == "1" else language.text(UNITS[unit]) if unit in UNITS else unit


def written(language: Language, quantity: Quantity) -> str:
    """The quantity as text: middle, its range in brackets, unit."""
    shown, unit = scaled(language, quantity)
    places = decimals(shown)
    text = language.decimal(shown.value, places)
    if shown.ranged:
        low, high = language.decimal(shown.low, places), language.decimal(shown.high, places)
        if low != high:
            text += f" ({low}{language.dash}{high})"
    elif language.code == SOURCE and shown.value == 1 and quantity.unit in UNITS:
        unit = unit.removesuffix("s")
    return text + _joined(language, unit)


def _joined(language: Language, unit: str) -> str:
    if not unit:
        return ""
    # Korean writes its counters and words for large numbers directly after the number
    tight = unit == "%" or (language.code == "ko" and "가" <= unit[0] <= "힣")
    return unit if tight else f" {unit}"


def _times(quantity: Quantity, factor: float) -> Quantity:
    return replace(quantity, value=quantity.value * factor, low=quantity.low * factor, high=quantity.high * factor)
