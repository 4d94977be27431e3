"""Predictions of the published serving results, by the card model without a simulator of requests."""

from functools import cache
from pathlib import Path

from hw import chips
from hw.base.error import InputError
from hw.base.file import write_atomically
from model.card.device import device
from model.card.engine import BUILT, Engine, engine
from model.card.iteration import Iteration
from model.card.spread import Spread
from model.card.throughput import most_requests, steady
from model.energy.price import Interval
from model.network import llm
from model.network.split import Split
from model.projection.published.language import LanguageRow, language_rows
from model.projection.published_serving import PREDICTED, LanguageCheck


def predicted(row: LanguageRow) -> Interval:
    """The prediction of a row; `InputError` if the model does not fit its cards."""
    return _spread(
        row.chip, row.model, row.tensor, row.weights, row.cache, engine_of(row), row.requests is not None
    ).interval(lambda i: value(i, row))


def engine_of(row: LanguageRow) -> Engine:
    """The engine of its version: TensorRT-LLM before 1.0 ran built engines."""
    return BUILT if row.engine == "trtllm" and row.version.startswith("0.") else engine(row.engine)


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
def _spread(
    chip: str, model: str, tensor: int, weights: str, cache_format: str, runs: Engine, streaming: bool
) -> Spread:
    return Spread(
        Iteration(
            device(chips.load(chip)),
            llm.load(model),
            split=Split(tensor=tensor),
            weights=weights,
            cache=cache_format,
            engine=runs,
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


def write_predicted(path: Path = PREDICTED) -> int:
    """Predict every row, write it; how many."""
    checks = language_checks()
    lines = ["line,low,nominal,high"]
    numbers = {row: line for line, row in enumerate(language_rows(), start=2)}
    for check in checks:
        p = check.predicted
        lines.append(f"{numbers[check.row]},{p.low:.6g},{p.nominal:.6g},{p.high:.6g}")
    write_atomically(path, "\n".join(lines) + "\n")
    return len(checks)
