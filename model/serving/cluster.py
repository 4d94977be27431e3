"""Instances, a router before them and, where prefill and decode lie on different cards, the way of the cache between.

One heap of the instances' next events; arrivals go first at equal times, then lower numbers: the same load gives the
same bytes on every machine.
"""

from heapq import heappop, heappush
from math import inf
from typing import Any

from model.serving.instance import Instance
from model.serving.log import Log
from model.serving.request import Request


class Cluster:
    """`instances` that share one stream of requests.

    Parameters
    ----------
    instances : list of Instance
        All of them, or those that run prompts only.
    source : see `model.serving.sources`
    router : policy
    decoders : list of Instance
        Those that the others hand requests to after the first token; empty: every instance does both.
    send : float
        Seconds to move one token's cache to a decoder, and `send_start` before it.
    failures : list of (time, instance, seconds)
        When an instance stops and for how long; its requests start again elsewhere.
    """

    def __init__(
        self,
        instances: list[Instance],
        source: Any,
        router: Any,
        *,
        decoders: list[Instance] | None = None,
        second_router: Any = None,
        send: float = 0.0,
        send_start: float = 0.0,
        failures: list[tuple[float, int, float]] | None = None,
        log: Log | None = None,
    ) -> None:
        self.instances = instances
        self.decoders = decoders or []
        self.all = [*instances, *self.decoders]
        self.source = source
        self.router = router
        self.second_router = second_router
        self.send, self.send_start = send, send_start
        self.log = log or Log()
        self.now = 0.0
        self._alive = list(range(len(instances)))
        self._moving: list[tuple[float, int, Request]] = []
        self._changes = sorted((at, 0, i, s) for at, i, s in failures or [])
        self._due: list[tuple[float, int]] = []
        self._left: list[Request] = []
        self.events = 0
        self._loads, self._decoder_loads = share_loads(instances), share_loads(self.decoders)
        for instance in self.all:
            instance.owner = self
            instance.hands_over = bool(self.decoders) and instance in instances

    def begin(self, source: Any) -> None:
        """Take requests from `source` from now on."""
        self.source = source

    def done(self, request: Request, now: float) -> None:
        """A request ended."""
        self.log.add(request)
        self.source.done(request, now)

    def started(self, request: Request, now: float) -> None:
        """A request goes on at a decoder when its cache is there."""
        heappush(self._moving, (now + self.send_start + self.send * request.cached, request.number, request))

    def run(self, events: int | None = None) -> bool:
        """Until all requests ended, or for so many events; True if there is nothing left to do."""
        due, instances, changes, moving = self._due, self.all, self._changes, self._moving
        left = events if events is not None else -1
        while left:
            left -= 1
            self.events += 1
            arrival = self.source.upcoming
            event = due[0][0] if due else inf
            other = min(moving[0][0] if moving else inf, changes[0][0] if changes else inf)
            if other < inf and other <= arrival and other <= event:
                self._other(other)
                continue
            if arrival <= event:
                if arrival == inf:
                    if not any(i.due < inf for i in instances) and not self._left:
                        return True
                    self._refill()
                    continue
                self.now = arrival
                self._route(self.source.take(), arrival)
                continue
            at, number = heappop(due)
            instance = instances[number]
            if instance.due != at:
                continue  # it was planned anew
            self.now = at
            instance.advance()
            if instance.due < inf:
                heappush(due, (instance.due, number))
        return False

    def _submit(self, number: int, request: Request, now: float) -> None:
        instance = self.all[number]
        before = instance.due
        instance.submit(request, now)
        if instance.due != before:
            heappush(self._due, (instance.due, number))

    def _route(self, request: Request, now: float) -> None:
        if not self._alive:
            self._left.append(request)
            return
        number = self._alive[0]
        if len(self._alive) > 1:
            number = self.router.choose(request, self._loads, self._alive)
        self._submit(number, request, now)

    def _other(self, now: float) -> None:
        """A cache arrived at a decoder, or an instance stops or comes back."""
        self.now = now
        if self._moving and self._moving[0][0] == now:
            _, _, request = heappop(self._moving)
            first = len(self.instances)
            places = range(len(self.decoders))
            number = 0
            if len(self.decoders) > 1:
                number = self.second_router.choose(request, self._decoder_loads, places)
            self._submit(first + number, request, now)
            return
        _, back, number, seconds = heappop(self._changes)
        if back:
            self._alive = sorted({*self._alive, number})
            again, self._left = self._left, []
        else:
            if number not in self._alive:
                return
            self._alive.remove(number)
            again = self.instances[number].abandon()
            heappush(self._changes, (now + seconds, 1, number, 0.0))
        for request in again:
            self._route(request, now)

    def _refill(self) -> None:
        """Events of instances that are not in the heap."""
        for number, instance in enumerate(self.all):
            if instance.due < inf:
                heappush(self._due, (instance.due, number))


def share_loads(instances: list[Instance]) -> list[float]:
    """One list in which each of `instances` keeps its load, in their order."""
    loads = [instance.load for instance in instances]
    for place, instance in enumerate(instances):
        instance.loads, instance.place = loads, place
    return loads
