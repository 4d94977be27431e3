"""How far single requests lie from a run whose card is described right, learnt from measured closed loops.

Ratios measured / predicted of the mean time per token and of the mean time to first token of one card's rows scatter
about their median: what the card's facts leave open is common to all of them, the scatter is the simulator's own. It is
taken from the median absolute deviation and holds 90 % as of a normal distribution. Rows whose front end is saturated
are left out. The card that a range is judged on must not be among those it was learnt from.
"""

import csv
from collections.abc import Iterable, Mapping
from functools import cache
from math import exp, log
from pathlib import Path
from statistics import median

LEARNT = Path(__file__).with_name("request_error.csv")
"""Learnt from the closed loops on H100 SXM (tests/test_serving_measured.py holds it to them)."""

TO_90 = 1.4826 * 1.6449
"""Deviations that hold 90 %, for one median absolute deviation of a normal distribution."""


def learn(ratios: Iterable[float]) -> float:
    """Half the width, as a factor less 1, that holds 90 % of `ratios` about their median."""
    logs = [log(r) for r in ratios]
    middle = median(logs)
    return exp(TO_90 * median(abs(value - middle) for value in logs)) - 1


@cache
def learnt(path: Path = LEARNT) -> Mapping[str, tuple[float, float]]:
    """(of decode steps, of iterations with prompts) by engine; "all" for engines that were not measured."""
    with path.open(newline="", encoding="utf-8") as file:
        return {row["engine"]: (float(row["decode"]), float(row["prefill"])) for row in csv.DictReader(file)}


def reach(engine: str) -> tuple[float, float]:
    """The same for one engine."""
    known = learnt()
    return known.get(engine, known["all"])
