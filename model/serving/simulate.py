"""Runs of a service under a load: nominal, and at the ends that the card model leaves open."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from model.card.iteration import Iteration
from model.serving.checkpoint import run_kept
from model.serving.cluster import Cluster
from model.serving.service import Load, Outcome, Service, Stretch
from model.serving.sources import ClosedLoop, Stream

ASSUMED = (0.85, 1.2)
"""5 % and 95 % of the factor on a time where the card model states none."""


def ends(iteration: Iteration) -> tuple[Stretch, Stretch]:
    """(shorter, longer) times: 5 % and 95 % of the card model's own error and of the inputs' ranges."""
    factor = getattr(iteration, "factor", None)
    decode, prefill = (factor(kind) if factor is not None else ASSUMED for kind in ("decode", "prefill"))
    return Stretch(decode=decode[0], prefill=prefill[0]), Stretch(decode=decode[1], prefill=prefill[1])


def replay(
    service: Service,
    load: Load,
    *,
    ranges: bool = True,
    copy: Path | None = None,
    progress: Callable[[Cluster], None] | None = None,
    watch: Any = None,
) -> Outcome:
    """All requests of `load` at their own times; `copy`: where a long run is kept (`model.serving.checkpoint`);
    `watch` is told of every span of the nominal run."""

    def run(stretch: Stretch, name: str) -> Cluster:
        cluster = service.cluster(ClosedLoop(0, 0, _none), stretch)

        def attach(restored: Cluster) -> None:
            service.attach(restored)
            restored.source.attach(load, lambda request: service.check(request, restored))

        source = Stream(load, lambda request: service.check(request, cluster))
        cluster.begin(source)
        if name == "nominal":
            for instance in cluster.all:
                instance.watch = watch
        place = copy.with_suffix(f".{name}") if copy is not None else None
        return run_kept(cluster, place, attach, progress)

    return _outcome(service, run, ranges)


def closed_loop(
    service: Service,
    users: int,
    requests: int,
    lengths: Callable[[int], tuple[int, int]],
    *,
    front: Callable[[int], float] | None = None,
    back: float = 0.0,
    in_line: bool = False,
    ranges: bool = True,
) -> Outcome:
    """`users` that each send a request when the one before ends, `requests` in all; `front` and `back`: their way to
    the engine and the tokens' way back (`model.serving.sources.ClosedLoop`). Times are those of the users. `in_line`:
    the way back does not keep the next request from standing in line."""

    def run(stretch: Stretch, name: str) -> Cluster:
        cluster = service.cluster(
            ClosedLoop(users, requests, lengths, front=front, back=0.0 if in_line else back), stretch
        )
        while not cluster.run(events=1 << 20):
            pass
        return cluster

    outcome = _outcome(service, run, ranges)
    if back:
        outcome.table, outcome.low, outcome.high = (
            t | {"first": t["first"] + back, "last": t["last"] + back}
            for t in (outcome.table, outcome.low, outcome.high)
        )
    return outcome


def _outcome(service: Service, run: Callable[[Stretch, str], Cluster], ranges: bool) -> Outcome:
    start = time.perf_counter()
    cluster = run(Stretch(), "nominal")
    wall = time.perf_counter() - start
    table = cluster.log.table()
    low = high = table
    if ranges:
        shorter, longer = ends(service.iteration(0))
        low, high = (run(stretch, name).log.table() for stretch, name in ((shorter, "shorter"), (longer, "longer")))
    return Outcome(cluster=cluster, table=table, low=low, high=high, wall=wall)


def _none(number: int) -> tuple[int, int]:
    raise AssertionError("nobody sends")
