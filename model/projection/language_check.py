"""Predictions of the published serving results, by the card model without a simulator of requests."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hw import chips
from hw.base.error import InputError
from model.card.calibration import Residual
from model.card.device import device
from model.card.engine import engine
from model.card.iteration import Iteration
from model.card.spread import Spread
from model.card.throughput import most_requests, steady
from model.energy.price import Interval
from model.network import llm
from model.network.split import Split
from model.projection.published.language import LanguageRow, language_rows
from model.record import write_text


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageCheck:
    """A published serving result beside its prediction by rules and open inputs alone, in the row's unit."""

    row: LanguageRow
    predicted: Interval

    @property
    def kind(self) -> str:
        """Of `model.card.calibration.KINDS`."""
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


def predicted(row: LanguageRow) -> Interval:
    """The prediction of a row; `InputError` if the model does not fit its cards."""
    return _spread(
        row.chip, row.model, row.tensor, row.weights, row.cache, row.engine, row.requests is not None
    ).interval(lambda i: value(i, row))


def value(iteration: Iteration, row: LanguageRow) -> float:
    """The row's quantity under one reading of the facts."""
    if row.requests is not None:
        at_once = steady(iteration, row.prompt, row.answer, row.requests)
        return at_once.token * 1e3 if row.metric == "tpot" else at_once.per_second
    most = most_requests(iteration, row.prompt, row.answer)
    if row.total is None:
        return steady(iteration, row.prompt, row.answer, most).per_second
    most = min(most, row.total)
    full, rest = divmod(row.total, most)
    time = full * most / steady(iteration, row.prompt, row.answer, most).per_second
    if rest:  # the last ones run with fewer beside them
        time += rest / steady(iteration, row.prompt, row.answer, rest).per_second
    return row.total / time


@cache
def _spread(chip: str, model: str, tensor: int, weights: str, cache_format: str, name: str, streaming: bool) -> Spread:
    return Spread(
        Iteration(
            device(chips.load(chip)),
            llm.load(model),
            split=Split(tensor=tensor),
            weights=weights,
            cache=cache_format,
            engine=engine(name),
            streaming=streaming,
        )
    )


@cache
def language_checks() -> tuple[LanguageCheck, ...]:
    """Every row that fits its cards, predicted now: half a minute."""
    found = []
    for row in language_rows():
        try:
            found.append(LanguageCheck(row=row, predicted=predicted(row)))
        except InputError:
            continue
    return tuple(found)


PREDICTED = Path(__file__).with_name("published") / "language_predicted.csv"
"""Predictions of all rows by rules and open inputs alone, as `write_predicted` left them; a test repeats some."""


def write_predicted(path: Path = PREDICTED) -> int:
    """Predict every row, write it; how many."""
    checks = language_checks()
    lines = ["line,low,nominal,high"]
    numbers = {row: line for line, row in enumerate(language_rows(), start=2)}
    for check in checks:
        p = check.predicted
        lines.append(f"{numbers[check.row]},{p.low:.6g},{p.nominal:.6g},{p.high:.6g}")
    write_text(path, "\n".join(lines) + "\n")
    return len(checks)


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
