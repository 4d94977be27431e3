"""A closed loop as load generators run it: so many users, a few requests each, all of them counted.

Ten requests a user, the first burst among them, is what the public scripts of GenAI-Perf ask for (`--request-count`
ten times `--concurrency`, the warm-up apart). Lengths differ by a tenth either way: with equal lengths the users would
stay in step for ever, which real ones do not.
"""

import random
from collections.abc import Callable

from model.serving.cluster import Cluster
from model.serving.front import FRONTS
from model.serving.service import Outcome, Service
from model.serving.simulate import closed_loop

REQUESTS_A_USER = 10
SPREAD = 0.1


def closed(
    service: Service,
    users: int,
    prompt: int,
    answer: int,
    *,
    requests: int | None = None,
    seed: int = 1,
    ranges: bool = True,
    bands: bool = False,
    progress: Callable[[Cluster], None] | None = None,
) -> Outcome:
    """`users` requests in flight, each of about `prompt` and `answer` tokens."""
    count = requests or REQUESTS_A_USER * users
    source = random.Random(f"{seed} closed")
    drawn = [
        (max(1, round(prompt * source.uniform(1 - SPREAD, 1 + SPREAD))),
         max(1, round(answer * source.uniform(1 - SPREAD, 1 + SPREAD))))
        for _ in range(count)
    ]  # fmt: skip
    front = FRONTS[service.groups[0][0].engine.name]
    return closed_loop(
        service,
        users + front.in_line,
        count,
        drawn.__getitem__,
        front=front,
        ranges=ranges,
        bands=bands,
        progress=progress,
    )
