"""Elapsed and expected time of `serve`: what the same question took the last time, and what a run says of itself."""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hw.base.digest import digest
from hw.base.file import write_atomically
from hw.base.progress import FIRST_S, Progress, progress
from model.serving.cluster import Cluster
from model.serving.simulate import LONG

TIMES = Path("build/serve_times.json")
"""Digest of a question -> seconds it took."""
SHOWN = ("json", "requests_out", "timeline", "plots")
"""Options that change how an answer is shown, not how long it takes."""


@contextmanager
def shown(arguments: argparse.Namespace, what: str) -> Iterator[Progress]:
    """Says how long a question has been going on and about how long it will be; keeps how long it took."""
    asked = {
        name: str(value)  # as text: what is no number at all is refused later, in a sentence
        for name, value in vars(arguments).items()
        if isinstance(value, str | int | float | list) and name not in SHOWN
    }
    key, start = digest(asked), time.monotonic()
    known = _known()
    last = known.get(key)
    with progress(f"serve   {what}", expected=last if isinstance(last, int | float) else None) as state:
        yield state
    took = time.monotonic() - start
    if took > FIRST_S:
        write_atomically(TIMES, json.dumps(_known() | {key: round(took, 1)}))


def _known() -> dict[str, Any]:
    try:
        found = json.loads(TIMES.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def follow(
    state: Progress, requests: int, bands: bool, clock: Callable[[], float] = time.monotonic
) -> Callable[[Cluster], None]:
    """What a nominal run of `requests` tells: the share of them that has ended gives its time, and the runs at other
    times, with `bands` four more, take as long each, two at once behind a long one."""
    start, others = clock(), 6 if bands else 2
    before: list[int] = []

    def told(cluster: Cluster) -> None:
        ended = len(cluster.log)
        if not before:  # of a run that goes on from a copy, what had ended then
            before.append(ended)
        ended -= before[0]
        if ended and requests:
            nominal = (clock() - start) * max(1.0, (requests - before[0]) / ended)
            state.expected = nominal * (1 + others / (2 if nominal > LONG else 1))

    return told
