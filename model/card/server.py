"""Server scenario: queries of one input arrive at random; the highest rate whose tail of latencies keeps a limit.

Arrivals are Poisson. A group of cores that is free takes everything that waits, up to the largest batch whose wait
behind another one and own run together keep the limit; it does not wait for more to come. Where the maker published
its server's rule, that holds instead: a batch is closed when full, or after a timeout as soon as a group is free. A
batch runs at the next of the compiled sizes: those of `rules.BATCHES`, or the one submitted. Times
are those of the offline run: the group is busy for the longer of work and host link, a query's answer is there after
both. One central queue. Nothing is fitted.

The rate is found by halving on one fixed sequence of QUERIES exponential gaps, so it is reproducible and, up to the
statistics of QUERIES / 100 queries above the 99th percentile, the stationary one.
"""

from bisect import bisect_right
from dataclasses import dataclass
from heapq import heapreplace

import numpy as np

from hw.base.error import InputError
from model.card.device import Device
from model.card.machine import Extra
from model.card.rules import BATCHES
from model.card.run import offline
from model.network.layer import Network

LIMITS_S = {"resnet50": 0.015, "ssd_resnet34": 0.1, "retinanet": 0.1, "bert_large": 0.13, "bert_large_177": 0.13}
"""Latency that 99 % of the queries must keep, by task (mlcommons/inference_policies, inference_rules.adoc)."""

PERCENTILE = 99.0
QUERIES = 20_000
STEPS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """One compiled batch.

    Parameters
    ----------
    batch : int
        Most queries it takes.
    busy : float
        Seconds until its group can start the next: the longer of work and host link.
    latency : float
        Seconds from its start until its answers are there: work and host link.
    """

    batch: int
    busy: float
    latency: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """`per_second` queries of the card keep the limit; `tail` is their 99th percentile in seconds, `batch` the largest
    batch, `groups` of cores on all devices, `offline` the rate of that batch without a limit, `mean_batch` what was
    taken together."""

    per_second: float
    tail: float
    batch: int
    groups: int
    offline: float
    mean_batch: float


def server(
    device: Device, network: Network, number: str = "int8", *, limit: float, extra: Extra | None = None
) -> Served:
    """The highest rate of one card.

    Raises
    ------
    InputError
        If the limit is no time above 0, or not even a query that finds the card idle keeps it.
    """
    if not 0 < limit < float("inf"):
        raise InputError(f"a latency limit must be a time above 0 s, not {limit:g}; without one run it offline")
    known = next((batch for key, (batch, _) in device.submitted.items() if key in network.name), None)
    # the split into groups that gives most offline, for every batch
    split = offline(device, network, number, extra=extra).groups
    runs = [
        offline(device, network, number, batch=b, groups=split, extra=extra) for b in ((known,) if known else BATCHES)
    ]
    sizes = [Size(batch=r.batch, busy=r.time, latency=r.latency) for r in runs]
    if sizes[0].latency > limit:
        raise InputError(
            f"a query must end within {limit * 1e3:g} ms to be served; on {device.title} one of {network.name} takes "
            f"{sizes[0].latency * 1e3:.3g} ms even alone, run it offline"
        )
    kept = [s for s in sizes if s.busy + s.latency <= limit] or sizes[:1]
    groups = split * device.devices
    # a queue that is never full lets large batches run half empty: the better of all sizes and of few
    found = [_highest(sizes_kept, groups, limit, device.batch_timeout) for sizes_kept in _choices(kept)]
    return max(found, key=lambda served: served.per_second)


FEW_SIZES = 6
"""Compiled sizes up to 32, the other choice of a server's batches."""


def _choices(kept: list[Size]) -> list[list[Size]]:
    return [kept] if len(kept) <= FEW_SIZES else [kept, kept[:FEW_SIZES]]


def _highest(kept: list[Size], groups: int, limit: float, timeout: float | None) -> Served:
    """The highest rate on compiled sizes `kept`."""
    most = groups * max(s.batch / s.busy for s in kept)
    gaps = np.random.default_rng(1).exponential(size=QUERIES)
    low, high = 0.0, most
    best = _tail(1e-9 * most, kept, groups, gaps, timeout)
    for _ in range(STEPS):
        middle = (low + high) / 2
        found = _tail(middle, kept, groups, gaps, timeout)
        if found[0] <= limit:
            low, best = middle, found
        else:
            high = middle
    return Served(per_second=low, tail=best[0], batch=kept[-1].batch, groups=groups, offline=most, mean_batch=best[1])


def _tail(rate: float, sizes: list[Size], groups: int, gaps: np.ndarray, timeout: float | None) -> tuple[float, float]:
    """(99th percentile of the latencies, mean batch) at `rate` queries per second."""
    times = np.cumsum(gaps) / rate
    arrivals = times.tolist()
    total, most = len(arrivals), sizes[-1].batch
    next_size = [next(s for s in sizes if s.batch >= count) for count in range(1, most + 1)]
    free = [0.0] * groups
    ends: list[float] = []
    counts: list[int] = []
    first, closed = 0, 0.0
    while first < total:
        if timeout is None:
            start = max(free[0], arrivals[first])
        else:  # the collector begins anew when a batch is closed, or at every timeout without a query
            empty = (arrivals[first] - closed) // timeout
            opened = closed + max(0.0, empty) * timeout
            full = arrivals[first + most - 1] if first + most <= total else opened + timeout
            start = closed = max(free[0], min(max(full, opened), opened + timeout))
        count = bisect_right(arrivals, start, first, min(total, first + most)) - first
        size = next_size[count - 1]
        heapreplace(free, start + size.busy)
        ends.append(start + size.latency)
        counts.append(count)
        first += count
    latencies = np.repeat(ends, counts) - times
    return float(np.percentile(latencies, PERCENTILE)), total / len(counts)
