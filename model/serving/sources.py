"""Where requests come from while the simulator runs: a list in time, or a closed loop of users.

A source has `upcoming`, the time of its next request (infinity if there is none now), `take()`, which gives it, and
`done(request, now)`, which tells it of an end.
"""

from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from math import inf

from model.serving.request import Request


class Stream:
    """Requests at times of their own. `load` makes the iterator anew; a resumed run skips what it took."""

    def __init__(self, load: Callable[[], Iterable[Request]], check: Callable[[Request], None] | None = None) -> None:
        self.taken = 0
        self.attach(load, check)

    def attach(self, load: Callable[[], Iterable[Request]], check: Callable[[Request], None] | None = None) -> None:
        """After a restart: the same load, from where it was."""
        self._check = check
        self._iterator: Iterator[Request] = iter(load())
        for _ in range(self.taken):
            next(self._iterator)
        self._look()

    def _look(self) -> None:
        self._ahead = next(self._iterator, None)
        if self._ahead is not None and self._check is not None:
            self._check(self._ahead)
        self.upcoming = inf if self._ahead is None else self._ahead.arrival

    def take(self) -> Request:
        """The next in time."""
        request = self._ahead
        assert request is not None  # the caller looked at `upcoming`
        self.taken += 1
        self._look()
        return request

    def done(self, request: Request, now: float) -> None:
        """Nothing follows from it."""

    def __getstate__(self) -> dict[str, int]:
        return {"taken": self.taken}


class ClosedLoop:
    """`users` that each send a request when the one before ends, until `requests` were sent.

    `lengths` gives (prompt, answer) of a request by its number. They begin evenly over the first `over` seconds. Each
    of `fronts` front ends before the engines takes requests one at a time, `front(tokens)` seconds each; a token is
    with its user `back` seconds after it is out.
    """

    def __init__(
        self,
        users: int,
        requests: int,
        lengths: Callable[[int], tuple[int, int]],
        *,
        over: float = 0.0,
        front: Callable[[int], float] | None = None,
        fronts: int = 1,
        back: float = 0.0,
    ) -> None:
        self.front = front
        self.back = back
        self._free = [0.0] * fronts
        self.requests = requests
        self.lengths = lengths
        self.sent = 0
        self.upcoming = inf
        self._ready: list[tuple[float, int, Request]] = []
        begin = min(users, requests)
        for number in range(begin):
            self._send(over * number / begin)

    def _send(self, now: float) -> None:
        if self.sent < self.requests:
            prompt, answer = self.lengths(self.sent)
            there = now
            if self.front is not None:
                there = max(now, heappop(self._free)) + self.front(prompt)
                heappush(self._free, there)
            heappush(self._ready, (there, self.sent, Request(self.sent, now, prompt, answer)))
            self.sent += 1
            self.upcoming = self._ready[0][0]

    def take(self) -> Request:
        """The request that is ready first."""
        request = heappop(self._ready)[2]
        self.upcoming = self._ready[0][0] if self._ready else inf
        return request

    def done(self, request: Request, now: float) -> None:
        """Its user sends the next."""
        self._send(now + self.back)
