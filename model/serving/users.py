"""The most users that a service keeps at a target, by doubling and bisection.

A user sends the next request when the one before ends. They do not all begin at once but spread over the time of one
request; the first request of each is not counted. Lengths are drawn.
"""

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hw.base.error import InputError
from model.serving.answers import kept, rate, tpot, ttft
from model.serving.request import Request
from model.serving.service import Service, Stretch
from model.serving.simulate import ends
from model.serving.sources import ClosedLoop

REQUESTS_A_USER = 4
LEAST_REQUESTS = 400
MOST_USERS = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What one number of users gets.

    Parameters
    ----------
    users : int
        Who each send a request when the one before ends.
    kept : float
        Share of the counted requests that keep the target, 0 to 1.
    tokens_per_s : float
        Tokens of the counted answers per second, of all users together.
    ttft_p99 : float
        Seconds to the first token that 99 % of the requests stay below.
    tpot_p99 : float
        The same of the seconds per token after the first; 0 if no answer has more than one token.
    """

    users: int
    kept: float
    tokens_per_s: float
    ttft_p99: float
    tpot_p99: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The most users that keep a target, each number found to 1 %.

    Parameters
    ----------
    users : int
        At nominal times of the card model.
    low, high : int
        At the longer and at the shorter end of its times; `low` is 0 if not even one user keeps the target there.
    points : tuple of Point
        All numbers of users tried at nominal times, in rising order.
    wall : float
        Seconds of this computer for the whole search.
    low_rate, high_rate : float
        Tokens per second of `low` users at longer and of `high` users at shorter times; 0 where that was not run.
    """

    users: int
    low: int
    high: int
    points: tuple[Point, ...]
    wall: float
    low_rate: float = 0.0
    high_rate: float = 0.0

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "users": {"nominal": self.users, "range": [self.low, self.high]},
            "points": [{name: getattr(p, name) for name in Point.__slots__} for p in self.points],
            "wall_s": self.wall,
        }


def most_users(
    service: Service,
    prompt: int,
    answer: int,
    target: tuple[float, float],
    *,
    share: float = 0.99,
    spread: float = 0.6,
    seed: int = 1,
    tried: Callable[[int], None] | None = None,
) -> Found:
    """The most users of whose requests `share` keep `target`, (seconds to first token, per token after it); `tried` is
    told of every number before it is run.

    Raises
    ------
    InputError
        If even one user's requests do not.
    """
    start = time.perf_counter()
    shorter, longer = ends(service.iteration(0))
    points: dict[int, Point] = {}

    def holds(users: int, stretch: Stretch, known: dict[int, Point]) -> bool:
        if users not in known:
            if tried is not None:
                tried(users)
            known[users] = _point(service, users, prompt, answer, target, spread, seed, stretch)
        return known[users].kept >= share

    if not holds(1, Stretch(), points):
        one = points[1]
        raise InputError(
            f"a target must be one that one user keeps: TTFT is {one.ttft_p99:.3g} s and TPOT {one.tpot_p99 * 1e3:.3g} "
            f"ms there (99 %), of {prompt} + {answer} tokens; the target is {target[0]:g} s and {target[1] * 1e3:g} ms"
        )
    users = _bisect(lambda n: holds(n, Stretch(), points), 1)
    low = high = users
    slow: dict[int, Point] = {}
    fast: dict[int, Point] = {}
    if not holds(users, longer, slow):
        low = _below(lambda n: holds(n, longer, slow), users)
    if holds(users + 1, shorter, fast):
        high = _bisect(lambda n: holds(n, shorter, fast), users)
    return Found(
        users=users,
        low=low,
        high=high,
        points=tuple(points[n] for n in sorted(points)),
        wall=time.perf_counter() - start,
        low_rate=slow[low].tokens_per_s if low else 0.0,
        high_rate=fast[high].tokens_per_s if high in fast else 0.0,
    )


def _bisect(holds: Any, least: int) -> int:
    """The largest number that holds, from `least` up, which does."""
    low, high = least, 2 * least
    while high <= MOST_USERS and holds(high):
        low, high = high, 2 * high
    while high - low > max(1, low // 100):
        middle = (low + high) // 2
        if holds(middle):
            low = middle
        else:
            high = middle
    return low


def _below(holds: Any, most: int) -> int:
    """The largest number below `most` that holds; 0 if none does."""
    low, high = 0, most
    while high - low > max(1, low // 100):
        middle = (low + high) // 2
        if middle == 0 or holds(middle):
            low = middle
        else:
            high = middle
    return low


def _lengths(mean: float, spread: float, source: random.Random) -> int:
    if not spread:
        return max(1, round(mean))
    variance = math.log(1 + spread**2)
    return max(1, round(min(source.lognormvariate(math.log(mean) - variance / 2, math.sqrt(variance)), 8 * mean)))


def _point(
    service: Service,
    users: int,
    prompt: int,
    answer: int,
    target: tuple[float, float],
    spread: float,
    seed: int,
    stretch: Stretch,
) -> Point:
    count = max(REQUESTS_A_USER * users, LEAST_REQUESTS + users)
    source = random.Random(f"{seed} users")
    drawn = [(_lengths(prompt, spread, source), _lengths(answer, spread, source)) for _ in range(count)]
    cluster = service.cluster(ClosedLoop(0, 0, drawn.__getitem__), stretch)
    line = cluster.all[0].costs.line(max(1, users // len(cluster.all)))
    over = answer * (line[0] + line[1] * (prompt + answer / 2) * users / len(cluster.all))
    loop = ClosedLoop(users, count, drawn.__getitem__, over=over)
    cluster.begin(loop)
    for request in drawn:
        cluster.all[0].holdings.check(Request(0, 0.0, *request))
    while not cluster.run(events=1 << 20):
        pass
    table = cluster.log.table()
    counted = {name: column[table["number"] >= min(users, count - LEAST_REQUESTS)] for name, column in table.items()}
    return Point(
        users=users,
        kept=float(kept(counted, *target).mean()),
        tokens_per_s=rate(counted),
        ttft_p99=float(np.percentile(ttft(counted), 99)),
        tpot_p99=float(np.percentile(tpot(counted), 99)) if (counted["answer"] > 1).any() else 0.0,
    )
