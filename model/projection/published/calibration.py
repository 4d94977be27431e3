"""How far published results lie from the model: its own error, by kind of question, learnt from them.

For every kind the ratios published / predicted give a bias (median), a spread beyond what the open inputs of each
prediction explain, and how many of the combined spreads 90 % of the results need. A chip with n results weighs as the
square root of n, so that one with hundreds does not decide, nor one with a single one as much. There is no number of a
chip: to judge a chip, all of its own results are left out (`learn(..., without=chip)`), and among those that are left
each is again measured from the bias of the others, since a new chip will lie off a bias that did not know it. A kind
that fewer than three other chips were measured at is filled up with the spread of its group (networks, language models,
watts).
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from math import exp, log, sqrt
from pathlib import Path
from statistics import NormalDist

from hw.base.file import write_atomically

LEARNT = Path(__file__).with_name("model_error.csv")
"""The error of every kind, learnt from all published results: `python -m model validate --fresh` writes it."""

NORMAL_95 = 1.6449
"""A normal distribution's 95 % lie below its mean and so many deviations."""

KINDS = (
    "offline", "server", "query", "query of 8", "requests, one card", "requests, several cards", "decode",
    "request", "wall power",
)  # fmt: skip
"""Networks: highest rate, rate within a limit, one input, eight together. Language models: highest rate of requests,
time between tokens, one request alone. Watts of a whole system."""

GROUPS = (KINDS[:4], KINDS[4:8], KINDS[8:])
"""Networks, language models, watts: kinds of one group stand in for each other."""

FEW_CHIPS = 3

HELD = 0.91
"""Share of the known results that the width holds: a little above 90 %, since one beyond all known may come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """One published result: `ratio` is published over predicted, `low` and `high` the ends of the prediction's 90 % by
    its open inputs alone, over its nominal value.

    Parameters
    ----------
    kind : str
        Kind of question, one of `KINDS`.
    chip : str
        Name of the chip in hw/chips: each chip weighs equally, and one can be left out.
    """

    kind: str
    chip: str
    ratio: float
    low: float = 1.0
    high: float = 1.0

    @property
    def spread(self) -> float:
        """Standard deviation of the logarithm that the open inputs explain."""
        return log(self.high / self.low) / (2 * NORMAL_95)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelError:
    """Of one kind: `bias`, the median of published over predicted; `spread`, standard deviation of the logarithm beyond
    the open inputs'; `width`, how many combined deviations hold 90 %; learnt from `results` of `chips` chips.

    Parameters
    ----------
    kind : str
        Kind of question, one of `KINDS`.
    """

    kind: str
    bias: float
    spread: float
    width: float
    chips: int
    results: int

    def span(self, nominal: float, low: float, high: float, level: float = 0.9) -> tuple[float, float, float]:
        """(low end, middle, high end) of the middle `level` of a prediction `nominal` whose open inputs leave `low` to
        `high`; another level than 90 % scales as a normal distribution does."""
        inputs = log(high / low) / (2 * NORMAL_95) if 0 < low < high else 0.0
        scale = NormalDist().inv_cdf((1 + level) / 2) / NORMAL_95
        reach = self.width * scale * sqrt(inputs**2 + self.spread**2)
        middle = nominal * self.bias
        return middle * exp(-reach), middle, middle * exp(reach)


def learn(residuals: Iterable[Residual], *, without: str | None = None) -> Mapping[str, ModelError]:
    """The error of every kind, all results of the chip `without` left out; kinds without results get that of all."""
    kept = [r for r in residuals if r.chip != without]
    found = {}
    for group in GROUPS:
        each = {kind: _error(kind, [r for r in kept if r.kind == kind]) for kind in group}
        # of the group only the spread is lent, so every kind's own bias is taken off first
        centred = [replace(r, ratio=r.ratio / each[r.kind].bias) for r in kept if r.kind in group]
        everything = _error("all", centred)
        for kind, own in each.items():
            if own.chips < FEW_CHIPS and everything.chips > own.chips:
                share = own.chips / FEW_CHIPS
                own = ModelError(
                    kind=kind,
                    bias=own.bias if own.chips else 1.0,
                    spread=sqrt(share * own.spread**2 + (1 - share) * everything.spread**2),
                    width=max(own.width, NORMAL_95),
                    chips=own.chips,
                    results=own.results,
                )
            found[kind] = own
    return found


def _error(kind: str, residuals: list[Residual]) -> ModelError:
    counts: dict[str, int] = {}
    for r in residuals:
        counts[r.chip] = counts.get(r.chip, 0) + 1
    if not counts:
        return ModelError(kind=kind, bias=1.0, spread=0.0, width=NORMAL_95, chips=0, results=0)
    weights = [1 / sqrt(counts[r.chip]) for r in residuals]
    bias = _bias(residuals, weights)
    off = _off(residuals, weights, bias, list(counts))
    total = sum(weights)
    beyond = sum(w * (o**2 - r.spread**2) for w, o, r in zip(weights, off, residuals, strict=True)) / total
    # what is beyond the inputs is at least a quarter of the whole: the inputs' ranges are guesses as well
    whole = sum(w * o**2 for w, o in zip(weights, off, strict=True)) / total
    spread = sqrt(max(beyond, whole / 4, 1e-4))
    scores = [abs(o) / sqrt(spread**2 + r.spread**2) for o, r in zip(off, residuals, strict=True)]
    width = _quantile(scores, weights, HELD)
    return ModelError(kind=kind, bias=exp(bias), spread=spread, width=width, chips=len(counts), results=len(residuals))


def _bias(residuals: list[Residual], weights: list[float]) -> float:
    return _quantile([log(r.ratio) for r in residuals], weights, 0.5)


def _off(residuals: list[Residual], weights: list[float], bias: float, chips: list[str]) -> list[float]:
    """Logarithm of each ratio from the bias that all other chips give."""
    if len(chips) < FEW_CHIPS:
        return [log(r.ratio) - bias for r in residuals]
    others = {}
    for chip in chips:
        kept = [(r, w) for r, w in zip(residuals, weights, strict=True) if r.chip != chip]
        others[chip] = _bias([r for r, _ in kept], [w for _, w in kept])
    return [log(r.ratio) - others[r.chip] for r in residuals]


def _quantile(values: list[float], weights: list[float], share: float) -> float:
    """The smallest value below or at which `share` of the weights lie, halfway to the next where exactly so many do."""
    pairs = sorted(zip(values, weights, strict=True))
    goal, seen = share * sum(weights), 0.0
    for index, (value, weight) in enumerate(pairs):
        seen += weight
        if abs(seen - goal) < 1e-9 and index + 1 < len(pairs):
            return (value + pairs[index + 1][0]) / 2
        if seen >= goal:
            return value
    return pairs[-1][0]


def write_errors(residuals: Iterable[Residual], path: Path = LEARNT) -> None:
    """Learn from all chips and write it: what predictions of new chips take."""
    lines = ["kind,bias,spread,width,chips,results"]
    for e in learn(residuals).values():
        lines.append(f"{e.kind.replace(',', ';')},{e.bias:.6g},{e.spread:.6g},{e.width:.6g},{e.chips},{e.results}")
    write_atomically(path, "\n".join(lines) + "\n")


@cache
def errors(path: Path = LEARNT) -> Mapping[str, ModelError]:
    """The committed error of every kind."""
    found = {}
    with path.open(newline="", encoding="utf-8") as file:
        for f in csv.DictReader(file):
            kind = f["kind"].replace(";", ",")
            found[kind] = ModelError(
                kind=kind,
                bias=float(f["bias"]),
                spread=float(f["spread"]),
                width=float(f["width"]),
                chips=int(f["chips"]),
                results=int(f["results"]),
            )
    return found
