"""A number from outside, with its range, its source and how far it can be trusted."""

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

from hw.base.error import InputError
from hw.spec.unit import ratio

Confidence = Literal["measured", "vendor", "press", "secondary", "inferred", "assumed"]
"""measured: a benchmark log or an instrument; vendor: the maker's claim; press: a newspaper; secondary: a
third party's note; inferred: arithmetic on other facts; assumed: nobody published it, this is our choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A quantity `low <= nominal <= high` in `unit`.

    Parameters
    ----------
    nominal : float
    low, high : float or None
        Bounds; None means equal to `nominal`.
    unit : str
        For example "W", "GHz", "TOPS", "KRW/kWh"; "1" for a ratio.
    confidence : Confidence
        Where the number comes from, and so how far it can be trusted.
    source : str
        Document, table and date, or the reasoning of an inferred or assumed number.
    note : str
        A remark for readers; "" for none.

    Raises
    ------
    InputError
        If a number is not finite, the range is not ordered, the confidence unknown or the source empty.
    """

    nominal: float
    low: float | None = None
    high: float | None = None
    unit: str
    confidence: Confidence
    source: str
    note: str = ""

    def __post_init__(self) -> None:
        if self.confidence not in get_args(Confidence):
            known = ", ".join(get_args(Confidence))
            raise InputError(f"confidence must be one of {known}, not {self.confidence!r}")
        if not self.source.strip():
            raise InputError(f"a fact must name its source, not leave it empty ({self.nominal} {self.unit})")
        for name in ("nominal", "low", "high"):
            value = getattr(self, name)
            if value is None and name != "nominal":
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                raise InputError(f"{name} of a fact must be a finite number, not {value!r} {self.unit}")
        if not self.minimum <= self.nominal <= self.maximum:
            raise InputError(
                f"a fact must have low <= nominal <= high, not {self.low}, {self.nominal}, {self.high} {self.unit}"
            )

    def to(self, unit: str) -> "Fact":
        """The same quantity in another unit; `InputError` if the unit measures something else."""
        return replace(self.times(ratio(self.unit, unit)), unit=unit)

    def times(self, factor: float) -> "Fact":
        """`factor` times the quantity, a share of a card or several of it, with its whole range; `factor` above 0."""
        if factor == 1:
            return self
        return replace(self, nominal=self.nominal * factor, low=self.minimum * factor, high=self.maximum * factor)

    @property
    def minimum(self) -> float:
        """The low end of the range."""
        return self.nominal if self.low is None else self.low

    @property
    def maximum(self) -> float:
        """The high end of the range."""
        return self.nominal if self.high is None else self.high
