"""Runs of a service under a load: nominal, and at the ends that the card model leaves open."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from model.card.iteration import Iteration
from model.serving.checkpoint import EVENTS, run_kept
from model.serving.cluster import Cluster
from model.serving.front import Front
from model.serving.outlet import Outlet
from model.serving.processes import each, orphaned
from model.serving.request_error import reach
from model.serving.service import Load, Outcome, Service, Stretch
from model.serving.sources import ClosedLoop, Stream

LONG = 5.0
"""Seconds of a nominal run from which on the runs at other times share the processors."""

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
    bands: bool = False,
    copy: Path | None = None,
    progress: Callable[[Cluster], None] | None = None,
    watch: Any = None,
) -> Outcome:
    """All requests of `load` at their own times, with `ranges` of the means and `bands` of each request.

    `copy`: where a long run is kept (`model.serving.checkpoint`); `watch` is told of every span of the nominal run,
    `progress` of the nominal run as it goes on.
    """

    def run(stretch: Stretch, name: str) -> Cluster:
        cluster = service.cluster(ClosedLoop(0, 0, _none), stretch)

        def attach(restored: Cluster) -> None:
            service.attach(restored)
            restored.source.attach(load, service.checker(restored))

        source = Stream(load, service.checker(cluster))
        cluster.begin(source)
        if name == "nominal":
            for instance in cluster.all:
                instance.watch = watch
        place = copy.with_suffix(f".{name}") if copy is not None else None
        return run_kept(cluster, place, attach, told if name == "nominal" else alone)

    parent = os.getpid()

    def alone(cluster: Cluster) -> None:
        if orphaned(parent):  # nobody waits for this part any more
            os._exit(1)

    def told(cluster: Cluster) -> None:
        if progress is not None:
            progress(cluster)

    return _outcome(service, run, ranges, bands)


def closed_loop(
    service: Service,
    users: int,
    requests: int,
    lengths: Callable[[int], tuple[int, int]],
    *,
    front: Front | None = None,
    ranges: bool = True,
    bands: bool = False,
    progress: Callable[[Cluster], None] | None = None,
) -> Outcome:
    """`users` that each send a request when the one before ends, `requests` in all; `front`: their way to the engine
    and the tokens' way back, one for each instance. Times are those of the users. Where a line stands at the engine the
    way back does not keep the next request from it."""
    back = front.way.nominal if front is not None else 0.0

    def run(stretch: Stretch, name: str) -> Cluster:
        cluster = service.cluster(ClosedLoop(0, 0, _none), stretch)
        source = ClosedLoop(
            users,
            requests,
            lengths,
            front=front.seconds if front is not None else None,
            fronts=len(cluster.instances),
            back=0.0 if front is not None and front.in_line else back,
        )
        cluster.begin(source)
        if front is not None and front.token.nominal:
            for instance in cluster.all:
                instance.outlet = Outlet(front.token.nominal)
        while not cluster.run(events=EVENTS):
            if progress is not None and name == "nominal":
                progress(cluster)
        return cluster

    outcome = _outcome(service, run, ranges, bands)
    if back:
        outcome.table, outcome.low, outcome.high = (
            t | {"first": t["first"] + back, "last": t["last"] + back}
            for t in (outcome.table, outcome.low, outcome.high)
        )
        outcome.bands = {name: (low + back, high + back) for name, (low, high) in outcome.bands.items()}
    return outcome


def _outcome(service: Service, run: Callable[[Stretch, str], Cluster], ranges: bool, bands: bool) -> Outcome:
    start = time.perf_counter()
    cluster = run(Stretch(), "nominal")
    wall = time.perf_counter() - start
    table = cluster.log.table()
    wanted: dict[str, Stretch] = {}
    if ranges:
        wanted["shorter"], wanted["longer"] = ends(service.iteration(0))
    if bands:
        decode, prefill = reach(service.groups[0][0].engine.name)
        wanted |= {
            "decode-": Stretch(decode=1 / (1 + decode)),
            "prefill-": Stretch(prefill=1 / (1 + prefill)),
            "decode+": Stretch(decode=1 + decode),
            "prefill+": Stretch(prefill=1 + prefill),
        }
    tables = each(
        {name: lambda n=name, s=stretch: run(s, n).log.table() for name, stretch in wanted.items()},
        processes=2 if wall > LONG else 1,
    )
    return Outcome(
        cluster=cluster,
        table=table,
        low=tables.get("shorter", table),
        high=tables.get("longer", table),
        wall=wall,
        bands=_bands(table, tables) if bands else {},
    )


def _bands(
    table: dict[str, np.ndarray], tables: dict[str, dict[str, np.ndarray]]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """5 % and 95 % ends of each request's times: errors of decode steps and of prompts are independent, so their
    effects add as squares."""
    found = {}
    for name in ("first", "last"):
        down, up = (
            np.sqrt(sum((tables[kind + side][name] - table[name]) ** 2 for kind in ("decode", "prefill")))
            for side in "-+"
        )
        found[name] = np.maximum(table[name] - down, table["arrival"]), table[name] + up
    return found


def _none(number: int) -> tuple[int, int]:
    raise AssertionError("nobody sends")
