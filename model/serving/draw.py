"""Requests drawn from a seed: times of arrival and lengths. The same seed gives the same requests on every machine.

Gaps between arrivals: `poisson`, exponential; `gamma`, of a chosen coefficient of variation (bursts above 1); `even`,
all equal. With a day curve the rate follows the hour: gaps are drawn for a mean of one and the clock runs through the
curve. Lengths are log-normal around their means with a chosen coefficient of variation, cut at eight times the mean.
"""

import math
import random
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from hw.base.error import InputError
from model.serving.request import Request

ARRIVALS = ("poisson", "gamma", "even")

DAY = (
    0.55, 0.40, 0.30, 0.25, 0.22, 0.25, 0.40, 0.65, 0.95, 1.20, 1.30, 1.25,
    1.15, 1.25, 1.35, 1.35, 1.30, 1.25, 1.25, 1.40, 1.60, 1.65, 1.35, 0.90,
)  # fmt: skip
"""Rate in each hour of the day over the mean: office hours and a higher peak at 21 h. Assumed: no Korean service
publishes
its own; the public traces of Azure have the same ratio of about six between the fullest and the emptiest hour."""

HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """`count` requests at `rate` a second on average.

    Parameters
    ----------
    prompt, answer : float
        Mean tokens.
    spread : float
        Coefficient of variation of both.
    arrivals : str
        One of `ARRIVALS`.
    burst : float
        Coefficient of variation of the gaps where they are `gamma`.
    day : sequence of float or None
        Rate by hour over the mean.
    prefix_tokens : int
        Every prompt begins with the same so many tokens.
    seed : int
        Of the random gaps and lengths; equal seeds give equal requests.
    """

    count: int
    rate: float
    prompt: float = 1024
    answer: float = 256
    spread: float = 0.6
    arrivals: str = "poisson"
    burst: float = 2.0
    day: Sequence[float] | None = None
    prefix_tokens: int = 0
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("rate", "prompt", "answer", "burst"):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise InputError(f"{name} of drawn requests must be above 0, not {value:g}")
        if self.count < 1:
            raise InputError(f"at least 1 request must be drawn, not {self.count}")
        if not 0 <= self.spread <= 5:
            raise InputError(f"spread of drawn lengths must be from 0 to 5, not {self.spread:g}")
        if self.arrivals not in ARRIVALS:
            raise InputError(f"arrivals must be one of {', '.join(ARRIVALS)}, not {self.arrivals!r}")
        if self.day is not None and (len(self.day) != 24 or min(self.day) < 0 or sum(self.day) <= 0):
            raise InputError("a day curve must have 24 rates of at least 0 that are not all 0")

    def __iter__(self) -> Iterator[Request]:
        # three streams, so that another rate keeps the lengths
        gaps, prompts, answers = (random.Random(f"{self.seed} {part}") for part in ("gaps", "prompts", "answers"))
        clock = _Clock(self.day)
        passed = 0.0
        for number in range(self.count):
            passed += self._gap(gaps) / self.rate
            yield Request(
                number,
                clock.time(passed),
                self.prefix_tokens + self._length(prompts, self.prompt),
                self._length(answers, self.answer),
                prefix="shared" if self.prefix_tokens else None,
                prefix_tokens=self.prefix_tokens,
            )

    def _gap(self, source: random.Random) -> float:
        if self.arrivals == "even":
            return 1.0
        if self.arrivals == "gamma":
            shape = 1 / self.burst**2
            return source.gammavariate(shape, 1 / shape)
        return source.expovariate(1.0)

    def _length(self, source: random.Random, mean: float) -> int:
        if not self.spread:
            return max(1, round(mean))
        variance = math.log(1 + self.spread**2)
        drawn = source.lognormvariate(math.log(mean) - variance / 2, math.sqrt(variance))
        return max(1, round(min(drawn, 8 * mean)))


class _Clock:
    """Turns time at the mean rate into time of the day whose rate follows a curve."""

    def __init__(self, day: Sequence[float] | None) -> None:
        self._day = day
        if day is not None:
            mean = sum(day) / 24
            self._shares = [rate / mean for rate in day]
            self._starts = [0.0, *accumulate(HOUR * share for share in self._shares)]

    def time(self, passed: float) -> float:
        """Seconds at which so many seconds' worth of requests at the mean rate have come."""
        if self._day is None:
            return passed
        days, rest = divmod(passed, 24 * HOUR)
        hour = min(23, bisect_right(self._starts, rest) - 1)
        share = self._shares[hour]
        return days * 24 * HOUR + hour * HOUR + ((rest - self._starts[hour]) / share if share else 0.0)
