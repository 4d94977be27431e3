"""Predictions of the published serving results, by the card model without a simulator of requests."""

from dataclasses import dataclass
from functools import cache
from statistics import median

from hw import chips
from hw.base.digest import digest
from hw.base.error import InputError
from model.card.calibration import Residual
from model.card.device import device
from model.card.engine import engine
from model.card.iteration import Iteration
from model.card.spread import Spread
from model.card.throughput import best_steady, most_requests, steady
from model.energy.price import Interval
from model.network import llm
from model.network.split import Split
from model.projection.published.language import LanguageRow, language_rows


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
    return max(steady(iteration, row.prompt, row.answer, n).per_second for n in {most, max(1, most // 2)})


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
    """Every row that fits its cards."""
    found = []
    for row in language_rows():
        try:
            found.append(LanguageCheck(row=row, predicted=predicted(row)))
        except InputError:
            continue
    return tuple(found)
