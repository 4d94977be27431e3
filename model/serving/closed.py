"""A closed loop as load generators run it: so many users, a few requests each, all of them counted.

Ten requests a user, the first burst among them, is what the public scripts of GenAI-Perf ask for (`--request-count`
ten times `--concurrency`, the warm-up apart). Lengths differ by a tenth either way: with equal lengths the users would
stay in step for ever, which real ones do not.
"""

import random

from model.serving.service import Outcome, Service
from model.serving.simulate import closed_loop

REQUESTS_A_USER = 10
SPREAD = 0.1
IN_LINE = {"trtllm": 1}
"""Engine -> requests in flight beyond its slots. Of TensorRT-LLM behind its load generator one always waits for the
next slot: in its measured rows with up to 32 in flight the time to first token grows with the length of the answer by
just
the time between two ends (inferred from those rows)."""


def closed(
    service: Service, users: int, prompt: int, answer: int, *, requests: int | None = None, seed: int = 1
) -> Outcome:
    """`users` requests in flight, each of about `prompt` and `answer` tokens."""
    count = requests or REQUESTS_A_USER * users
    source = random.Random(f"{seed} closed")
    drawn = [
        (max(1, round(prompt * source.uniform(1 - SPREAD, 1 + SPREAD))),
         max(1, round(answer * source.uniform(1 - SPREAD, 1 + SPREAD))))
        for _ in range(count)
    ]  # fmt: skip
    more = IN_LINE.get(service.groups[0][0].engine.name, 0)
    return closed_loop(service, users + more, count, drawn.__getitem__)
