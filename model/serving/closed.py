"""A closed loop as load generators run it: so many users, a few requests each, all of them counted.

Ten requests a user, the first burst among them, is what the public scripts of GenAI-Perf ask for (`--request-count`
ten times `--concurrency`, the warm-up apart). Lengths differ by a tenth either way: with equal lengths the users would
stay in step for ever, which real ones do not.
"""

import random

from hw.spec.fact import Fact
from model.serving.service import Outcome, Service
from model.serving.simulate import closed_loop

REQUESTS_A_USER = 10
SPREAD = 0.1
IN_LINE = {"trtllm": 1}
"""Engine -> requests in flight beyond its slots. Of TensorRT-LLM behind its load generator one always waits for the
next slot: in its measured rows with up to 32 in flight the time to first token grows with the length of the answer by
just
the time between two ends (inferred from those rows). The line stands at the engine: the way back does not empty it."""

WAY = Fact(
    nominal=0.025,
    low=0.01,
    high=0.04,
    unit="s",
    confidence="inferred",
    source="what the time to first token has beyond the prompt at 4 and 8 in flight, of two engines and 1 to 8 "
    "cards (aiconfigurator 095f58a, H100 rows): connection, front end and stream of a request over HTTP",
)
FRONT = Fact(
    nominal=0.003,
    low=0.0005,
    high=0.005,
    unit="s",
    confidence="assumed",
    source="one Python process reads a request's JSON and applies the chat template, one after the other",
)
FRONT_TOKEN = Fact(
    nominal=1e-6,
    low=3e-7,
    high=3e-6,
    unit="s",
    confidence="assumed",
    source="a fast tokenizer turns about a million tokens a second",
)


def front(tokens: int) -> float:
    """Seconds of the front end for a prompt of so many tokens."""
    return FRONT.nominal + FRONT_TOKEN.nominal * tokens


def closed(
    service: Service,
    users: int,
    prompt: int,
    answer: int,
    *,
    requests: int | None = None,
    seed: int = 1,
    ranges: bool = True,
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
    return closed_loop(
        service, users + more, count, drawn.__getitem__, front=front, back=WAY.nominal, in_line=more > 0, ranges=ranges
    )
