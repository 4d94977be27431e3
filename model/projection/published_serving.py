"""Published serving results of language models beside their committed predictions by the card model."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hw.base.error import InputError
from model.energy.price import Interval
from model.projection.published.calibration import Residual
from model.projection.published.language import LanguageRow, language_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageCheck:
    """A published serving result beside its prediction by rules and open inputs alone, in the row's unit.

    Parameters
    ----------
    row : LanguageRow
        The published result.
    predicted : Interval
        Low, nominal and high of the prediction.
    """

    row: LanguageRow
    predicted: Interval

    @property
    def kind(self) -> str:
        """Of `model.projection.published.calibration.KINDS`."""
        return kind(self.row)

    @property
    def residual(self) -> Residual:
        """For the model's own error."""
        p = self.predicted
        return Residual(
            kind=self.kind,
            chip=self.row.chip,
            ratio=self.row.value / p.nominal,
            low=p.low / p.nominal,
            high=p.high / p.nominal,
        )


def kind(row: LanguageRow) -> str:
    """Kind of question of a row."""
    if row.metric == "tpot":
        return "decode"
    return "requests, one card" if row.devices == 1 else "requests, several cards"


PREDICTED = Path(__file__).with_name("published") / "language_predicted.csv"
"""Predictions of all rows by rules and open inputs alone, as `write_predicted` left them; a test repeats some."""


@cache
def predicted_checks(path: Path = PREDICTED) -> tuple[LanguageCheck, ...]:
    """The rows beside their committed predictions; `InputError` if there are none."""
    rows = language_rows()
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return tuple(
                LanguageCheck(
                    row=rows[int(f["line"]) - 2],
                    predicted=Interval(low=float(f["low"]), nominal=float(f["nominal"]), high=float(f["high"])),
                )
                for f in csv.DictReader(file)
            )
    except OSError:
        raise InputError(f"{path.name} must be there; write it with python -m model validate --fresh") from None
